"""The JSON that the Cloud API takes, made from a rendered content.

Shapes: developers.facebook.com, WhatsApp Business Platform, "Messages" and "Template components".
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from retoma.transports.base import Message

Json = dict[str, object]

_MEDIA = ("image", "video", "document")


class BadContent(Exception):
    """The content cannot be said to this API. The reason names fields, and never repeats values."""


def build(message: Message) -> Json:
    """The body of one request.

    Args:
        message: its content in one of the kinds that retoma.transport_kind lists for this transport.

    Raises:
        BadContent: no such kind, or a field is missing or of the wrong type.
    """
    kind = _text(message.content, "kind")
    if kind not in _BODIES:
        raise BadContent("this kind of content does not exist here")
    name, body = _BODIES[kind]
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        # Without the plus sign, Meta may put the country code of the sender in front: a stranger's number.
        "to": message.phone,
        "type": name,
        name: body(message.content),
        "biz_opaque_callback_data": message.id,
    }


def _text_body(content: Mapping[str, object]) -> Json:
    return {"body": _text(content, "text")}


def _media_body(kind: str) -> Callable[[Mapping[str, object]], Json]:
    def body(content: Mapping[str, object]) -> Json:
        media = _media(content, "media")
        if kind != "audio" and (caption := _optional(content, "caption")):
            media["caption"] = caption
        if kind == "document":
            media["filename"] = _text(content, "filename")
        if kind == "audio" and isinstance(content.get("voice"), bool):
            media["voice"] = content["voice"]
        return media

    return body


def _template(content: Mapping[str, object]) -> Json:
    components = _components(content)
    if "offer" in content:
        components.append(_offer(_object(content, "offer")))
    if "cards" in content:
        cards = [
            {"card_index": index, "components": _components(card)}
            for index, card in enumerate(_objects(content, "cards"))
        ]
        components.append({"type": "carousel", "cards": cards})
    template: Json = {
        "name": _text(content, "name"),
        "language": {"code": _text(content, "language")},
    }
    return template | ({"components": components} if components else {})


def _components(part: Mapping[str, object]) -> list[Json]:
    """Header, body and buttons: of a template, or of one card."""
    components: list[Json] = []
    if "header" in part:
        components.append({"type": "header", "parameters": [_template_header(_object(part, "header"))]})
    if part.get("body"):
        components.append({"type": "body", "parameters": _body_parameters(part["body"])})
    if "buttons" in part:
        components += [_template_button(button) for button in _objects(part, "buttons")]
    return components


def _template_header(header: Mapping[str, object]) -> Json:
    if "text" in header:
        name = _optional(header, "parameter")
        return _text_parameter(_text(header, "text"), name)
    if "location" in header:
        place = _object(header, "location")
        location: Json = {key: _text(place, key) for key in ("latitude", "longitude")}
        location |= {key: place[key] for key in ("name", "address") if _optional(place, key)}
        return {"type": "location", "location": location}
    return _header_media(header)


def _header_media(header: Mapping[str, object]) -> Json:
    for kind in _MEDIA:
        if kind in header:
            media = _media(header, kind)
            if kind == "document" and (filename := _optional(header, "filename")):
                media["filename"] = filename
            return {"type": kind, kind: media}
    raise BadContent("the header has neither a text nor a medium")


def _body_parameters(body: object) -> list[Json]:
    if isinstance(body, Mapping):
        return [_text_parameter(_text(body, name), name) for name in body]
    if isinstance(body, list) and all(isinstance(text, str) for text in body):
        return [_text_parameter(text, None) for text in body]
    raise BadContent("body is neither a list of texts nor an object of texts")


def _text_parameter(text: str, name: str | None) -> Json:
    parameter: Json = {"type": "text", "text": text}
    return parameter | ({"parameter_name": name} if name else {})


def _template_button(button: Mapping[str, object]) -> Json:
    index = button.get("index")
    if isinstance(index, bool) or not isinstance(index, int):
        raise BadContent("index of a button is not a number")
    parameter: Json
    if "url" in button:
        kind, parameter = "url", {"type": "text", "text": _text(button, "url")}
    elif "payload" in button:
        kind, parameter = "quick_reply", {"type": "payload", "payload": _text(button, "payload")}
    elif "coupon" in button:
        kind, parameter = "copy_code", {"type": "coupon_code", "coupon_code": _text(button, "coupon")}
    elif "flow" in button:
        flow = _object(button, "flow")
        action: Json = {"flow_token": _text(flow, "token")} if "token" in flow else {}
        action |= {"flow_action_data": dict(_object(flow, "data"))} if "data" in flow else {}
        kind, parameter = "flow", {"type": "action", "action": action}
    else:
        raise BadContent("a button of a template has no url, payload, coupon or flow")
    return {"type": "button", "sub_type": kind, "index": index, "parameters": [parameter]}


def _offer(offer: Mapping[str, object]) -> Json:
    try:
        expires_at = datetime.fromisoformat(_text(offer, "expires_at"))
    except ValueError:
        raise BadContent("expires_at of the offer is not a time") from None
    if expires_at.tzinfo is None:
        raise BadContent("expires_at of the offer has no time zone")
    parameter = {"expiration_time_ms": round(expires_at.timestamp() * 1000)}
    kind = "limited_time_offer"
    return {"type": kind, "parameters": [{"type": kind, kind: parameter}]}


def _interactive(kind: str, action: Callable[[Mapping[str, object]], Json]) -> Callable[..., Json]:
    def body(content: Mapping[str, object]) -> Json:
        interactive: Json = {
            "type": kind,
            "body": {"text": _text(content, "text")},
            "action": action(content),
        }
        if "header" in content:
            header = _object(content, "header")
            interactive["header"] = (
                {"type": "text", "text": _text(header, "text")} if "text" in header else _header_media(header)
            )
        if footer := _optional(content, "footer"):
            interactive["footer"] = {"text": footer}
        return interactive

    return body


def _reply_buttons(content: Mapping[str, object]) -> Json:
    return {
        "buttons": [
            {"type": "reply", "reply": {"id": _text(button, "id"), "title": _text(button, "title")}}
            for button in _objects(content, "buttons")
        ]
    }


def _list(content: Mapping[str, object]) -> Json:
    sections = []
    for section in _objects(content, "sections"):
        title = _optional(section, "title")
        rows = [_row(row) for row in _objects(section, "rows")]
        sections.append(({"title": title} if title else {}) | {"rows": rows})
    return {"button": _text(content, "button"), "sections": sections}


def _row(row: Mapping[str, object]) -> Json:
    description = _optional(row, "description")
    made: Json = {"id": _text(row, "id"), "title": _text(row, "title")}
    return made | ({"description": description} if description else {})


def _link(content: Mapping[str, object]) -> Json:
    parameters = {"display_text": _text(content, "button"), "url": _text(content, "url")}
    return {"name": "cta_url", "parameters": parameters}


def _media(part: Mapping[str, object], key: str) -> Json:
    medium = _object(part, key)
    if "id" in medium:
        return {"id": _text(medium, "id")}
    if "link" not in medium:
        raise BadContent(f"{key} has neither a link nor the id of an upload")
    return {"link": _text(medium, "link")}


def _text(part: Mapping[str, object], key: str) -> str:
    value = part.get(key)
    if not isinstance(value, str):
        raise BadContent(f"{key} is missing or not a text")
    return value


def _optional(part: Mapping[str, object], key: str) -> str | None:
    """A text; None when it is missing or was rendered to nothing."""
    return None if part.get(key) is None else _text(part, key) or None


def _object(part: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = part.get(key)
    if not isinstance(value, Mapping):
        raise BadContent(f"{key} is missing or not an object")
    return value


def _objects(part: Mapping[str, object], key: str) -> list[Mapping[str, object]]:
    value = part.get(key)
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise BadContent(f"{key} is missing or not a list of objects")
    return value


# By the kind of the content: the type of the message here, and its body.
_BODIES: dict[str, tuple[str, Callable[[Mapping[str, object]], Json]]] = {
    "text": ("text", _text_body),
    **{kind: (kind, _media_body(kind)) for kind in (*_MEDIA, "audio")},
    "template": ("template", _template),
    "buttons": ("interactive", _interactive("button", _reply_buttons)),
    "list": ("interactive", _interactive("list", _list)),
    "cta_url": ("interactive", _interactive("cta_url", _link)),
}

KINDS = frozenset(_BODIES)
"""The kinds of content that this API can say; retoma.transport_kind has the same."""
