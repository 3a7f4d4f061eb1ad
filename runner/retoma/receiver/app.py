"""The webhook receiver: takes reports of providers at `POST /hooks/<channel>` to the database.

`GET /hooks/<channel>` answers the handshake of those providers that have one.

The answer is 200 only after the commit, because providers repeat a call until they get one. Repeats and any
order are harmless: retoma.record_receipts takes care of that. A call that no repeat can heal gets a 4xx.
Each fact of a call is recorded or refused by itself: a provider that bundles reports does not part them.
"""

import asyncio
import json
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, LiteralString

import psycopg
import structlog
from aiohttp import http_exceptions, web

from retoma.errors import RetomaError
from retoma.receiver.database import Database
from retoma.receiver.door import Door, Limits, Visitor
from retoma.transports import registry
from retoma.transports.base import (
    AnswersHandshake,
    ConnectionChange,
    Fact,
    Inbound,
    Receipt,
    Refused,
    TemplateReport,
    Transport,
    WebhookRefused,
)

log = structlog.get_logger()

_MAX_BODY_BYTES = 4 * 1024 * 1024
# A body is in memory before its signature can be checked: 64 MiB in all, and few callers send long ones.
_LONG_BODY_BYTES = 64 * 1024
_LONG_BODIES_AT_ONCE = 16
# A caller that was refused before it had sent its body hears so, if it stops sending within this time.
_LINGER_S = 2
_UNKNOWN_CHANNEL = "RT001"
_BAD_VALUE = "RT003"
_REASONS_SHOWN = 10
_CALL_AGAIN = "too_many_wait"
_DATABASE: web.AppKey[Database] = web.AppKey("database", Database)
# What aiohttp raises for bad gzip, bad chunks and bad heads.
_UNREADABLE = (web.RequestPayloadError, http_exceptions.HttpProcessingError)
_BY_THE_CALLER = (*_UNREADABLE, ConnectionError)
_LONG_BODIES: web.AppKey[asyncio.Semaphore] = web.AppKey("long_bodies", asyncio.Semaphore)
_LIMITS: web.AppKey[Limits] = web.AppKey("limits", Limits)
_Item = dict[str, str | bool | None]


