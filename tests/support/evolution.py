"""Webhook calls as Evolution API and Evolution GO make them, of the instance loja."""

import base64
import hashlib
import hmac
import json
import time

KEY = "a key of the tests, known to both"

Call = tuple[bytes, dict[str, str]]
"""The body and the headers."""


def token(
    key: str = KEY, *, algorithm: str = "HS256", expires_in_s: float = 600, payload: object = None
) -> str:
    """The token of Evolution API, valid for ten minutes unless a test says otherwise."""
    now = int(time.time())
    claims = payload or {"iat": now, "exp": now + expires_in_s, "app": "evolution", "action": "webhook"}
    signed = ".".join(_part(json.dumps(part).encode()) for part in ({"alg": algorithm, "typ": "JWT"}, claims))
    return f"{signed}.{_part(hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest())}"


def bearer(key: str) -> dict[str, str]:
    """The header that has the token."""
    return {"Authorization": f"Bearer {token(key)}"}


def api_document(event: str, data: object, instance: object = "loja") -> dict[str, object]:
    """What Evolution API says; date_time is local time that claims to be UTC."""
    return {
        "event": event,
        "instance": instance,
        "data": data,
        "destination": "http://retoma.example/hooks/loja",
        "date_time": "2026-11-27T19:00:00.000Z",
        "sender": "5511955509999@s.whatsapp.net",
        "server_url": "http://gateway.example",
        "apikey": None,
    }


def go_document(event: str, data: object, token: object, **more: object) -> dict[str, object]:
    """What Evolution GO says, with the token of the instance."""
    call = {"event": event, "data": data, "instanceToken": token, "instanceId": "7", "instanceName": "loja"}
    return {**call, **more}


def api_call(event: str, data: object, key: str) -> Call:
    """A call of Evolution API."""
    return json.dumps(api_document(event, data)).encode(), bearer(key)


def go_call(event: str, data: object, key: str, **more: object) -> Call:
    """A call of Evolution GO."""
    return json.dumps(go_document(event, data, key, **more)).encode(), {}


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
