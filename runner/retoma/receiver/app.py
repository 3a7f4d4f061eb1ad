"""The webhook receiver: takes reports of providers at `POST /hooks/<channel>` to the database.

The answer is 200 only after the commit, because providers repeat a call until they get one. Repeats and any
order are harmless: retoma.record_receipts takes care of that. A call that no repeat can heal gets a 4xx.
"""

import asyncio
import json
import signal
import unicodedata
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import psycopg
import structlog
from aiohttp import web
from psycopg_pool import AsyncConnectionPool

from retoma.errors import RetomaError
from retoma.transports import registry
from retoma.transports.base import ConnectionChange, Fact, Inbound, Receipt, Transport, WebhookRefused

log = structlog.get_logger()

_MAX_BODY_BYTES = 4 * 1024 * 1024
_UNKNOWN_CHANNEL = "RT001"
_BAD_VALUE = "RT003"
_OPT_OUT_WORDS = {"stop", "sair", "parar", "cancelar", "descadastrar"}
_POOL: web.AppKey[AsyncConnectionPool] = web.AppKey("pool", AsyncConnectionPool)


async def serve(database_url: str, host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        database_url: PostgreSQL, with the rights of retoma_runner.
        host: address to listen on.
        port: 0 takes a free one.
        announce: gets the address (http://host:port) when calls are taken.
    """
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = web.AppRunner(create_app(database_url))
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    bound_port = runner.addresses[0][1]
    announce(f"http://{f'[{host}]' if ':' in host else host}:{bound_port}")
    await stop.wait()
    await runner.cleanup()


def create_app(database_url: str) -> web.Application:
    """The receiver as an aiohttp application.

    Args:
        database_url: PostgreSQL, with the rights of retoma_runner.
    """

    async def pool(app: web.Application) -> AsyncIterator[None]:
        async with AsyncConnectionPool(database_url, min_size=1, max_size=4, open=False) as app[_POOL]:
            yield

    app = web.Application(client_max_size=_MAX_BODY_BYTES)
    app.cleanup_ctx.append(pool)
    app.router.add_post("/hooks/{channel}", _hook)
    return app


def wants_out(text: str) -> bool:
    """Whether an inbound text is one of the opt-out words, in any case and with or without accents."""
    plain = unicodedata.normalize("NFKD", text.strip().casefold())
    return "".join(c for c in plain if not unicodedata.combining(c)).rstrip(".!") in _OPT_OUT_WORDS


async def _hook(request: web.Request) -> web.Response:
    channel = request.match_info["channel"]
    headers = {name.lower(): value for name, value in request.headers.items()}
    body = await request.read()
    try:
        async with request.app[_POOL].connection() as connection:
            facts = (await _transport(connection, channel)).parse_webhook(headers, body)
            await _record(connection, channel, facts)
    except WebhookRefused as refused:
        log.warning("webhook_refused", channel=channel, reason=refused.message)
        return web.json_response({"error": refused.message}, status=refused.http_status)
    except psycopg.Error as error:
        if error.sqlstate == _UNKNOWN_CHANNEL:
            return web.json_response({"error": "there is no such channel"}, status=404)
        if error.sqlstate == _BAD_VALUE or isinstance(error, psycopg.DataError):
            reason = f"A value is refused: {error.diag.message_primary or error}."
            # The words may hold a number: they are for the caller only.
            log.warning("webhook_refused", channel=channel, sqlstate=error.sqlstate)
            return web.json_response({"error": reason}, status=400)
        log.error("webhook_not_recorded", channel=channel, sqlstate=error.sqlstate)
        return web.json_response({"error": "not recorded; call again"}, status=503)
    except RetomaError as error:
        log.error("channel_not_usable", channel=channel, reason=error.message)
        return web.json_response({"error": "not recorded; call again"}, status=503)
    return web.json_response({"facts": len(facts)})


async def _transport(connection: psycopg.AsyncConnection, channel: str) -> Transport:
    # Read at every call, so that a new secret counts at once. It connects to nothing until it sends.
    query = "select transport, settings from retoma.channel_settings(%s)"
    row = await (await connection.execute(query, (channel,))).fetchone()
    if row is None:
        raise RetomaError(f"The channel {channel} has no settings.")
    return registry.create(*row)


async def _record(connection: psycopg.AsyncConnection, channel: str, facts: list[Fact]) -> None:
    receipts = [_receipt_json(fact) for fact in facts if isinstance(fact, Receipt)]
    if receipts:
        await connection.execute("select retoma.record_receipts(%s, %s)", (channel, json.dumps(receipts)))
    for fact in facts:
        if isinstance(fact, ConnectionChange) and fact.connected:
            await connection.execute("select retoma.channel_connected(%s)", (channel,))
        elif isinstance(fact, ConnectionChange):
            await connection.execute("select retoma.channel_disconnected(%s, %s)", (channel, fact.reason))
        elif isinstance(fact, Inbound) and wants_out(fact.text):
            await _opt_out(connection, channel, fact)


async def _opt_out(connection: psycopg.AsyncConnection, channel: str, reply: Inbound) -> None:
    if reply.phone is None:
        log.error("opt_out_without_number", channel=channel, provider_id=reply.provider_id)
        return
    await connection.execute("select retoma.opt_out(%s, %s)", (reply.phone, f"reply on {channel}"))


def _receipt_json(receipt: Receipt) -> dict[str, str | None]:
    return {
        "message_id": receipt.message_id,
        "provider_id": receipt.provider_id,
        "status": receipt.status,
        "code": receipt.code,
        "at": None if receipt.at is None else datetime.fromtimestamp(receipt.at, UTC).isoformat(),
    }
