"""The dialects, and what each of them can prove about a message whose answer was lost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

APP_SECRET = "secret of the app"


@dataclass(frozen=True, slots=True)
class Dialect:
    """A provider as the sandbox plays it.

    Args:
        transport: of the channel.
        address: its path at the sandbox.
        named: the setting that names the channel at the sandbox.
        settings: further settings of the channel.
        ignores_ids: whether the server uses ids of its own, and does not say so.
        reports: whether it reports by webhook with our id, so that a receiver is needed.
        proves: "all" where nothing may be in doubt in the end: a repeated id is shown once, so what never
            came is sent again. "arrival" where a report carries our id: what arrived is settled, but nothing
            proves that a message never came. "nothing": what is in doubt stays there, for a person.
    """

    transport: str
    address: str
    named: str
    settings: Mapping[str, object] = field(default_factory=dict)
    ignores_ids: bool = False
    reports: bool = False
    proves: Literal["all", "arrival", "nothing"] = "all"


UNCHECKED = {"check_numbers": False}

DIALECTS = {
    "waha-noweb": Dialect("waha", "waha", "session", {"engine": "NOWEB", "store": True, **UNCHECKED}),
    "waha-webjs": Dialect("waha", "waha", "session", {"engine": "WEBJS", **UNCHECKED}, proves="nothing"),
    "evolution-2.3": Dialect(
        "evolution",
        "evolution",
        "instance",
        {"store": True, "api_key": "k", **UNCHECKED},
        ignores_ids=True,
        proves="nothing",
    ),
    "evolution-2.4": Dialect(
        "evolution", "evolution", "instance", {"store": True, "api_key": "k", **UNCHECKED}
    ),
    "evolution-go": Dialect("evolution_go", "evolution_go", "api_key", {"store": True, **UNCHECKED}),
    "whatsapp-cloud": Dialect(
        "whatsapp_cloud",
        "cloud",
        "phone_number_id",
        {"access_token": "a token", "app_secret": APP_SECRET},
        reports=True,
        proves="arrival",
    ),
}
