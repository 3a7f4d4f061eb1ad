"""The sandbox's HTTP server: the providers' addresses, and under /_sandbox its own.

    POST   /waha/api/sendText, sendImage, sendFile, …           send
    GET    /waha/api/sessions/{session}                         status of a session
    GET    /waha/api/{session}/chats/{chat}/messages/{id}       lookup
    GET    /waha/api/contacts/check-exists?phone=&session=      address of a number
    POST   /cloud/{version}/{phone number id}/{endpoint}        send, as the WhatsApp Cloud API
    GET    /cloud/{version}/{phone number id}                   state and limits of a number
    GET    /cloud/{version}/{account id}/message_templates      templates, see templates.py
    POST   /cloud/{version}/{phone number id}/media             upload (the id is made from the bytes)
    POST   /evolution/message/{call}/{instance}                 send, as Evolution API
    POST   /evolution/chat/{call}/{instance}                    lookup, address of a number
    POST   /evolution_go/send/{call}                            send, as Evolution GO (apikey: the channel)
    POST   /evolution_go/message/status, user/check             lookup, address of a number
    POST   /webhook/{channel}[?idempotent=1]                    send
    GET    /webhook/{channel}/{id}                              lookup

    GET    /_sandbox/summary, /_sandbox/ledger                  what was taken (JSON; JSON Lines)
    POST   /_sandbox/faults (DELETE clears)                     see faults.py
    POST   /_sandbox/receipts (DELETE stops)                    see receipts.py
    POST   /_sandbox/templates                                  see templates.py
    PUT    /_sandbox/sessions/{session}                         {"status": "WORKING"}
    PUT    /_sandbox/numbers/{phone number id}                  {"status": "FLAGGED"}: what is to be another

Each request is in the ledger before its answer leaves.
"""

import asyncio
import json
import random
from collections.abc import Collection, Mapping
from urllib.parse import unquote

from aiohttp import web

from retoma.errors import RetomaError
from retoma.rehearsal.sandbox import (
    cloud_media,
    dialects,
    evolution,
    faults,
    receipts,
    templates,
)
from retoma.rehearsal.sandbox.dialects import BadRequest
from retoma.rehearsal.sandbox.ledger import Delivery, Ledger

_STALL_S = 600.0

_NUMBER: Mapping[str, object] = {
    "status": "CONNECTED",
    "quality_rating": "GREEN",
    "throughput": {"level": "STANDARD"},
    "whatsapp_business_manager_messaging_limit": "TIER_UNLIMITED",
    "health_status": {"can_send_message": "AVAILABLE"},
}


