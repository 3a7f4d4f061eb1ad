"""The requests of Evolution API for each kind of content."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from retoma.transports.evolution_common import file_name, most_answers
from retoma.transports.whatsapp_web_contents import (
    Content,
    NotSupported,
    Source,
    is_voice,
    link,
    media_type,
    of_kind,
    optional,
    source,
    text,
)

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


def request(content: Content) -> Request:
    """The request for a rendered content.

    Args:
        content: its fields, rendered.

    Raises:
        NotSupported: there is no such request.
    """
    return of_kind(_REQUESTS, content)


def _text(content: Content) -> Request:
    return Request("sendText", {"text": content["text"]})


def _audio(content: Content) -> Request:
    if is_voice(content):
        return Request(
            "sendWhatsAppAudio", {"audio": _media_text(source(content.get("media")))}, takes_id=False
        )
    return _media("audio", content)


def _media(kind: str, content: Content) -> Request:
    medium = source(content.get("media"))
    name = file_name(kind, content, medium.link)
    fields = {
        "mediatype": kind,
        "media": _media_text(medium),
        "mimetype": medium.mimetype or media_type(kind, medium.link, name),
        **optional(fileName=name, caption=content.get("caption")),
    }
    return Request("sendMedia", fields)


def _media_text(medium: Source) -> str:
    return medium.data or medium.link


def _poll(content: Content) -> Request:
    question, options = content["question"], content["options"]
    fields = {"name": question, "values": options, "selectableCount": most_answers(content)}
    return Request("sendPoll", fields)


def _buttons(content: Content) -> Request:
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


_REQUESTS: Mapping[str, Callable[[Content], Request]] = {
    "text": _text,
    **{kind: partial(_media, kind) for kind in ("image", "video", "document")},
    "audio": _audio,
    "poll": _poll,
    "buttons": _buttons,
}
