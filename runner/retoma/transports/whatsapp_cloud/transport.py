"""WhatsApp Business Cloud API, at Meta or through a provider that passes it on (360dialog, Gupshup).

It takes no id of ours and cannot be asked for one: our id goes along as biz_opaque_callback_data, and comes
back with every status. So a message in doubt is settled by its webhook, or by an operator.

Its own codes: see answers.py, and bad_content for a content that this API cannot say.
"""

import hmac
import re
from collections.abc import Mapping

from retoma.errors import RetomaError
from retoma.transports.base import (
    Account,
    Fact,
    Lookup,
    Medium,
    Message,
    NumberCheck,
    SendResult,
    Settings,
    Template,
    WebhookRefused,
)
from retoma.transports.http.client import HttpClient, encode
from retoma.transports.settings import SettingsReader
from retoma.transports.signatures import json_object, require_any_signature, require_signature
from retoma.transports.whatsapp_cloud import answers, requests, templates, webhooks

_MARKETING = "marketing_messages"
_PLACEHOLDER = re.compile(r"\{([a-z_]*)\}")
# RFC 9110: what the name of a header can consist of.
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_CHALLENGE = re.compile(r"[A-Za-z0-9._-]{1,200}")


def create(settings: Settings) -> "WhatsAppCloud":
    """Make a Cloud API transport.

    Args:
        settings: as retoma.transport_setting lists them.

    Raises:
        RetomaError: a setting is missing or refused.
    """
    return WhatsAppCloud(SettingsReader("whatsapp_cloud", settings))


class WhatsAppCloud:
    """One phone number of one account."""

    def __init__(self, settings: SettingsReader) -> None:
        self._settings = settings
        self._base = settings.url("base_url")
        self._endpoint = settings.text("endpoint")
        self._product_policy = settings.text("product_policy")
        self._targets = {name: self._target(name) for name in ("messages", self._endpoint)}
        secrets = (settings.optional_text("app_secret"), settings.optional_text("app_secret_old"))
        self._app_secrets = [secret for secret in secrets if secret is not None]
        self._webhook_token = settings.header("webhook_token")
        self._verify_token = settings.optional_text("verify_token")
        self._account = webhooks.Account(
            settings.optional_text("phone_number_id"), settings.optional_text("waba_id")
        )
        self._http = HttpClient(self._base, _auth_header(settings), settings.seconds("timeout_s"))

    async def send(self, message: Message) -> SendResult:
        try:
            request = requests.build(message)
        except requests.BadContent as bad:
            return SendResult("error", code="bad_content", written=False, detail=str(bad))
        # The endpoint for marketing takes templates only; what else is said goes the usual way.
        endpoint = self._endpoint if request["type"] == "template" else "messages"
        if endpoint == _MARKETING:
            request["product_policy"] = self._product_policy
        payload = encode(request)
        answer = await self._http.post_json(self._targets[endpoint], payload, {}, message.send_before)
        return answers.result_of(answer)

    async def lookup(self, message_id: str, phone: str) -> Lookup:
        return "unknown"

    async def check_number(self, phone: str) -> NumberCheck:
        return NumberCheck(None)

    def require_signature(self, headers: Mapping[str, str]) -> None:
        self._require_token(headers)
        key = self._app_secrets[0] if self._app_secrets else None
        require_signature(key, _signature(headers), "sha256")

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> list[Fact]:
        self._require_token(headers)
        require_any_signature(self._app_secrets, body, _signature(headers), "sha256")
        return webhooks.facts_of(json_object(body), self._account)

    def answer_handshake(self, query: Mapping[str, str]) -> str:
        given, challenge = query.get("hub.verify_token", ""), query.get("hub.challenge", "")
        token = self._verify_token
        if token is None or not hmac.compare_digest(token.encode(), given.encode(errors="replace")):
            raise WebhookRefused("The token of the handshake is missing or wrong.", 401)
        if query.get("hub.mode") != "subscribe" or not _CHALLENGE.fullmatch(challenge):
            raise WebhookRefused("This is not the handshake of a subscription.", 400)
        return challenge

    async def list_templates(self) -> list[Template]:
        waba_id = self._account.waba_id
        if waba_id is None:
            raise RetomaError(
                "The setting waba_id of the transport whatsapp_cloud is missing.",
                hint="Channel settings: set it to Meta's id of the account, which lists the templates.",
            )
        url = self._base / self._settings.text("version") / waba_id / "message_templates"
        return await templates.list_templates(self._http, url)

    async def read_account(self) -> Account:
        # Imported here: only a runner that asks needs it.
        from retoma.transports.whatsapp_cloud.account import read_account  # noqa: PLC0415

        number = self._account.phone_number_id
        if number is None:
            raise RetomaError(
                "The setting phone_number_id of the transport whatsapp_cloud is missing.",
                hint="Channel settings: set it to Meta's id of the sender.",
            )
        return await read_account(self._http, self._base / self._settings.text("version") / number)

    async def upload_medium(self, medium: Medium) -> str:
        # Imported here: only a runner that uploads needs it.
        from retoma.transports.whatsapp_cloud import media  # noqa: PLC0415

        url = self._base.joinpath(*self._path("media_path", "media").strip("/").split("/"))
        return await media.upload(
            url, _auth_header(self._settings), medium, self._settings.seconds("timeout_s")
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    def _require_token(self, headers: Mapping[str, str]) -> None:
        """A provider in between has no app secret to sign with: it can be told to send a header instead."""
        given = headers.get("authorization", "").encode(errors="replace")
        token = self._webhook_token
        if token is not None and not hmac.compare_digest(f"Bearer {token}".encode(), given):
            raise WebhookRefused("The token of the webhook call is missing or wrong.", 401)

    def _target(self, endpoint: str) -> str:
        """Path and query of an endpoint, from the pattern in the setting `path`."""
        return self._base.joinpath(*self._path("path", endpoint).strip("/").split("/")).raw_path_qs

    def _path(self, setting: str, endpoint: str) -> str:
        """A path from the pattern in a setting."""

        def value(match: re.Match[str]) -> str:
            if match[1] == "endpoint":
                return endpoint
            if match[1] in ("version", "phone_number_id"):
                return self._settings.text(match[1])
            raise RetomaError(
                f"The setting {setting} of the transport whatsapp_cloud names {match[0]}, which it cannot.",
                hint="Channel settings: use {version}, {phone_number_id} and {endpoint}.",
            )

        return _PLACEHOLDER.sub(value, self._settings.text(setting))


def _auth_header(settings: SettingsReader) -> dict[str, str]:
    """The setting auth_header is the name of a header, and after a colon the word before the token."""
    name, _, scheme = (settings.header("auth_header") or "").partition(":")
    if not _HEADER_NAME.fullmatch(name):
        raise RetomaError(
            "The setting auth_header of the transport whatsapp_cloud is not the name of a header.",
            hint='Channel settings: write "Authorization: Bearer", or a name alone, as in "D360-API-KEY".',
        )
    token = settings.header("access_token")
    if token is None:
        raise RetomaError(
            "The setting access_token of the transport whatsapp_cloud is missing.",
            hint="Channel settings: set it, best as env:RETOMA_SECRET_NAME.",
        )
    return {name: f"{scheme.strip()} {token}".strip()}


def _signature(headers: Mapping[str, str]) -> str:
    return headers.get("x-hub-signature-256", "").removeprefix("sha256=")
