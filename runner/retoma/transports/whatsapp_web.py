"""What the gateways to WhatsApp Web have in common: ids, addresses, errors of WhatsApp itself, and media.

Facts that the gateways share because they drive the same two libraries, Baileys and whatsmeow.
"""

import mimetypes
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from yarl import URL

from retoma.transports.base import SendResult
from retoma.transports.http.client import Answer

BY_NUMBER, HIDDEN = ("@c.us", "@s.whatsapp.net"), "@lid"

NOT_SUPPORTED = "content_not_supported"
"""The code of a content that a transport has no request for. Nothing was written."""

_OUR_ID = re.compile(r"3EB0([0-9A-F]{32})(?![0-9A-F])")
_SERVER_ERROR = re.compile(r"server returned error (\d{3})\b")
_DEFAULT_TYPES = {
    "image": "image/jpeg",
    "video": "video/mp4",
    "audio": "audio/mpeg",
    "document": "application/octet-stream",
}


class NotSupported(Exception):
    """This content cannot be said through this gateway. The words name no content."""


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


def is_word(value: object) -> bool:
    """Whether a value of a server can be shown on a terminal, and typed: 2026.8.1, GOWS."""
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_.+-]{1,40}", value) is not None


def text(content: Mapping[str, object], field: str) -> str:
    """A text of a rendered content; "" when it has no such field."""
    value = content.get(field)
    return value if isinstance(value, str) else ""


def optional(**fields: object) -> dict[str, object]:
    """The fields that are not empty."""
    return {name: value for name, value in fields.items() if value}


class Source(NamedTuple):
    """Where a medium comes from: it has a link or data.

    Args:
        link: its address, or "".
        data: a stored file in base64, or "".
        mimetype: of the stored file, or "".
    """

    link: str
    data: str = ""
    mimetype: str = ""


def source(media: object) -> Source:
    """Where a medium of a rendered content comes from.

    Raises:
        NotSupported: it has neither a link nor bytes.
    """
    if isinstance(media, Mapping) and media.get("data"):
        return Source("", text(media, "data"), text(media, "mimetype"))
    return Source(link(media))


def link(media: object) -> str:
    """The address of a medium where only an address can stand.

    Raises:
        NotSupported: it is a stored file.
    """
    address = media.get("link") if isinstance(media, Mapping) else None
    if not isinstance(address, str) or not address:
        raise NotSupported("this medium is sent by link only")
    return address


def media_type(kind: str, address: str, filename: str = "") -> str:
    """The MIME type of a medium by the ending of its name or address, or else the most usual one.

    Args:
        kind: image, video, audio or document.
        address: where it is.
        filename: as the person will see it.
    """
    for name in (filename, link_name(address)):
        guess = mimetypes.guess_type(PurePosixPath(name.lower()))[0] if name else None
        if guess and (kind == "document" or guess.startswith(f"{kind}/")):
            return guess
    return _DEFAULT_TYPES[kind]


def link_name(address: str) -> str:
    """The name of the file in an address, "" when it has none."""
    try:
        return URL(address).name
    except ValueError:
        return ""


def is_voice(content: Mapping[str, object]) -> bool:
    """Whether an audio is a voice note: unless the content says no, because these gateways send such."""
    return content.get("voice") is not False
