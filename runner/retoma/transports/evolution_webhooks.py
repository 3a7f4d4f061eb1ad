"""The webhooks of Evolution API.

They are not signed. With `jwt_key` among the headers of the webhook, each call carries a token that the
server signs with it: it is valid for ten minutes, does not depend on the body, and stays the same while the
server tries again, for about 25 minutes. Any other header can hold a secret that both know. The global
webhook of the server has neither.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from retoma.transports import evolution_common, whatsapp_web
from retoma.transports.base import (
    ConnectionChange,
    Fact,
    Receipt,
    ReceiptStatus,
    WebhookRefused,
    unix_seconds,
)
from retoma.transports.signatures import is_valid_token, json_object, same_secret

SECRET_HEADER = "x-retoma-secret"  # noqa: S105 (a name)

# Ten tries, up to 30 s each, and pauses that double from 5 to 300 s; and two clocks that differ.
_TOKEN_LEEWAY_S = 3600

# SERVER_ACK is also what the server says when it does not know: it proves nothing.
_STATUSES: Mapping[str, ReceiptStatus] = {
    "DELIVERY_ACK": "delivered",
    "READ": "read",
    "PLAYED": "played",
    "ERROR": "failed",
}
_ENDED = {
    "qrcode.updated": "instance_qrcode",
    "logout.instance": "instance_logout",
    "remove.instance": "instance_removed",
}


@dataclass(frozen=True, slots=True)
class Door:
    """What a call has to show; None: not asked for.

    Args:
        jwt_key: signs the token in the header Authorization.
        secret: the value of the header X-Retoma-Secret.
    """

    jwt_key: str | None
    secret: str | None

    def check(self, headers: Mapping[str, str]) -> None:
        """Let a call in; headers have lower-case names.

        Raises:
            WebhookRefused: 401.
        """
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if self.jwt_key is not None and not (
            scheme.lower() == "bearer" and is_valid_token(self.jwt_key, token.strip(), _TOKEN_LEEWAY_S)
        ):
            raise WebhookRefused("The token of the webhook call is missing, wrong or too old.", 401)
        if self.secret is not None and not same_secret(self.secret, headers.get(SECRET_HEADER)):
            raise WebhookRefused("The secret of the webhook call is missing or wrong.", 401)


def facts(instance: str, headers: Mapping[str, str], body: bytes) -> list[Fact]:
    """What a call that was let in says about one instance.

    Raises:
        WebhookRefused: 400 for anything but a JSON object.
    """
    call = json_object(body)
    # One address may serve several instances; each channel takes only its own.
    if call.get("instance") != instance:
        return []
    # The field date_time is local time that claims to be UTC. This header, from 2.3.6 on, does not change
    # with further tries.
    stamp = headers.get("x-timestamp", "")
    at = unix_seconds(int(stamp), per_second=1000) if re.fullmatch(r"[0-9]{13,16}", stamp) else None
    name = call.get("event")
    event = name.lower().replace("_", ".").replace("-", ".") if isinstance(name, str) else ""
    data = call.get("data")
    items = [item for item in (data if isinstance(data, list) else [data]) if isinstance(item, dict)]
    return [fact for item in items for fact in _facts(event, item, at)]


def _facts(event: str, data: Mapping[str, object], at: float | None) -> list[Fact]:
    match event:
        case "messages.update":
            return _receipt(data, at)
        case "messages.upsert":
            return _inbound(data)
        case "send.message":
            return _own(data, at)
        case "connection.update":
            return _connection_change(data, at)
        case "qrcode.updated" | "logout.instance" | "remove.instance":
            return [ConnectionChange(False, _ENDED[event], at)]
        case _:
            return []


def _receipt(data: Mapping[str, object], at: float | None) -> list[Fact]:
    # messageId is of the server's own database.
    provider_id, status = data.get("keyId"), data.get("status")
    if not isinstance(provider_id, str) or not provider_id or data.get("fromMe") is False:
        return []
    if not isinstance(status, str) or status not in _STATUSES:
        return []
    code = "ack_error" if status == "ERROR" else None
    message_id = whatsapp_web.our_id(provider_id)
    receipt = Receipt(message_id, provider_id, _STATUSES[status], code, at)
    return [receipt, *whatsapp_web.recipient_alias(data.get("remoteJid"), message_id, at)]


def _own(data: Mapping[str, object], at: float | None) -> list[Fact]:
    """The server reports each message that it wrote to the socket: as much as its answer 201 says."""
    key = data.get("key")
    if not isinstance(key, dict):
        return []
    chat = whatsapp_web.hidden_of(key.get("remoteJid"), key.get("remoteJidAlt"))
    return evolution_common.own_message(key.get("id"), chat, at)


def _connection_change(data: Mapping[str, object], at: float | None) -> list[Fact]:
    match data.get("state"):
        case "open":
            return [ConnectionChange(True, "instance_open", at)]
        # The server reports "close" only when it will not connect again by itself.
        case "close" | "refused" as state:
            return [ConnectionChange(False, f"instance_{state}", at)]
        case _:
            return []


def _inbound(data: Mapping[str, object]) -> list[Fact]:
    key = data.get("key")
    if not isinstance(key, dict) or key.get("fromMe") is not False:
        return []
    # The number and the hidden address stand in either field; 2.3.4 had senderPn.
    aliases = [key.get(name) for name in ("remoteJid", "remoteJidAlt", "senderPn", "senderLid")]
    provider_id = key.get("id")
    given = provider_id if isinstance(provider_id, str) else None
    at = unix_seconds(data.get("messageTimestamp"))
    return evolution_common.inbound(data.get("message"), key.get("remoteJid"), aliases, given, at)
