"""The requests of WAHA for each kind of content, as its OpenAPI description of 2026.7.1 has them."""

from collections.abc import Callable, Mapping

from retoma.transports.whatsapp_web_contents import (
    Content,
    NotSupported,
    Request,
    is_voice,
    link_name,
    media_type,
    of_kind,
    optional,
    source,
    text,
)

_SENDS_LISTS = ("NOWEB", "GOWS")
_VOICE = "audio/ogg; codecs=opus"


def request(content: Content, engine: str, *, converts: bool) -> Request:
    """The request for a rendered content.

    Args:
        content: its fields, rendered.
        engine: WEBJS, WPP, NOWEB or GOWS.
        converts: whether WAHA brings video and voice into the form that WhatsApp plays.

    Raises:
        NotSupported: there is no such request, or not on this engine.
    """
    if content.get("kind") == "list" and engine not in _SENDS_LISTS:
        raise NotSupported(f"the engine {engine} sends no lists")
    made = of_kind(_REQUESTS, content)
    if made.path in ("sendVideo", "sendVoice"):
        made.fields["convert"] = converts
    return made


def _text(content: Content) -> Request:
    return Request("sendText", {"text": content["text"]})


def _image(content: Content) -> Request:
    return Request("sendImage", {"file": _file("image", content), **_caption(content)})


def _document(content: Content) -> Request:
    return Request("sendFile", {"file": _file("document", content), **_caption(content)})


def _video(content: Content) -> Request:
    return Request("sendVideo", {"file": _file("video", content), "asNote": False, **_caption(content)})


def _audio(content: Content) -> Request:
    if not is_voice(content):
        return Request("sendFile", {"file": _file("audio", content)})
    medium = source(content.get("media"))
    if not medium.data:
        return Request("sendVoice", {"file": {"mimetype": _VOICE, "url": medium.link}})
    mimetype = _VOICE if medium.mimetype == "audio/ogg" else medium.mimetype
    # Where WAHA converts it, it names its own file by this name.
    file = {"mimetype": mimetype, "filename": "voice.ogg", "data": medium.data}
    return Request("sendVoice", {"file": file})


def _poll(content: Content) -> Request:
    poll = {
        "name": content["question"],
        "options": content["options"],
        "multipleAnswers": content.get("multiple") is True,
    }
    return Request("sendPoll", {"poll": poll})


def _list(content: Content) -> Request:
    header, sections = content.get("header"), content["sections"]
    message = {
        "title": text(header, "text") if isinstance(header, dict) else "",
        "description": content["text"],
        "button": content["button"],
        "sections": [_section(section) for section in sections] if isinstance(sections, list) else [],
        **optional(footer=content.get("footer")),
    }
    return Request("sendList", {"message": message})


_REQUESTS: Mapping[str, Callable[[Content], Request]] = {
    "text": _text,
    "image": _image,
    "document": _document,
    "video": _video,
    "audio": _audio,
    "poll": _poll,
    "list": _list,
}


def _file(kind: str, content: Content) -> dict[str, object]:
    medium = source(content.get("media"))
    name = text(content, "filename")
    # WhatsApp shows the name of a document. WAHA requires one for a video.
    if not name and kind in ("video", "audio"):
        name = link_name(medium.link) or f"{kind}.{'mp4' if kind == 'video' else 'mp3'}"
    if medium.data:
        return {"mimetype": medium.mimetype, "data": medium.data, **optional(filename=name)}
    return {"mimetype": media_type(kind, medium.link, name), "url": medium.link, **optional(filename=name)}


def _caption(content: Content) -> dict[str, object]:
    return optional(caption=content.get("caption"))


def _section(section: Content) -> dict[str, object]:
    rows = section["rows"]
    return {
        "title": text(section, "title"),
        "rows": [_row(row) for row in rows] if isinstance(rows, list) else [],
    }


def _row(row: Content) -> dict[str, object]:
    return {"title": row["title"], "rowId": row["id"], **optional(description=row.get("description"))}
