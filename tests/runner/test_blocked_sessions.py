"""A runner goes on with everything else while one session is left open, or one batch cannot go on."""

import psycopg
from psycopg.types.json import Jsonb

from tests.runner.conftest import World
from tests.support.campaigns import call, phone
from tests.support.runners import Runners
from tests.support.waiting import wait_until


def test_a_session_left_open_holds_up_one_channel_and_is_named(
    world: World, runners: Runners, database: str
) -> None:
    for name in ("sales", "support"):
        world.webhook(name, rate_per_s=200)
        world.campaign(f"of {name}", name, messages=100, batch_size=20)
    with psycopg.connect(database, application_name="lunch break") as operator:
        operator.execute("select retoma.configure_channel('sales', '{}', '{\"burst\": 5}')")
        runner = runners.start("r1")

        assert world.wait_for_end("of support")["sent"] == 100
        wait_until(lambda: "lock_not_available" in runner.text())
        assert "(lunch break)" in runner.text()
        assert world.summary("of sales")["sent"] == 0
        operator.rollback()

    assert world.wait_for_end("of sales")["sent"] == 100
    assert set(world.accepted("sales").values()) == {1}


def test_outcomes_survive_a_session_that_locks_their_batch(
    world: World, runners: Runners, database: str
) -> None:
    world.webhook("sales", rate_per_s=50)
    world.campaign("spring", "sales", messages=100)
    runner = runners.start("r1")
    world.wait_for_sent("spring", 5)
    with psycopg.connect(database) as operator:
        operator.execute("select from retoma_internal.batch for update")
        wait_until(lambda: "lock_not_available" in runner.text())

    row = world.wait_for_end("spring")
    assert (row["sent"], row["in_doubt"]) == (100, 0)
    assert set(world.accepted("sales").values()) == {1}


def test_a_batch_that_cannot_go_on_is_given_up_and_the_channel_goes_on(
    world: World, runners: Runners
) -> None:
    world.webhook("sales", rate_per_s=200)
    world.db.execute(
        "select retoma.create_campaign('short', array['sales'], 'Olá', p_time_zone => 'America/Sao_Paulo')"
    )
    world.db.execute("select retoma.add_window('short', '00:00', '24:00')")
    world.db.execute(
        "select retoma.add_recipients('short', %s)",
        (Jsonb([{"phone": phone(1)}, {"phone": phone(2)}]),),
    )
    world.db.execute("select retoma.start_campaign('short')")
    world.db.execute("update retoma_internal.batch_list set ordinals = ordinals[:1]")
    world.campaign("whole", "sales", messages=20)

    runners.start("r1")

    assert world.wait_for_end("whole")["sent"] == 20
    reason = wait_until(
        lambda: call(
            world.db, "select max(reason) from retoma.v_interrupted_campaigns where cause = 'defect'"
        )
    )
    assert "the list of batch 1 is shorter than its 2 messages (RT012)" in reason


def test_a_tick_that_fails_costs_the_runner_nothing_but_the_tick(world: World, runners: Runners) -> None:
    runner = runners.start("r1")
    session = "select session_pid from retoma_internal.runner where ticked_at is not null"
    wait_until(lambda: world.db.execute(session).fetchone())
    before = call(world.db, session)
    original = call(world.db, "select pg_get_functiondef('retoma_internal.take_turn(text)'::regprocedure)")
    world.db.execute(
        "create or replace function retoma_internal.take_turn(p_work text) returns boolean"
        " language plpgsql as $$ begin return 1 / 0; end $$"
    )
    wait_until(lambda: "tick_failed" in runner.text())
    assert "division by zero" in runner.text()

    world.db.execute(original)

    world.db.execute("update retoma_internal.runner set ticked_at = null")
    wait_until(lambda: world.db.execute(session).fetchone())
    assert call(world.db, session) == before
    assert runner.text().count("registered") == 1
