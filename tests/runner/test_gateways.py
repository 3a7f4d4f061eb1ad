"""Campaigns through the gateways to WhatsApp Web, whose servers take our ids, or do not and do not say so."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg.types.json import Jsonb

from tests.runner.conftest import GAPS, World
from tests.support.campaigns import Db, call
from tests.support.runners import Runners
from tests.support.sandbox_process import SandboxProcess, start_sandbox
from tests.support.waiting import PATIENT_S

TEXT: dict[str, object] = {"kind": "text", "text": "Olá {{ name }}"}
IMAGE = {
    "kind": "image",
    "media": {"link": "https://files.example/{{ name }}.png"},
    "caption": "Olá {{ name }}",
}


def channel(db: Db, sandbox: SandboxProcess, transport: str) -> None:
    """The channel sales, of which the sandbox knows each transport by the same name."""
    named = {"waha": "session", "evolution": "instance", "evolution_go": "api_key"}[transport]
    engine = {"engine": "GOWS"} if transport == "waha" else {}
    pacing = dict(zip(GAPS, (0.01, 0.02, 0, 0), strict=True))
    address = {"base_url": f"{sandbox.url}/{transport}", "timeout_s": PATIENT_S}
    db.execute(
        "select retoma.create_channel('sales', %s, %s, %s)",
        [transport, Jsonb({**address, **engine, named: "sales", "store": True}), Jsonb(pacing)],
    )
    db.execute("update retoma.error_rule set defer_s = 1 where class = 'ambiguous'")


def campaign(db: Db, content: dict[str, object], messages: int) -> None:
    people = [{"phone": f"+5511955{i:06}", "variables": {"name": f"n{i}"}} for i in range(messages)]
    db.execute("select retoma.create_campaign('spring', array['sales'], p_content => %s)", [Jsonb(content)])
    db.execute("select retoma.add_recipients('spring', %s)", [Jsonb(people)])
    db.execute("select retoma.start_campaign('spring')")


@pytest.fixture
def ignoring(db: Db, tmp_path: Path) -> Iterator[World]:
    """A database with a sandbox that ignores our ids on the channel sales, and does not say so."""
    sandbox = start_sandbox(tmp_path / "ledger", "--ignores-ids", "sales")
    yield World(db, sandbox)
    sandbox.kill()


def lose_answers(
    world: World, runners: Runners, transport: str, content: dict[str, object]
) -> tuple[int, int]:
    """Sends 12 messages and loses two answers; returns how many are sent and in doubt at the end."""
    channel(world.db, world.sandbox, transport)
    world.sandbox.fault(channel="sales", after=3, first=2, do="accept_then_drop")
    campaign(world.db, content, 12)

    runners.start("r1")

    row = world.wait_for_end("spring")
    figures = world.sandbox.figures(transport, "sales")
    assert (figures["unique"], figures["duplicates"]) == (12, 0)
    return row["sent"], row["in_doubt"]


@pytest.mark.parametrize("content", [TEXT, IMAGE], ids=["text", "image"])
@pytest.mark.parametrize("transport", ["waha", "evolution", "evolution_go"])
def test_where_our_id_is_taken_a_lost_answer_costs_nobody_anything(
    world: World, runners: Runners, transport: str, content: dict[str, object]
) -> None:
    assert lose_answers(world, runners, transport, content) == (12, 0)


@pytest.mark.parametrize("content", [TEXT, IMAGE], ids=["text", "image"])
@pytest.mark.parametrize("transport", ["waha", "evolution", "evolution_go"])
def test_where_our_id_is_ignored_in_silence_nothing_is_sent_twice(
    ignoring: World, runners: Runners, transport: str, content: dict[str, object]
) -> None:
    assert lose_answers(ignoring, runners, transport, content) == (10, 2)
    assert call(ignoring.db, "select ignores_ids from retoma.v_channel") == [content["kind"]]


def test_only_what_was_under_way_is_in_doubt_when_a_server_ignores_ids_although_it_is_configured_as_noweb(
    ignoring: World, runners: Runners
) -> None:
    world, in_flight = ignoring, 4
    world.waha("sales", (0, 0), (0, 0))
    world.hurry("sales")
    pacing = Jsonb({"max_in_flight": in_flight, "burst": in_flight})
    world.db.execute("select retoma.configure_channel('sales', p_pacing => %s)", [pacing])
    # No answer has shown yet whose ids the server uses.
    world.hold_answers("sales", after=0)
    first = runners.start("r1")
    campaign(world.db, TEXT, 40)
    world.wait_until_taken("sales", in_flight)

    first.kill()
    world.heal()
    runners.start("r2")

    row = world.wait_for_end("spring")
    assert (row["sent"], row["in_doubt"]) == (40 - in_flight, in_flight)
    figures = world.sandbox.figures("waha", "sales")
    assert (figures["unique"], figures["duplicates"]) == (40, 0)
    assert call(world.db, "select ignores_ids from retoma.v_channel") == ["text"]


@pytest.mark.parametrize("transport", ["evolution", "evolution_go"])
def test_a_gateway_that_loses_its_session_before_the_send_costs_no_attempt(
    world: World, runners: Runners, transport: str
) -> None:
    closed: dict[str, object] = {"status": 500, "error": "…", "response": {"message": "Connection Closed"}}
    down: dict[str, object] = {"error": "client disconnected"}
    body = closed if transport == "evolution" else down
    channel(world.db, world.sandbox, transport)
    codes = ["connection_closed_before", "session_down"]
    world.db.execute("update retoma.error_rule set defer_s = 0 where code = any(%s)", [codes])
    # More often than a message may be tried.
    world.sandbox.fault(channel="sales", first=4, do="status", status=500, body=body)
    campaign(world.db, TEXT, 1)

    runners.start("r1")

    row = world.wait_for_end("spring")
    assert (row["sent"], row["failed"]) == (1, 0)
    assert world.sandbox.figures(transport, "sales")["accepted"] == 1
