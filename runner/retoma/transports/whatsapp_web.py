"""What the gateways to WhatsApp Web have in common: ids, addresses, answers, and errors of WhatsApp itself.

Facts that the gateways share because they drive the same two libraries, Baileys and whatsmeow.
"""

import re

from retoma.errors import RetomaError
from retoma.transports.base import Alias, Message, SendResult
from retoma.transports.http.client import Answer
from retoma.transports.whatsapp_web_contents import NotSupported

BY_NUMBER, HIDDEN = ("@c.us", "@s.whatsapp.net"), "@lid"

NOT_SUPPORTED = "content_not_supported"
"""The code of a content that a transport has no request for. Nothing was written."""

_OUR_ID = re.compile(r"3EB0([0-9A-F]{32})(?![0-9A-F])")
_HIDDEN_ADDRESS = re.compile(r"([0-9]{1,40})(?:[.:][0-9:]{1,20})?@lid")
_SERVER_ERROR = re.compile(r"server returned error (\d{3})\b")


def whatsapp_id(message_id: str) -> str:
    """The id under which WhatsApp knows our message: in the form of those of WhatsApp Web."""
    return f"3EB0{message_id.upper()}"


def our_id(provider_id: str) -> str | None:
    """Our message id, when the provider's id was made from it."""
    ours = _OUR_ID.search(provider_id)
    return ours[1].lower() if ours else None


def digits(phone: str) -> str:
    """The number without its plus, from E.164."""
    return phone.removeprefix("+")


def phone_of(address: object) -> str | None:
    """E.164 from an address by number (5511…@s.whatsapp.net); None for any other."""
    if not isinstance(address, str) or not address.endswith(BY_NUMBER):
        return None
    # A device of that person follows after a colon, or after a dot and a colon.
    number = address.partition("@")[0].partition(":")[0].partition(".")[0]
    return f"+{number}" if number.isascii() and number.isdigit() else None


def known_address(address: object) -> str | None:
    """The address of a person as NumberCheck has it, from one of WhatsApp's; None for any other."""
    if isinstance(address, str) and re.fullmatch(r"\d{1,40}@lid", address):
        return address
    return phone_of(address)


def number(message: Message) -> str:
    """E.164 to which a message goes, for a server that looks an address that hides it up by itself."""
    address = message.address
    return message.phone if address is None or address.endswith(HIDDEN) else address


def hidden_of(*addresses: object) -> str | None:
    """The first of these addresses that hides the number (a LID), without the device of the person."""
    for address in addresses:
        if isinstance(address, str) and (found := _HIDDEN_ADDRESS.fullmatch(address)):
            return f"{found[1]}{HIDDEN}"
    return None


def recipient_alias(address: object, message_id: str | None, at: float | None) -> list[Alias]:
    """The alias of the person who got a message of ours, if the chat of the message hides the number.

    Args:
        address: of the chat.
        message_id: ours; None for a message that is not ours.
        at: Unix seconds.
    """
    hidden = hidden_of(address)
    return [Alias(hidden, message_id=message_id, at=at)] if hidden and message_id else []


def server_code(text: object) -> str | None:
    """The code of a refusal by WhatsApp's own server, in the words of whatsmeow; None for other texts."""
    # Seen by users: "2 UNKNOWN: server returned error 463".
    refusal = _SERVER_ERROR.search(text) if isinstance(text, str) else None
    return refused_by_server(refusal[1]) if refusal else None


def refused_by_server(number: str) -> str:
    """The code for a number of WhatsApp's server: only numbers that are known have a row in error_rule."""
    return f"server_{number}" if number in ("463", "479") else "server_error"


def accepted(answer: Answer, given: str | None, message_id: str | None) -> SendResult:
    """The result of an answer that says yes.

    Args:
        answer: with a status of 2xx.
        given: the id that it shows, in any case of letters; None when it shows none.
        message_id: our id, if we gave it; None when this request cannot carry one.
    """
    if message_id is None or given is None:
        return SendResult("accepted", http_status=answer.status, provider_id=given)
    if given.upper() == whatsapp_id(message_id):
        return SendResult("accepted", http_status=answer.status, took_id=True)
    # An older server ignores our id without a word.
    return SendResult("accepted", http_status=answer.status, provider_id=given, took_id=False)


def failed(answer: Answer, code: str | None) -> SendResult:
    """The result of an answer that says no, or of none."""
    return SendResult(
        "error",
        code=code,
        http_status=answer.status,
        retry_after_s=answer.retry_after_s,
        written=answer.written,
        detail=answer.detail,
    )


def not_supported(why: NotSupported) -> SendResult:
    """The result of a content for which no request can be made: nothing was written."""
    return SendResult("error", code=NOT_SUPPORTED, written=False, detail=str(why))


def says_nothing(answer: Answer) -> RetomaError:
    """For a gateway that was asked about an account, and gave no state of it."""
    return RetomaError(
        f"The gateway says nothing of the account ({answer.code or 'unreadable_answer'}).",
        hint="The settings of the channel name it: is the gateway running, and does it have this account?",
    )


def is_word(value: object) -> bool:
    """Whether a value of a server can be shown on a terminal, and typed: 2026.8.1, GOWS."""
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_.+-]{1,40}", value) is not None
