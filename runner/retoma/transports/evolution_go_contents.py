"""The requests of Evolution GO for each kind of content."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from retoma.transports.whatsapp_web import NotSupported, is_voice, link, link_name, optional, text

_Content = Mapping[str, object]


class Request(NamedTuple):
    """What is asked of the server, without number and id.

    Args:
        path: the last part of the address.
        fields: of the JSON.
    """

    path: str
    fields: dict[str, object]


def request(content: _Content) -> Request:
    """The request for a rendered content.

    Args:
        content: its fields, rendered.

    Raises:
        NotSupported: there is no such request. Buttons are among them: the server builds their JSON out of
            the words without quoting them, and cannot carry our id.
    """
    kind = str(content.get("kind"))
    if kind not in _REQUESTS:
        raise NotSupported("there is no request for this kind of content")
    return _REQUESTS[kind](content)


def _text(content: _Content) -> Request:
    return Request("text", {"text": content["text"]})


def _image(content: _Content) -> Request:
    return _media("image", content)


def _video(content: _Content) -> Request:
    return _media("video", content)


def _document(content: _Content) -> Request:
    return _media("document", content)


def _audio(content: _Content) -> Request:
    # The server makes a voice note of every audio. Any other goes out as a file.
    return _media("audio" if is_voice(content) else "document", content)


def _media(kind: str, content: _Content) -> Request:
    address = link(content.get("media"))
    name = text(content, "filename") or (link_name(address) or "file" if kind == "document" else "")
    return Request(
        "media",
        {"type": kind, "url": address, **optional(caption=content.get("caption"), filename=name)},
    )


def _poll(content: _Content) -> Request:
    # 0: as many as the person likes.
    several = 0 if content.get("multiple") is True else 1
    return Request(
        "poll", {"question": content["question"], "options": content["options"], "maxAnswer": several}
    )


_REQUESTS: Mapping[str, Callable[[_Content], Request]] = {
    "text": _text,
    "image": _image,
    "video": _video,
    "document": _document,
    "audio": _audio,
    "poll": _poll,
}
