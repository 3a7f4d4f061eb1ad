"""The rules of WAHA's published OpenAPI description for the requests that we send, retold.

Source: devlikeapro/waha-docs, static/swagger/openapi.json, version 2026.7.1 of 24 July 2026. For each schema:
its fields with their JSON types, and which of them are required. Where the description gives no more than
"object" for a field that its own example shows as a text or a flag, the type of the example stands here.
"""

from collections.abc import Mapping

Schema = Mapping[str, object]

_STRING, _FLAG = "string", "boolean"


def _object(required: str, **fields: object) -> Schema:
    return {"fields": fields, "required": required.split()}


def _file(required: str, **fields: object) -> tuple[Schema, Schema]:
    """A file is one of two: with the address, or with its bytes in base64."""
    return tuple(_object(f"{required} {way}", **fields, **{way: _STRING}) for way in ("url", "data"))  # type: ignore[return-value]


_FILE = _file("mimetype", mimetype=_STRING, filename=_STRING)
_VOICE_FILE = (_file("mimetype", mimetype=_STRING)[0], _FILE[1])
_VIDEO_FILE = _file("mimetype filename", mimetype=_STRING, filename=_STRING)
_ROW = _object("title rowId", title=_STRING, description=_STRING, rowId=_STRING)
_SECTION = _object("title rows", title=_STRING, rows=[_ROW])
_LIST = _object(
    "title button sections",
    title=_STRING,
    description=_STRING,
    footer=_STRING,
    button=_STRING,
    sections=[_SECTION],
)
_POLL = _object("name options multipleAnswers", name=_STRING, options=[_STRING], multipleAnswers=_FLAG)
_EVERY = {"chatId": _STRING, "reply_to": _STRING, "session": _STRING}

REQUESTS: Mapping[str, Schema] = {
    "/api/sendText": _object(
        "chatId text session",
        **_EVERY,
        id=_STRING,
        text=_STRING,
        linkPreview=_FLAG,
        linkPreviewHighQuality=_FLAG,
    ),
    "/api/sendImage": _object("chatId file session", **_EVERY, file=_FILE, caption=_STRING),
    "/api/sendFile": _object("chatId file session", **_EVERY, file=_FILE, caption=_STRING),
    "/api/sendVideo": _object(
        "chatId file convert session",
        **_EVERY,
        file=_VIDEO_FILE,
        asNote=_FLAG,
        convert=_FLAG,
        caption=_STRING,
    ),
    "/api/sendVoice": _object("chatId file convert session", **_EVERY, file=_VOICE_FILE, convert=_FLAG),
    "/api/sendPoll": _object("chatId poll session", **_EVERY, id=_STRING, poll=_POLL),
    "/api/sendList": _object("chatId message session", **_EVERY, message=_LIST),
}
"""By the path of the request."""


def faults(path: str, request: object) -> list[str]:
    """What the description does not allow in a request; undeclared fields count as faults."""
    return _faults(REQUESTS[path], request, path)


def _faults(schema: object, value: object, where: str) -> list[str]:
    if isinstance(schema, tuple):
        return min((_faults(one, value, where) for one in schema), key=len)
    if isinstance(schema, list):
        if not isinstance(value, list):
            return [f"{where} is not an array"]
        return [fault for n, item in enumerate(value) for fault in _faults(schema[0], item, f"{where}[{n}]")]
    if isinstance(schema, Mapping):
        if not isinstance(value, dict):
            return [f"{where} is not an object"]
        found = [f"{where}.{name} is missing" for name in schema["required"] if name not in value]
        for name, item in value.items():
            fields = schema["fields"]
            assert isinstance(fields, dict)
            if name not in fields:
                found.append(f"{where}.{name} is not declared")
            else:
                found += _faults(fields[name], item, f"{where}.{name}")
        return found
    right = isinstance(value, str) if schema == _STRING else isinstance(value, bool)
    return [] if right else [f"{where} is not a {schema}"]