class Sandbox:
    """The state of one sandbox: its ledger, its faults, its sessions. `handle` answers one request.

    Args:
        ledger: where deliveries are recorded.
        idempotent: whether every webhook channel dedupes, also without ?idempotent=1.
        ignores_ids: sessions of WAHA and instances of Evolution that ignore our ids.
        api_key: what X-Api-Key must carry on the WAHA addresses; None for anything.
        seed: of everything random, so that a drill can be repeated.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        idempotent: bool,
        ignores_ids: Collection[str] = (),
        api_key: str | None,
        seed: int,
    ) -> None:
        self._ledger = ledger
        self._idempotent = idempotent
        self._ignores_ids = frozenset(ignores_ids)
        self._api_key = api_key
        self._rng = random.Random(seed)
        self._rules: list[faults.Rule] = []
        self._sessions: dict[str, str] = {}
        self._reporter: receipts.Reporter | None = None
        self._templates: list[Mapping[str, object]] = []
        self._numbers: dict[str, Mapping[str, object]] = {}

    def set_templates(self, document: object) -> None:
        """Replace all templates. Raises RetomaError for a list that is refused, and keeps the old one."""
        self._templates = templates.parse(document)

    def set_faults(self, document: object) -> None:
        """Replace all faults. Raises RetomaError for rules that are refused, and keeps the old ones."""
        self._rules = faults.parse(document)

    async def set_receipts(self, document: object | None) -> None:
        """Replace the plan for receipts; None stops them. Raises RetomaError for a plan that is refused."""
        plan = None if document is None else receipts.parse(document)
        if self._reporter is not None:
            await self._reporter.aclose()
        self._reporter = None if plan is None else receipts.Reporter(plan, self._rng)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:  # noqa: PLR0911 - one a route
        """Answer one request; errors of the caller become 400 with the reason."""
        parts = [unquote(part) for part in request.rel_url.raw_path.strip("/").split("/")]
        try:
            match request.method, *parts:
                case "POST", "waha", "api", call if call.startswith("send"):
                    return await self._send_waha(request, call)
                case "POST", ("evolution" | "evolution_go") as dialect, *rest if rest:
                    return await self._evolution(request, dialect, rest)
                case "POST", "cloud", _, number, ("messages" | "marketing_messages"):
                    return await self._send_cloud(request, number)
                case "GET", "cloud", _, _, "message_templates":
                    url = request.rel_url
                    return _json(200, templates.page(self._templates, url.path, url.query))
                case "GET", "cloud", _, number:
                    return _json(200, {"id": number, **_NUMBER, **self._numbers.get(number, {})})
                case "POST", "cloud", _, _, "media":
                    return _json(*await cloud_media.take(request))
                case "POST", "webhook", channel:
                    return await self._send_webhook(request, channel)
                case _, "waha", "api", *rest:
                    return self._waha(request, rest)
                case "GET", "webhook", channel, message_id:
                    return _found(self._ledger.contains("webhook", channel, message_id), message_id)
                case method, "_sandbox", *rest:
                    return await self._control(request, method, rest)
        except BadRequest as error:
            return _json(400, {"statusCode": 400, "message": str(error)})
        except RetomaError as error:
            return _json(400, {"error": error.message, "hint": error.hint})
        return _json(404, {"statusCode": 404, "message": f"Cannot {request.method} {request.rel_url.path}"})

    async def aclose(self) -> None:
        await self.set_receipts(None)
        self._ledger.close()

    async def _evolution(self, request: web.BaseRequest, dialect: str, parts: list[str]) -> web.Response:
        # Evolution API names the instance in the path, Evolution GO by its token.
        channel = parts.pop() if dialect == evolution.API else request.headers.get("apikey", "")
        body = await request.read()
        match parts:
            case ("message", str()) if dialect == evolution.API:
                return await self._take(request, evolution.read(dialect, channel, body, self._ignores_ids))
            case ("send", str()):
                return await self._take(request, evolution.read(dialect, channel, body, self._ignores_ids))
            case ("chat", "findMessages") | ("message", "status"):
                identifier = evolution.asked_id(dialect, body)
                is_here = channel not in self._ignores_ids and self._ledger.contains(
                    dialect, channel, dialects.waha_message_id(identifier)
                )
                return _json(200, evolution.found(dialect, identifier, is_here=is_here))
            case ("chat", "whatsappNumbers") | ("user", "check"):
                return _json(200, evolution.checked(dialect, body))
        return _json(404, {"status": 404, "error": "Not Found"})

    async def _send_waha(self, request: web.BaseRequest, call: str) -> web.Response:
        delivery = dialects.read_waha(call, await request.read(), self._ignores_ids)
        if not self._authorised(request):
            return self._refuse(delivery, 401, {"statusCode": 401, "message": "Unauthorized"})
        return await self._take(request, delivery)

    async def _send_cloud(self, request: web.BaseRequest, number: str) -> web.Response:
        body = await request.read()
        delivery = dialects.read_cloud(number, body)
        error = templates.refusal(self._templates, dialects.read_object(body))
        return await self._take(request, delivery) if error is None else self._refuse(delivery, 400, error)

    async def _send_webhook(self, request: web.BaseRequest, channel: str) -> web.Response:
        delivery = dialects.read_webhook(
            channel,
            await request.read(),
            request.headers.get("Idempotency-Key"),
            self._idempotent or request.rel_url.query.get("idempotent") == "1",
        )
        return await self._take(request, delivery)

    async def _take(self, request: web.BaseRequest, delivery: Delivery) -> web.Response:
        rule = self._rule_for(delivery)
        if rule is not None and rule.do == "session":
            self._set_session(delivery.channel, rule.session_status)
        status = self._sessions.get(delivery.channel, "WORKING") if delivery.dialect == "waha" else "WORKING"
        if status != "WORKING":
            return self._refuse(delivery, 422, dialects.waha_session_down(delivery.channel, status))
        if rule is None:
            return self._accept(delivery)
        return await self._misbehave(request, delivery, rule)

    async def _misbehave(
        self, request: web.BaseRequest, delivery: Delivery, rule: faults.Rule
    ) -> web.Response:
        if rule.do == "drop_before_accept":
            return _cut(request)
        if rule.do == "stall":
            await asyncio.sleep(_STALL_S)
            return _cut(request)
        if rule.do == "status":
            response = self._refuse(delivery, rule.status, rule.body or {"statusCode": rule.status})
        elif rule.do == "rate_limit":
            response = self._refuse(delivery, 429, {"statusCode": 429})
            response.headers["Retry-After"] = str(rule.retry_after_s)
        elif rule.do == "refuse_later":
            response = self._withdraw(delivery, rule.error)
        else:
            response = self._accept(delivery)
        if rule.do == "lie":
            response = _json(rule.status, rule.body or {"statusCode": rule.status})
        await asyncio.sleep(rule.latency_s(self._rng))
        return _cut(request) if rule.do == "accept_then_drop" else response

    def _rule_for(self, delivery: Delivery) -> faults.Rule | None:
        where = delivery.dialect, delivery.channel, delivery.to
        return next((rule for rule in self._rules if rule.applies(*where, self._rng)), None)

    def _accept(self, delivery: Delivery) -> web.Response:
        kind = self._ledger.accept(delivery)
        if self._reporter is not None and kind != "repeat":
            self._reporter.report(delivery)
        return _taken(delivery)

    def _withdraw(self, delivery: Delivery, error: str) -> web.Response:
        if self._ledger.contains(delivery.dialect, delivery.channel, delivery.identity):
            return self._accept(delivery)  # what has arrived cannot fail any more
        self._ledger.withdraw(delivery, error)
        if self._reporter is not None:
            self._reporter.report_failure(delivery, error)
        return _taken(delivery)

    def _refuse(self, delivery: Delivery, status: int, body: Mapping[str, object]) -> web.Response:
        self._ledger.refuse(delivery, f"http_{status}")
        return _json(status, body)

    def _waha(self, request: web.BaseRequest, parts: list[str]) -> web.Response:
        if not self._authorised(request):
            return _json(401, {"statusCode": 401, "message": "Unauthorized"})
        match request.method, *parts:
            case "GET", "sessions", session:
                return _json(200, {"name": session, "status": self._sessions.get(session, "WORKING")})
            case "GET", "contacts", "check-exists":
                phone = request.rel_url.query.get("phone", "").lstrip("+")
                return _json(200, {"numberExists": True, "chatId": f"{phone}@c.us"})
            case "GET", session, "chats", _, "messages", identifier:
                found = session not in self._ignores_ids and self._ledger.contains(
                    "waha", session, dialects.waha_message_id(identifier)
                )
                return _found(found, identifier)
        return _json(404, {"statusCode": 404, "message": f"Cannot {request.method} {request.rel_url.path}"})

    async def _control(  # noqa: PLR0911 - one return a route
        self, request: web.BaseRequest, method: str, parts: list[str]
    ) -> web.StreamResponse:
        match method, *parts:
            case "GET", "summary":
                outstanding = 0 if self._reporter is None else self._reporter.outstanding
                return _json(200, {**self._ledger.summary(), "receipts_outstanding": outstanding})
            case "GET", "ledger":
                return web.FileResponse(self._ledger.path, headers={"Content-Type": "application/x-ndjson"})
            case "POST", "faults":
                self.set_faults(_document(await request.read()))
                return _json(200, {"rules": len(self._rules)})
            case "DELETE", "faults":
                self._rules = []
                return _json(200, {"rules": 0})
            case "POST", "receipts":
                await self.set_receipts(_document(await request.read()))
                return _json(200, {})
            case "POST", "templates":
                self.set_templates(_document(await request.read()))
                return _json(200, {"templates": len(self._templates)})
            case "DELETE", "receipts":
                await self.set_receipts(None)
                return _json(200, {})
            case "PUT", "sessions", session:
                document = _document(await request.read())
                status = document.get("status") if isinstance(document, dict) else None
                if not isinstance(status, str):
                    raise BadRequest("status is missing or not a text")
                self._set_session(session, status)
                return _json(200, {"name": session, "status": status})
            case "PUT", "numbers", number:
                self._numbers[number] = dialects.read_object(await request.read())
                return _json(200, {"id": number})
        return _json(404, {"error": "no such control", "hint": "See pydoc retoma.rehearsal.sandbox.app."})

    def _set_session(self, session: str, status: str) -> None:
        if self._sessions.get(session, "WORKING") != status and self._reporter is not None:
            self._reporter.report_session(session, status)
        self._sessions[session] = status

    def _authorised(self, request: web.BaseRequest) -> bool:
        return self._api_key is None or request.headers.get("X-Api-Key") == self._api_key


async def listen(sandbox: Sandbox, host: str, port: int) -> tuple[web.ServerRunner, int]:
    """Serve on host and port (0 for a free one); returns the runner, to be cleaned up, and the port."""
    runner = web.ServerRunner(web.Server(sandbox.handle, access_log=None))
    await runner.setup()
    # A runner opens hundreds of connections at once; what overflows the backlog waits a second.
    await web.TCPSite(runner, host, port, shutdown_timeout=0, backlog=4096).start()
    return runner, runner.addresses[0][1]


def _document(body: bytes) -> object:
    try:
        document: object = json.loads(body)
    except ValueError as error:
        raise BadRequest("the body is not JSON") from error
    return document


def _json(status: int, body: object) -> web.Response:
    return web.Response(status=status, body=json.dumps(body).encode(), content_type="application/json")


def _taken(delivery: Delivery) -> web.Response:
    if delivery.dialect == "waha":
        return _json(201, dialects.waha_accepted(delivery))
    if delivery.dialect == "whatsapp_cloud":
        return _json(200, dialects.cloud_accepted(delivery))
    if delivery.dialect in (evolution.API, evolution.GO):
        return _json(201 if delivery.dialect == evolution.API else 200, evolution.accepted(delivery))
    return _json(202, {"id": delivery.message_id})


def _found(found: bool, identifier: str) -> web.Response:
    if found:
        return _json(200, {"id": identifier})
    return _json(404, {"statusCode": 404, "message": "Message not found"})


def _cut(request: web.BaseRequest) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    # aiohttp wants an answer to write; the connection for it is gone.
    return web.Response(status=500)
