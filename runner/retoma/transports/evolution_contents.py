"""The requests of Evolution API for each kind of content."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from retoma.transports.whatsapp_web import (
    NotSupported,
    Source,
    is_voice,
    link,
    link_name,
    media_type,
    optional,
    source,
    text,
)

_Content = Mapping[str, object]

PATHS = ("sendText", "sendMedia", "sendWhatsAppAudio", "sendPoll", "sendButtons")
"""The calls that send."""


class Request(NamedTuple):
    """What is asked of the server, without the number and the id.

    Args:
        path: one of PATHS.
        fields: of the JSON.
        takes_id: whether the server, from 2.4.0-rc1 on, takes our id with this call.
    """

    path: str
    fields: dict[str, object]
    takes_id: bool = True


def request(content: _Content) -> Request:
    """The request for a rendered content.

    Args:
        content: its fields, rendered.

    Raises:
        NotSupported: there is no such request.
    """
    kind = str(content.get("kind"))
    if kind not in _REQUESTS:
        raise NotSupported("there is no request for this kind of content")
    return _REQUESTS[kind](content)


def _text(content: _Content) -> Request:
    return Request("sendText", {"text": content["text"]})


def _image(content: _Content) -> Request:
    return _media("image", content)


def _video(content: _Content) -> Request:
    return _media("video", content)


def _document(content: _Content) -> Request:
    return _media("document", content)


def _audio(content: _Content) -> Request:
    if is_voice(content):
        return Request(
            "sendWhatsAppAudio", {"audio": _media_text(source(content.get("media")))}, takes_id=False
        )
    return _media("audio", content)


def _media(kind: str, content: _Content) -> Request:
    medium = source(content.get("media"))
    # Without a name the server makes one from the address, and fails where it has no ending.
    name = text(content, "filename") or (link_name(medium.link) or "file" if kind == "document" else "")
    fields = {
        "mediatype": kind,
        "media": _media_text(medium),
        "mimetype": medium.mimetype or media_type(kind, medium.link, name),
        **optional(fileName=name, caption=content.get("caption")),
    }
    return Request("sendMedia", fields)


def _media_text(medium: Source) -> str:
    return medium.data or medium.link


def _poll(content: _Content) -> Request:
    # 0: as many as the person likes.
    several = 0 if content.get("multiple") is True else 1
    fields = {"name": content["question"], "values": content["options"], "selectableCount": several}
    return Request("sendPoll", fields)


def _buttons(content: _Content) -> Request:
    header, buttons, body = content.get("header"), content["buttons"], text(content, "text")
    if not isinstance(buttons, list):
        raise NotSupported("the buttons are not a list")
    picture = None
    if isinstance(header, dict) and header.get("image") is not None:
        picture = link(header["image"])
    elif isinstance(header, dict) and not header.get("text"):
        raise NotSupported("the header of buttons is a text or an image")
    # The server makes a line in bold of the title, which has to be there, and puts the description below.
    title = text(header, "text") if isinstance(header, dict) else ""
    if not title:
        title, _, body = body.partition("\n")
    fields = {
        "title": title,
        "buttons": [{"type": "reply", "id": b["id"], "displayText": b["title"]} for b in buttons],
        **optional(description=body.strip(), footer=content.get("footer"), thumbnailUrl=picture),
    }
    return Request("sendButtons", fields, takes_id=False)


_REQUESTS: Mapping[str, Callable[[_Content], Request]] = {
    "text": _text,
    "image": _image,
    "video": _video,
    "document": _document,
    "audio": _audio,
    "poll": _poll,
    "buttons": _buttons,
}