async def serve(
    database_url: str, host: str, port: int, limits: Limits, announce: Callable[[str], None]
) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        database_url: PostgreSQL, with the rights of retoma_runner.
        host: address to listen on.
        port: 0 takes a free one.
        limits: what callers may take.
        announce: gets the address (http://host:port) when calls are taken.

    Raises:
        RetomaError: the database cannot be worked with.
        psycopg.Error: it has no schema of Retoma.
    """
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_report)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    app = create_app(database_url, limits)
    runner = web.AppRunner(app, access_log=None, logger=_http_logger(), lingering_time=_LINGER_S)
    await runner.setup()
    checking = asyncio.create_task(app[_DATABASE].check())
    checking.add_done_callback(
        lambda check: stop.set() if not check.cancelled() and check.exception() else None
    )
    aiohttp_server, door = runner.server, Door(limits)
    assert aiohttp_server is not None  # noqa: S101 (setup has made it)
    listener = await loop.create_server(lambda: Visitor(door, aiohttp_server()), host, port)
    bound_port = listener.sockets[0].getsockname()[1]
    announce(f"http://{f'[{host}]' if ':' in host else host}:{bound_port}")
    await stop.wait()
    checking.cancel()
    listener.close()
    await runner.cleanup()
    await asyncio.wait({checking})
    if not checking.cancelled():
        checking.result()


def _report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Logs errors that no task waited for; without this, asyncio writes them between our lines of JSON."""
    log.error("task_failed", what=context["message"], exc_info=context.get("exception"))


def create_app(database_url: str, limits: Limits) -> web.Application:
    """The receiver as an aiohttp application.

    Args:
        database_url: PostgreSQL, with the rights of retoma_runner.
        limits: what callers may take; the number of connections is kept by the door.
    """

    async def database(app: web.Application) -> AsyncIterator[None]:
        async with Database(database_url) as app[_DATABASE]:
            yield

    app = web.Application(client_max_size=_MAX_BODY_BYTES, middlewares=[_watched])
    app[_LIMITS] = limits
    app[_LONG_BODIES] = asyncio.Semaphore(_LONG_BODIES_AT_ONCE)
    app.cleanup_ctx.append(database)
    app.router.add_post("/hooks/{channel}", _hook)
    app.router.add_get("/hooks/{channel}", _handshake, allow_head=False)
    return app


@web.middleware
async def _watched(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    if visitor := Visitor.of(request):
        visitor.head_arrived()
    try:
        return await handler(request)
    finally:
        if visitor := Visitor.of(request):
            visitor.wait_for_head()


async def _hook(request: web.Request) -> web.Response:
    channel = request.match_info["channel"]
    database = request.app[_DATABASE]
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        if (request.content_length or 0) > _MAX_BODY_BYTES:
            raise WebhookRefused(f"A call has {_MAX_BODY_BYTES} bytes at most.", 413)
        transport = await _transport(database, channel)
        # Before the body is read: a caller without a signature costs one query, and no megabyte.
        transport.require_signature(headers)
        facts = transport.parse_webhook(headers, await _body(request))
        reasons = await _record(database, channel, facts)
    except WebhookRefused as refused:
        log.warning("webhook_refused", channel=channel, reason=refused.message)
        return _answer(refused.http_status, {"error": refused.message})
    except psycopg.Error as error:
        return _answer_to_error(channel, error)
    except RetomaError as error:
        log.error("channel_not_usable", channel=channel, reason=error.message)
        return _answer(503, {"error": "not recorded; call again"})
    return _answer_to_facts(channel, facts, reasons)


async def _handshake(request: web.Request) -> web.Response:
    """The question of some providers, before they call, whether the address is meant for them."""
    channel = request.match_info["channel"]
    try:
        transport = await _transport(request.app[_DATABASE], channel)
        if not isinstance(transport, AnswersHandshake):
            raise WebhookRefused("The provider of this channel has no handshake.", 405)
        answer = transport.answer_handshake(request.query)
    except WebhookRefused as refused:
        log.warning("handshake_refused", channel=channel, reason=refused.message)
        return _answer(refused.http_status, {"error": refused.message})
    except psycopg.Error as error:
        return _answer_to_error(channel, error)
    except RetomaError as error:
        log.error("channel_not_usable", channel=channel, reason=error.message)
        return _answer(503, {"error": "not usable; call again"})
    return web.Response(text=answer, headers={"X-Content-Type-Options": "nosniff"})


def _answer_to_error(channel: str, error: psycopg.Error) -> web.Response:
    if error.sqlstate == _UNKNOWN_CHANNEL:
        return _answer(404, {"error": "there is no such channel"})
    if reason := _refusal(error):
        log.warning("webhook_refused", channel=channel, sqlstate=error.sqlstate)
        return _answer(400, {"error": reason})
    log.error("webhook_not_recorded", channel=channel, sqlstate=error.sqlstate)
    return _answer(503, {"error": "not recorded; call again"})


def _answer_to_facts(channel: str, facts: list[Fact], reasons: list[str]) -> web.Response:
    if reasons:
        # The words may hold a number: they are for the caller only.
        log.warning("facts_refused", channel=channel, refused=len(reasons), of=len(facts))
    if reasons and len(reasons) == len(facts):
        return _answer(400, {"error": reasons[0]})
    refused_facts = {"refused": len(reasons), "errors": reasons[:_REASONS_SHOWN]} if reasons else {}
    return _answer(200, {"facts": len(facts) - len(reasons), **refused_facts})


async def _body(request: web.Request) -> bytes:
    # Its length is known, and is what is held in memory, only when it is neither compressed nor in chunks.
    known = request.content_length if "Content-Encoding" not in request.headers else None
    if known is not None and known <= _LONG_BODY_BYTES:
        return await _read(request)
    long_bodies = request.app[_LONG_BODIES]
    if long_bodies.locked():
        raise WebhookRefused("Too many long calls at once; call again.", 503)
    async with long_bodies:
        return await _read(request)


async def _read(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(request.app[_LIMITS].body_timeout_s):
            return await request.read()
    except TimeoutError:
        raise WebhookRefused("The body of the webhook call did not arrive in time.", 408) from None
    except web.HTTPRequestEntityTooLarge:
        raise WebhookRefused(f"A call has {_MAX_BODY_BYTES} bytes at most.", 413) from None
    except _UNREADABLE:
        raise WebhookRefused("The body of the webhook call cannot be decoded.", 400) from None
    except ConnectionError:
        raise WebhookRefused("The caller went away.", 400) from None


def _answer(status: int, facts: dict[str, object]) -> web.Response:
    response = web.json_response(facts, status=status)
    if status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.UNAUTHORIZED, HTTPStatus.REQUEST_ENTITY_TOO_LARGE):
        response.force_close()
    return response


async def _transport(database: Database, channel: str) -> Transport:
    # Read at every call, so that a new secret counts at once. It connects to nothing until it sends.
    row = await database.run("select transport, settings from retoma.channel_settings(%s)", (channel,))
    if row is None:
        raise RetomaError(f"The channel {channel} has no settings.")
    return registry.create(*row)


async def _record(database: Database, channel: str, facts: list[Fact]) -> list[str]:
    """Records each fact by itself; returns why facts were refused."""
    reasons = [fact.reason for fact in facts if isinstance(fact, Refused)]
    receipts = [fact for fact in facts if isinstance(fact, Receipt)]
    replies = [_reply_json(fact) for fact in facts if isinstance(fact, Inbound)]
    reasons += await _record_receipts(database, channel, receipts)
    reasons += await _record_replies(database, channel, replies)
    reports = [asdict(fact) for fact in facts if isinstance(fact, TemplateReport)]
    if reports:
        statement: LiteralString = "select retoma.record_template_reports(%s, %s)"
        await database.run(statement, (channel, json.dumps(reports)))
    for fact in facts:
        if isinstance(fact, ConnectionChange) and fact.connected:
            await database.run("select retoma.channel_connected(%s, %s)", (channel, _time(fact.at)))
        elif isinstance(fact, ConnectionChange):
            statement = "select retoma.channel_disconnected(%s, %s, %s)"
            await database.run(statement, (channel, fact.reason, _time(fact.at)))
    return reasons


async def _record_receipts(database: Database, channel: str, receipts: list[Receipt]) -> list[str]:
    storable = [receipt for receipt in receipts if _is_storable(receipt)]
    reasons = ["A receipt is refused: one of its texts has characters that no text has."] * (
        len(receipts) - len(storable)
    )
    if not storable:
        return reasons
    document = json.dumps([_receipt_json(receipt) for receipt in storable])
    row = await database.run("select refused from retoma.record_receipts(%s, %s)", (channel, document))
    refused = [] if row is None else row[0]
    if any(item["key"] == _CALL_AGAIN for item in refused):
        # A repeat heals this one, and does no harm to the others.
        raise WebhookRefused("Not recorded; call again.", 503)
    return reasons + [f"A receipt is refused: {item['reason']}." for item in refused]


async def _record_replies(database: Database, channel: str, replies: Sequence[_Item]) -> list[str]:
    if not replies:
        return []
    statement: LiteralString = """
        select jsonb_agg(to_jsonb(r) order by r.reply_id) from retoma.record_inbound(%s, %s) as r
    """
    try:
        row = await database.run(statement, (channel, json.dumps(replies)))
    except psycopg.Error as error:
        reason = _refusal_or_raise(error)
        if len(replies) == 1:
            return [reason]
        # The database refuses all for one. Halves find it in few calls; each is a transaction of its own,
        # because one that calls twice could lock rows in an order that another does not have.
        middle = len(replies) // 2
        return [
            *await _record_replies(database, channel, replies[:middle]),
            *await _record_replies(database, channel, replies[middle:]),
        ]
    for waiting in (row and row[0]) or []:
        log.warning("reply_waits_for_a_person", channel=channel, **waiting)
    return []


def _refusal(error: psycopg.Error) -> str | None:
    """Why a value is refused; None when something else went wrong, which a repeat may heal."""
    if error.sqlstate != _BAD_VALUE and not isinstance(error, psycopg.DataError):
        return None
    return f"A value is refused: {error.diag.message_primary or error}."


def _refusal_or_raise(error: psycopg.Error) -> str:
    reason = _refusal(error)
    if reason is None:
        raise error
    return reason


def _is_storable(receipt: Receipt) -> bool:
    # PostgreSQL refuses a document with NUL or half a surrogate pair as a whole.
    text = "".join(part or "" for part in (receipt.message_id, receipt.provider_id, receipt.code))
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _receipt_json(receipt: Receipt) -> _Item:
    return {
        "message_id": receipt.message_id,
        "provider_id": receipt.provider_id,
        "status": receipt.status,
        "code": receipt.code,
        "at": _time(receipt.at),
    }


def _reply_json(reply: Inbound) -> _Item:
    return {
        "phone": reply.phone,
        "address": reply.address,
        "text": reply.text,
        "button": reply.button,
        "opts_out": reply.opts_out,
        "provider_id": reply.provider_id,
        "at": _time(reply.at),
    }


def _time(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat()


def _http_logger() -> logging.Logger:
    """What aiohttp says, as lines of our log: what a caller did wrong is one line without a traceback."""
    logger = logging.getLogger("retoma.receiver.http")
    logger.propagate = False
    logger.handlers = [_ToOurLog(logging.INFO)]
    return logger


class _ToOurLog(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, _BY_THE_CALLER):
            log.info("call_not_understood", reason=type(error).__name__)
        else:
            log.error("call_failed", reason=record.getMessage(), exc_info=error)
