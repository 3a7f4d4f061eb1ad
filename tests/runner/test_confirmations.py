"""A runner sends the confirmation of an opt-out once, and says what came of it."""

import asyncio
import json
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from retoma.runner.calls import Database
from retoma.runner.confirmations import send_confirmations
from tests.support.campaigns import Db, make_channel, make_runner
from tests.support.gateways import Gateway, gateway
from tests.support.waiting import PATIENT_S, wait_until

TEXT = "Você não recebe mais mensagens."
STATES = "select state, why from retoma.v_confirmation"


async def run_until(db: Db, database: str, runner: UUID, wanted: list[Any]) -> None:
    stop = asyncio.Event()
    pool = Database(database, 1, stop)
    await pool.open()
    part = asyncio.create_task(send_confirmations(pool, runner, stop))
    await asyncio.to_thread(wait_until, lambda: db.execute(STATES).fetchall() == wanted)
    stop.set()
    await asyncio.wait_for(part, PATIENT_S)
    await pool.close()


def opt_out(db: Db, server: Gateway, **settings: object) -> None:
    given = {"url": f"{server.url}/in", "opt_out_confirmation": TEXT, **settings}
    make_channel(db, "sales", "webhook", given)
    reply = {"phone": "+5511955501234", "text": "SAIR"}
    db.execute("select * from retoma.record_inbound('sales', %s)", [Jsonb([reply])])


async def test_it_is_sent_as_a_text_under_an_id_of_its_own(db: Db, database: str) -> None:
    async with gateway() as server:
        server.answer("/in", {})
        opt_out(db, server)
        await run_until(db, database, make_runner(db), [("sent", None)])

    (asked,) = server.asked
    body = json.dumps(asked.body, ensure_ascii=False)
    assert TEXT in body
    assert "+5511955501234" in body
    (row,) = db.execute("select message_id from retoma.v_confirmation").fetchall()
    assert asked.headers["idempotency-key"] == row[0]


async def test_an_answer_that_proves_nothing_is_in_doubt_and_not_repeated(db: Db, database: str) -> None:
    async with gateway() as server:
        server.answer("/in", {}, status=500)
        opt_out(db, server)
        await run_until(db, database, make_runner(db), [("in_doubt", "http_500")])
        await run_until(db, database, make_runner(db), [("in_doubt", "http_500")])

    assert len(server.asked) == 1


async def test_a_runner_without_the_secret_of_the_channel_leaves_it_to_others(db: Db, database: str) -> None:
    async with gateway() as server:
        opt_out(db, server, secret="env:RETOMA_SECRET_ELSEWHERE")
        runner = make_runner(db)
        await run_until(db, database, runner, [("failed", "not_attempted")])

    refusals = db.execute("select runner_id from retoma_internal.channel_refusal").fetchall()
    assert (refusals, server.asked) == ([(runner,)], [])
