"""What Meta says of a phone number: its state, its quality, and what it may send."""

from collections.abc import Mapping

from yarl import URL

from retoma.errors import RetomaError
from retoma.transports.base import Account
from retoma.transports.http.client import HttpClient
from retoma.transports.whatsapp_cloud.answers import provider_code

_FIELDS = "status,quality_rating,throughput,whatsapp_business_manager_messaging_limit,health_status"
# Meta, "Messaging limits": unique people in a moving period of 24 hours. TIER_UNLIMITED has no number.
_PEOPLE = {"TIER_250": 250, "TIER_2K": 2_000, "TIER_10K": 10_000, "TIER_100K": 100_000}
# Meta, "Throughput": 80 messages per second, 1,000 after an upgrade. Other levels say nothing.
_RATES = {"STANDARD": 80.0, "HIGH": 1_000.0}
# States in which a number sends nothing, or should not. PENDING and its like say nothing.
_DOWN = frozenset({"BANNED", "DELETED", "DISCONNECTED", "FLAGGED", "MIGRATED", "RESTRICTED"})


async def read_account(http: HttpClient, url: URL) -> Account:
    """Ask about one phone number.

    Args:
        http: to the provider, with the header of the token.
        url: of the number.

    Raises:
        RetomaError: the answer is an error, or none about a number.
    """
    answer = await http.get_json(url.with_query(fields=_FIELDS).raw_path_qs)
    status, quality = answer.field("status"), answer.field("quality_rating")
    if not answer.ok or not (isinstance(status, str) or isinstance(quality, str)):
        error = answer.field("error")
        code = provider_code(error.get("code")) if isinstance(error, Mapping) else None
        raise RetomaError(
            f"The provider says nothing of the number ({code or answer.code or 'unreadable_answer'}).",
            hint="The settings phone_number_id and access_token decide it.",
        )
    tier = _word(answer.field("whatsapp_business_manager_messaging_limit"))
    health = _word(_member(answer.field("health_status"), "can_send_message"))
    state = _word(status)
    connected = False if state in _DOWN or health == "BLOCKED" else state == "CONNECTED" or None
    return Account(
        connected,
        "health_BLOCKED" if health == "BLOCKED" and state not in _DOWN else state or None,
        quality=_word(quality) or None,
        people_per_day=_PEOPLE.get(tier),
        rate_per_s=_RATES.get(_word(_member(answer.field("throughput"), "level"))),
    )


def _member(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, Mapping) else None


def _word(value: object) -> str:
    is_word = (
        isinstance(value, str) and len(value) <= 50 and value.replace("_", "").isalnum() and value.isascii()
    )
    return str(value) if is_word else ""
