"""The webhook receiver: takes reports of providers at `POST /hooks/<channel>` to the database.

`GET /hooks/<channel>` answers the handshake of those providers that have one.

The answer is 200 only after the commit, because providers repeat a call until they get one. Repeats and any
order are harmless: retoma.record_receipts takes care of that. A call that no repeat can heal gets a 4xx.
Each fact of a call is recorded or refused by itself: a provider that bundles reports does not part them.
Calls that come together are recorded in one transaction.
"""

import asyncio
import json
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from typing import Any

import psycopg
import structlog
from aiohttp import http_exceptions, web

from retoma.errors import RetomaError
from retoma.receiver.channels import Channels
from retoma.receiver.database import Database
from retoma.receiver.door import Door, Limits, Visitor
from retoma.receiver.recording import Recorder, refusal
from retoma.transports.base import AnswersHandshake, Fact, WebhookRefused

log = structlog.get_logger()

_MAX_BODY_BYTES = 4 * 1024 * 1024
# A body is in memory before its signature can be checked: 64 MiB in all, and few callers send long ones.
_LONG_BODY_BYTES = 64 * 1024
_LONG_BODIES_AT_ONCE = 16
# A caller that was refused before it had sent its body hears so, if it stops sending within this time.
_LINGER_S = 2
_UNKNOWN_CHANNEL = "RT001"
_REASONS_SHOWN = 10
_DATABASE: web.AppKey[Database] = web.AppKey("database", Database)
# What aiohttp raises for bad gzip, bad chunks and bad heads.
_UNREADABLE = (web.RequestPayloadError, http_exceptions.HttpProcessingError)
_BY_THE_CALLER = (*_UNREADABLE, ConnectionError)
_LONG_BODIES: web.AppKey[asyncio.Semaphore] = web.AppKey("long_bodies", asyncio.Semaphore)
_CHANNELS: web.AppKey[Channels] = web.AppKey("channels", Channels)
_RECORDER: web.AppKey[Recorder] = web.AppKey("recorder", Recorder)
_LIMITS: web.AppKey[Limits] = web.AppKey("limits", Limits)


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
            app[_CHANNELS] = Channels(app[_DATABASE])
            app[_RECORDER] = Recorder(app[_DATABASE])
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
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        if (request.content_length or 0) > _MAX_BODY_BYTES:
            raise WebhookRefused(f"A call has {_MAX_BODY_BYTES} bytes at most.", 413)
        transport = await request.app[_CHANNELS].transport(channel)
        # Before the body is read: a caller without a signature costs one query, and no megabyte.
        transport.require_signature(headers)
        facts = transport.parse_webhook(headers, await _body(request))
        reasons = await request.app[_RECORDER].record(channel, facts)
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
        transport = await request.app[_CHANNELS].transport(channel)
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
    if reason := refusal(error):
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
        if request.content.is_eof():
            # It came with the head: nothing is waited for.
            return await request.read()
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
    response = web.Response(body=json.dumps(facts).encode(), status=status, content_type="application/json")
    if status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.UNAUTHORIZED, HTTPStatus.REQUEST_ENTITY_TOO_LARGE):
        response.force_close()
    return response


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
