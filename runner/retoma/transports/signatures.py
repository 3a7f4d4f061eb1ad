"""Signatures of webhook calls: an HMAC of the raw body, in hexadecimal."""

import hashlib
import hmac
import json
import re
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
