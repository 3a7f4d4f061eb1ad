"""The upload of media, as the Cloud API takes it."""

import hashlib

from aiohttp import BodyPartReader, web

_LONGEST = 100 * 2**20
_FAMILIES = ("image/", "video/", "audio/", "application/", "text/")


async def take(request: web.BaseRequest) -> tuple[int, dict[str, object]]:
    """Status and JSON of the answer to an upload.

    The id is a number made from the bytes, so that a test can tell which file a message says.
    """
    if not request.content_type.startswith("multipart/"):
        return _refused("the request is not multipart")
    fields: dict[str, str] = {}
    digest, size, file_type = hashlib.sha256(), 0, ""
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        if part.name != "file":
            fields[part.name or ""] = (await part.read(decode=True)).decode(errors="replace")
            continue
        file_type = part.headers.get("Content-Type", "")
        while data := await part.read_chunk():
            digest.update(data)
            size += len(data)
    if fields.get("messaging_product") != "whatsapp":
        return _refused("the parameter messaging_product is required")
    if not file_type or file_type != fields.get("type") or not file_type.startswith(_FAMILIES):
        return _refused("file must be of one of the types that are supported, and of the one in type")
    if not 0 < size <= _LONGEST:
        return _refused("the size of the file is refused")
    return 200, {"id": media_id(digest.digest())}


def media_id(sha256: bytes) -> str:
    """The id under which an uploaded file is known, from the SHA-256 of its bytes."""
    return str(int.from_bytes(sha256[:6]))


def _refused(why: str) -> tuple[int, dict[str, object]]:
    return 400, {"error": {"message": f"(#100) {why}", "type": "OAuthException", "code": 100}}
