"""A campaign from its start in SQL to the provider."""

import psycopg
from psycopg.types.json import Jsonb

from tests.runner.conftest import World
from tests.support.command import retoma
from tests.support.runners import Runners
from tests.support.sandbox_process import start_sandbox
from tests.support.waiting import wait_until


def test_sql_alone_sends_a_campaign_with_one_runner_waiting(world: World, runners: Runners) -> None:
    runners.start("r1")
    world.webhook("sales")
    wait_until(lambda: world.db.execute("select 1 from retoma.v_runner where state = 'alive'").fetchone())

    world.campaign("spring", "sales", messages=700)

    row = world.wait_for_end("spring")
    assert (row["total"], row["sent"]) == (700, 700)
    assert set(world.accepted("sales").values()) == {1}


def test_the_provider_gets_the_rendered_text_and_the_id_of_the_message(
    world: World, runners: Runners
) -> None:
    world.webhook("sales")
    world.campaign("spring", "sales", messages=1)
    runners.start("r1")
    world.wait_for_end("spring")

    shown = world.db.execute("select message_id, phone from retoma.message_state").fetchone()

    entry = world.sandbox.entries("sales")[0]
    assert shown == (entry["message_id"], entry["to"])


def test_two_channels_share_a_campaign(world: World, runners: Runners) -> None:
    for name in ("sales", "support"):
        world.webhook(name, rate_per_s=5)
    runners.start("r1")

    world.campaign("spring", "sales", "support", messages=300, batch_size=20)

    for name in ("sales", "support"):
        wait_until(lambda name=name: world.accepted(name))  # type: ignore[misc]
    world.hurry("sales", "support")
    world.wait_for_end("spring")
    assert (world.accepted("sales") + world.accepted("support")).total() == 300


def test_one_runner_holds_as_many_leases_as_the_channel_allows(world: World, runners: Runners) -> None:
    world.webhook("sales", rate_per_s=1)
    world.db.execute("select retoma.configure_channel('sales', p_pacing => '{\"max_leases\": 3}')")
    runners.start("r1")

    world.campaign("spring", "sales", messages=150, batch_size=20)

    wait_until(lambda: world.db.execute("select 1 from retoma.v_runner where leases = 3").fetchone())
    world.hurry("sales")
    world.wait_for_end("spring")
    assert set(world.accepted("sales").values()) == {1}
    assert world.accepted("sales").total() == 150


def test_a_rate_is_not_exceeded_in_any_second(world: World, runners: Runners) -> None:
    world.webhook("sales", rate_per_s=50)
    world.db.execute("select retoma.configure_channel('sales', p_pacing => '{\"max_in_flight\": 5}')")
    runners.start("r1")
    runners.start("r2")

    world.campaign("spring", "sales", messages=200, batch_size=20)

    world.wait_for_end("spring")
    times = [entry["at"] for entry in world.sandbox.entries("sales")]
    busiest = max(sum(1 for other in times if at <= other < at + 1) for at in times)
    # The rate, the burst of 10, and what three leases had under way: it can lag behind its reservation.
    assert busiest <= 50 + 10 + 3 * 5


def test_a_refused_text_interrupts_its_campaign_before_any_message_fails(
    world: World, runners: Runners
) -> None:
    world.webhook("sales")
    world.db.execute("select retoma.create_campaign('broken', 'sales', '{% if name %}Hi')")
    world.db.execute("select retoma.add_recipients('broken', %s)", (Jsonb([{"phone": "+5511955501234"}]),))
    world.db.execute("select retoma.start_campaign('broken')")
    runners.start("r1")

    wait_until(lambda: "Liquid" in (world.summary("broken")["reason"] or ""))

    row = world.summary("broken")
    assert (row["pending"], row["failed"]) == (1, 0)


def test_a_provider_that_is_away_costs_no_message(world: World, runners: Runners) -> None:
    world.webhook("sales", rate_per_s=100)
    world.db.execute(
        "update retoma.error_rule set defer_s = 0, counts_attempt = false where code = 'connect_failed'"
    )
    world.campaign("spring", "sales", messages=100)
    address = world.sandbox.url
    runners.start("r1")
    world.wait_for_sent("spring", 20)

    world.sandbox.kill()
    world.sandbox = start_sandbox(world.sandbox.ledger, "--port", address.rsplit(":", 1)[1])

    row = world.wait_for_end("spring")
    assert row["sent"] + row["in_doubt"] == 100
    assert set(world.accepted("sales").values()) == {1}


def test_a_runner_without_the_schema_says_what_to_do(empty_database: str) -> None:
    result = retoma("runner", database_url=empty_database)

    assert result.returncode == 1
    assert "retoma db install" in result.stderr


def test_a_runner_role_needs_no_table(world: World, runners: Runners, database: str) -> None:
    world.db.execute("drop role if exists a_sender_of_the_tests")
    world.db.execute("create role a_sender_of_the_tests login in role retoma_runner")
    url = psycopg.conninfo.make_conninfo(database, user="a_sender_of_the_tests")
    world.webhook("sales")
    world.campaign("spring", "sales", messages=10)

    runners.start("r1", url)

    assert world.wait_for_end("spring")["sent"] == 10
