"""A runner asks providers for their templates, and a campaign of a template follows what they say."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from retoma.runner.readings import TEMPLATES
from tests.support.campaigns import Db, call, make_channel
from tests.support.readings import reading_part
from tests.support.waiting import wait_until
from tests.transports.scripted_server import ScriptedServer, scripted

SHOWN = "select template, status, fault from retoma.v_template order by template"


def lists(status: int, document: Any) -> Callable[[ScriptedServer, Any, Any], Awaitable[None]]:
    body = json.dumps(document).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()

    async def answer(server: ScriptedServer, reader: Any, writer: Any) -> None:
        await server.answer(reader, writer, head + body)

    return answer


async def until(db: Db, query: str, wanted: list[Any]) -> None:
    await asyncio.to_thread(wait_until, lambda: db.execute(query).fetchall() == wanted)


def settings(url: str) -> dict[str, object]:
    return {"base_url": url, "phone_number_id": "104", "waba_id": "900", "access_token": "a token"}


async def test_a_list_is_recorded_and_a_campaign_can_be_judged_by_it(db: Db, database: str) -> None:
    page = {"data": [{"name": "aviso", "language": "pt_BR", "status": "PAUSED", "components": []}]}
    async with scripted(lists(200, page)) as server, reading_part(database, TEMPLATES):
        make_channel(db, "sales", "whatsapp_cloud", settings(server.url))
        # The next look of a runner is 15 seconds away: so it begins anew.
        async with reading_part(database, TEMPLATES):
            await until(db, SHOWN, [("aviso", "PAUSED", None)])

    assert server.headers["authorization"] == "Bearer a token"
    content = {"kind": "template", "name": "aviso", "language": "pt_BR"}
    db.execute("select retoma.create_campaign('entrega', 'sales', p_content => %s)", [Jsonb(content)])
    db.execute("select retoma.add_recipients('entrega', '[{\"phone\": \"+5511955501234\"}]')")
    try:
        call(db, "select retoma.start_campaign('entrega')")
    except psycopg.Error as error:
        assert error.diag.constraint_name == "template_refused"  # noqa: PT017
    else:
        raise AssertionError("a paused template was started")


async def test_why_there_is_no_list_is_shown_and_the_next_channel_has_its_turn(db: Db, database: str) -> None:
    page = {"data": [{"name": "aviso", "language": "pt_BR", "status": "APPROVED"}]}
    expired = {"error": {"code": 190, "message": "expired: a token"}}
    async with scripted(lists(200, page)) as good, scripted(lists(401, expired)) as bad:
        make_channel(db, "bad", "whatsapp_cloud", settings(bad.url))
        make_channel(db, "worse", "whatsapp_cloud", settings(bad.url) | {"waba_id": None})
        make_channel(db, "good", "whatsapp_cloud", settings(good.url))
        async with reading_part(database, TEMPLATES):
            await until(db, "select count(*) from retoma.v_template where fault is null", [(1,)])
            await until(
                db,
                "select channel, template, fault from retoma.v_template where fault <> '' order by channel",
                [
                    ("bad", None, "The provider gives no list of templates (cloud_190)."),
                    ("worse", None, "The setting waba_id of the transport whatsapp_cloud is missing."),
                ],
            )
