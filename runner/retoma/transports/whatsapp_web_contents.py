"""What the gateways to WhatsApp Web have in common when they say a content: its fields and its media."""

import mimetypes
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple, TypeVar

from yarl import URL

Content = Mapping[str, object]
"""The fields of a content, rendered."""

_Made = TypeVar("_Made")

_DEFAULT_TYPES = {
    "image": "image/jpeg",
    "video": "video/mp4",
    "audio": "audio/mpeg",
    "document": "application/octet-stream",
}


class NotSupported(Exception):
    """This content cannot be said through this gateway. The words name no content."""


class Request(NamedTuple):
    """What is asked of a gateway, without the sender, the number and the id.

    Args:
        path: the last part of the address.
        fields: of the JSON.
    """

    path: str
    fields: dict[str, object]


def of_kind(makers: Mapping[str, Callable[[Content], _Made]], content: Content) -> _Made:
    """The request for a rendered content, made by the maker of its kind.

    Raises:
        NotSupported: there is none.
    """
    maker = makers.get(str(content.get("kind")))
    if maker is None:
        raise NotSupported("there is no request for this kind of content")
    return maker(content)


def text(content: Content, field: str) -> str:
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


def is_voice(content: Content) -> bool:
    """Whether an audio is a voice note: unless the content says no, because these gateways send such."""
    return content.get("voice") is not False
