"""How webhook calls show who sent them: an HMAC of the raw body, a signed token, or a shared secret."""

import base64
import binascii
import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping, Sequence
from typing import Literal

from retoma.transports.base import WebhookRefused

Algorithm = Literal["sha256", "sha512"]


def sign(key: str, body: bytes, algorithm: Algorithm) -> str:
    """The HMAC of the raw body with the key, as lower-case hexadecimal digits."""
    return hmac.digest(key.encode(), body, algorithm).hex()


def require_signature(key: str | None, received: str, algorithm: Algorithm) -> None:
    """Refuse what cannot be a signature, before the body is there; no key means that none is needed.

    Raises:
        WebhookRefused: 401.
    """
    digits = 2 * hashlib.new(algorithm).digest_size
    if key is not None and not re.fullmatch(f"[0-9a-f]{{{digits}}}", received):
        raise WebhookRefused("The signature of the webhook call is missing or wrong.", 401)


def verified_object(
    key: str | None, body: bytes, received: str, algorithm: Algorithm
) -> Mapping[str, object]:
    """Check the signature first, then decode the JSON object; no key means that the channel has no signature.

    Raises:
        WebhookRefused: 401 for a missing or wrong signature, 400 for anything but a JSON object.
    """
    require_any_signature([] if key is None else [key], body, received, algorithm)
    return json_object(body)


def require_any_signature(keys: Sequence[str], body: bytes, received: str, algorithm: Algorithm) -> None:
    """Refuse a body that was signed with none of the keys; no key means that the channel has no signature.

    Raises:
        WebhookRefused: 401.
    """
    # Compared as bytes: compare_digest raises for text that is not ASCII, and this text comes from outside.
    # A header may even hold what no encoding has, and "?" is in no signature.
    given = received.encode(errors="replace")
    if keys and not any(hmac.compare_digest(sign(key, body, algorithm).encode(), given) for key in keys):
        raise WebhookRefused("The signature of the webhook call is missing or wrong.", 401)


def json_object(body: bytes) -> Mapping[str, object]:
    """Decode the JSON object of a call.

    Raises:
        WebhookRefused: 400 for anything else.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise WebhookRefused("The body of the webhook call is not JSON that can be read.", 400) from error
    if not isinstance(value, dict):
        raise WebhookRefused("The body of the webhook call is not a JSON object.", 400)
    return value


def same_secret(expected: str, received: object) -> bool:
    """Whether a text from outside is the secret, in a time that tells nothing about it."""
    given = received.encode(errors="replace") if isinstance(received, str) else b""
    return hmac.compare_digest(expected.encode(), given)


def is_valid_token(key: str, token: str, leeway_s: float) -> bool:
    """Whether a JSON web token (RFC 7519) was signed with the key by HS256, and is not too old.

    Args:
        key: the secret that both know.
        token: header.payload.signature.
        leeway_s: seconds for which it is taken after its own end (exp). A token without an end is refused.
    """
    signed, _, signature = token.rpartition(".")
    head, _, payload = signed.partition(".")
    expected = hmac.new(key.encode(), signed.encode(errors="replace"), hashlib.sha256).digest()
    # The signature first: what an unknown caller wrote is not even decoded.
    if not hmac.compare_digest(expected, _decoded(signature)):
        return False
    algorithm, ends = _json_field(head, "alg"), _json_field(payload, "exp")
    in_time = isinstance(ends, int | float) and not isinstance(ends, bool) and ends + leeway_s > time.time()
    return algorithm == "HS256" and in_time


def _decoded(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part.encode("ascii") + b"=" * (-len(part) % 4))
    except (ValueError, binascii.Error):
        return b""


def _json_field(part: str, name: str) -> object:
    try:
        value = json.loads(_decoded(part))
    except (ValueError, RecursionError):
        return None
    return value.get(name) if isinstance(value, dict) else None
