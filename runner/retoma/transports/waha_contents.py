"""The requests of WAHA for each kind of content, as its OpenAPI description of 2026.7.1 has them."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from retoma.transports.whatsapp_web import (
    NotSupported,
    is_voice,
    link_name,
    media_type,
    optional,
    source,
    text,
)

_Content = Mapping[str, object]

_SENDS_LISTS = ("NOWEB", "GOWS")
_VOICE = "audio/ogg; codecs=opus"


class Request(NamedTuple):
    """What is asked of WAHA, without session, chat and id.

    Args:
        path: the last part of the address.
        fields: of the JSON.
    """

    path: str
    fields: dict[str, object]


def request(content: _Content, engine: str, *, converts: bool) -> Request:
    """The request for a rendered content.

    Args:
        content: its fields, rendered.
        engine: WEBJS, WPP, NOWEB or GOWS.
        converts: whether WAHA brings video and voice into the form that WhatsApp plays.

    Raises:
        NotSupported: there is no such request, or not on this engine.
    """
    kind = str(content.get("kind"))
    if kind not in _REQUESTS:
        raise NotSupported("there is no request for this kind of content")
    if kind == "list" and engine not in _SENDS_LISTS:
        raise NotSupported(f"the engine {engine} sends no lists")
    made = _REQUESTS[kind](content)
    if made.path in ("sendVideo", "sendVoice"):
        made.fields["convert"] = converts
    return made


def _text(content: _Content) -> Request:
    return Request("sendText", {"text": content["text"]})


def _image(content: _Content) -> Request:
    return Request("sendImage", {"file": _file("image", content), **_caption(content)})


def _document(content: _Content) -> Request:
    return Request("sendFile", {"file": _file("document", content), **_caption(content)})


def _video(content: _Content) -> Request:
    return Request("sendVideo", {"file": _file("video", content), "asNote": False, **_caption(content)})


def _audio(content: _Content) -> Request:
    if not is_voice(content):
        return Request("sendFile", {"file": _file("audio", content)})
    medium = source(content.get("media"))
    if not medium.data:
        return Request("sendVoice", {"file": {"mimetype": _VOICE, "url": medium.link}})
    mimetype = _VOICE if medium.mimetype == "audio/ogg" else medium.mimetype
    # Where WAHA converts it, it names its own file by this name.
    file = {"mimetype": mimetype, "filename": "voice.ogg", "data": medium.data}
    return Request("sendVoice", {"file": file})


def _poll(content: _Content) -> Request:
    poll = {
        "name": content["question"],
        "options": content["options"],
        "multipleAnswers": content.get("multiple") is True,
    }
    return Request("sendPoll", {"poll": poll})


def _list(content: _Content) -> Request:
    header, sections = content.get("header"), content["sections"]
    message = {
        "title": text(header, "text") if isinstance(header, dict) else "",
        "description": content["text"],
        "button": content["button"],
        "sections": [_section(section) for section in sections] if isinstance(sections, list) else [],
        **optional(footer=content.get("footer")),
    }
    return Request("sendList", {"message": message})


_REQUESTS: Mapping[str, Callable[[_Content], Request]] = {
    "text": _text,
    "image": _image,
    "document": _document,
    "video": _video,
    "audio": _audio,
    "poll": _poll,
    "list": _list,
}


def _file(kind: str, content: _Content) -> dict[str, object]:
    medium = source(content.get("media"))
    name = text(content, "filename")
    # WhatsApp shows the name of a document. WAHA requires one for a video.
    if not name and kind in ("video", "audio"):
        name = link_name(medium.link) or f"{kind}.{'mp4' if kind == 'video' else 'mp3'}"
    if medium.data:
        return {"mimetype": medium.mimetype, "data": medium.data, **optional(filename=name)}
    return {"mimetype": media_type(kind, medium.link, name), "url": medium.link, **optional(filename=name)}


def _caption(content: _Content) -> dict[str, object]:
    return optional(caption=content.get("caption"))


def _section(section: _Content) -> dict[str, object]:
    rows = section["rows"]
    return {
        "title": text(section, "title"),
        "rows": [_row(row) for row in rows] if isinstance(rows, list) else [],
    }


def _row(row: _Content) -> dict[str, object]:
    return {"title": row["title"], "rowId": row["id"], **optional(description=row.get("description"))}
