"""The upload of a file, outside of the send path.

Shapes: developers.facebook.com, WhatsApp Business Platform, "Media": POST with the fields messaging_product,
type and file, answered by {"id": "…"}.
"""

import json
from collections.abc import Mapping

import aiohttp
from yarl import URL

from retoma.errors import RetomaError
from retoma.transports.base import Medium
from retoma.transports.whatsapp_cloud.answers import provider_code

_CONNECT_S = 10.0
_LONGEST_ANSWER = 1_000_000


async def upload(url: URL, headers: Mapping[str, str], medium: Medium, timeout_s: float) -> str:
    """Upload a file once; redirects are not followed, because they would get the token.

    Args:
        url: of the uploads of one phone number.
        headers: with the token.
        medium: the file.
        timeout_s: without a byte from the provider; the whole upload may take longer.

    Returns:
        The id by which messages of this number can name it.

    Raises:
        RetomaError: the provider has not taken it.
    """
    form = aiohttp.FormData(
        {"messaging_product": "whatsapp", "type": medium.mimetype}, default_to_multipart=True
    )
    form.add_field("file", medium.data, filename=medium.name, content_type=medium.mimetype)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=timeout_s)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, data=form, headers=headers, allow_redirects=False) as answer,
        ):
            raw = await _beginning(answer.content)
            status = answer.status
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        # Its words have the address.
        raise RetomaError(
            f"The provider could not be reached to upload a file ({type(error).__name__})."
        ) from None
    return _id(status, raw)


async def _beginning(content: aiohttp.StreamReader) -> bytes:
    raw = bytearray()
    async for part in content.iter_chunked(65_536):
        raw += part
        if len(raw) > _LONGEST_ANSWER:
            break
    return bytes(raw)


def _id(status: int, raw: bytes) -> str:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        body = None
    given = body.get("id") if isinstance(body, dict) else None
    if 200 <= status < 300 and isinstance(given, str) and 0 < len(given) <= 500 and given.isprintable():
        return given
    error = body.get("error") if isinstance(body, dict) else None
    code = provider_code(error.get("code")) if isinstance(error, dict) else None
    raise RetomaError(
        f"The provider did not take the file ({code or f'http_{status}'}).",
        hint="The settings media_path, phone_number_id and access_token decide where it goes.",
    )
