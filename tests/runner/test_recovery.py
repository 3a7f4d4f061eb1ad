"""A campaign goes on after the death of a process."""

import psycopg

from tests.runner.conftest import World
from tests.support.clusters import Server
from tests.support.runners import Runners
from tests.support.waiting import DEADLINE_S, wait_until


def test_after_kill_9_the_campaign_is_interrupted_and_a_new_runner_goes_on(
    world: World, runners: Runners
) -> None:
    world.waha("sales", gap=(0.05, 0.1), batch_gap=(0.1, 0.2))
    world.hold_answers("sales", after=10)
    world.campaign("spring", "sales", messages=60, batch_size=25)
    first = runners.start("r1")
    world.wait_until_taken("sales", 11)

    first.kill()

    world.heal()
    wait_until(lambda: world.summary("spring")["status"] == "interrupted")
    reason = world.db.execute("select cause, reason from v_interrupted_campaigns").fetchone()
    assert reason == ("no_runner", 'no runner is alive: start one with "retoma runner"')
    before = len(world.sandbox.entries("sales"))
    runners.start("r2")
    wait_until(lambda: len(world.sandbox.entries("sales")) > before)
    row = world.wait_for_end("spring")
    assert (row["sent"], row["in_doubt"]) == (60, 0)
    assert set(world.accepted("sales").values()) == {1}
    assert world.accepted("sales").total() == 60


def test_invariant_4_without_dedupe_at_most_the_messages_under_way_are_in_doubt(
    world: World, runners: Runners
) -> None:
    world.webhook("sales", rate_per_s=100)
    world.db.execute("select retoma.configure_channel('sales', p_pacing => '{\"max_in_flight\": 1}')")
    world.hold_answers("sales", after=20)
    world.campaign("spring", "sales", messages=150)
    first = runners.start("r1")
    world.wait_until_taken("sales", 21)

    first.kill()
    world.heal()
    runners.start("r2")

    row = world.wait_for_end("spring")
    assert (row["sent"], row["in_doubt"]) == (149, 1)
    assert set(world.accepted("sales").values()) == {1}
    assert world.accepted("sales").total() == 150


def test_invariant_2_a_thawed_runner_sends_nothing_that_another_has_taken_over(
    world: World, runners: Runners
) -> None:
    world.db.execute("update retoma.setting set lease_duration = '1 s'")
    world.webhook("sales", rate_per_s=20)
    world.campaign("spring", "sales", messages=1500)
    frozen = runners.start("r1")
    world.wait_for_sent("spring", 20)

    frozen.freeze()
    stood_at = world.summary("spring")["sent"]
    runners.start("r2")
    world.wait_for_sent("spring", stood_at + 50)
    frozen.thaw()

    world.hurry("sales")
    row = world.wait_for_end("spring")
    assert row["sent"] + row["in_doubt"] == 1500
    assert set(world.accepted("sales").values()) == {1}


def test_the_same_runner_goes_on_after_an_immediate_restart_of_the_database(
    world: World, runners: Runners, server: Server, database: str
) -> None:
    world.waha("sales", gap=(0.1, 0.2), batch_gap=(0.1, 0.2))
    world.campaign("spring", "sales", messages=400, batch_size=25)
    runner = runners.start("r1")
    world.wait_for_sent("spring", 20)

    server.restart("immediate")

    world.db = psycopg.connect(database, autocommit=True)
    assert world.summary("spring")["pending"] > 0
    world.hurry("sales")
    row = world.wait_for_end("spring")
    assert runner.process.poll() is None
    assert (row["sent"], row["in_doubt"]) == (400, 0)
    assert set(world.accepted("sales").values()) == {1}


def test_invariant_6_gaps_hold_over_restarts_of_runners(world: World, runners: Runners) -> None:
    world.waha("sales", gap=(0.3, 0.5), batch_gap=(0.8, 1.0))
    world.campaign("spring", "sales", messages=14, batch_size=5)
    for number, until in enumerate((3, 6, 9)):
        runner = runners.start(f"r{number}")
        world.wait_for_sent("spring", until)
        if number % 2:
            runner.terminate()
        else:
            runner.kill()
    runners.start("last")
    world.wait_for_end("spring")

    gaps = world.gaps("sales")

    assert min(gaps) >= 0.3
    assert sum(gap >= 0.8 for gap in gaps) >= 2


def test_sigterm_gives_everything_back(world: World, runners: Runners) -> None:
    world.webhook("sales", rate_per_s=100)
    world.waha("support", gap=(5, 15), batch_gap=(15, 30))
    world.campaign("spring", "sales", messages=500)
    world.campaign("care", "support", messages=10)
    runner = runners.start("r1", patient=True)
    world.wait_for_sent("spring", 50)
    world.wait_for_sent("care", 1)

    code = runner.terminate()

    assert code == 0
    states = world.db.execute("select distinct status from campaign_batch_details").fetchall()
    assert ("leased",) not in states
    assert world.summary("spring")["in_doubt"] == 0


def test_a_runner_ends_with_its_sign_of_life_so_that_a_supervisor_starts_another(
    world: World, runners: Runners
) -> None:
    world.waha("support", gap=(5, 15), batch_gap=(15, 30))
    world.campaign("care", "support", messages=10)
    runner = runners.start("r1", patient=True)
    world.wait_for_sent("care", 1)

    # An older version has no `unchecked`.
    world.db.execute(
        "drop function retoma.tick(uuid);"
        " create function retoma.tick(p_runner_id uuid, out reaped int, out started int) language sql"
        " as 'select 0, 0'"
    )

    assert runner.process.wait(DEADLINE_S) == 1
    lines = runner.text().splitlines()
    (line,) = [line for line in lines if '"liveness_ended"' in line]
    assert "KeyError: 'unchecked'" in line
    assert runner.text().count("Traceback") == 1
    assert lines[-2].startswith("error: ")
    states = world.db.execute("select distinct status from campaign_batch_details").fetchall()
    assert ("leased",) not in states
    assert world.summary("care")["in_doubt"] == 0


def test_a_disconnected_channel_interrupts_its_campaigns_only_and_reconnecting_resumes_them(
    world: World, runners: Runners
) -> None:
    for name in ("sales", "support"):
        world.webhook(name, rate_per_s=10)
        world.campaign(f"of {name}", name, messages=600)
    runners.start("r1")
    world.wait_for_sent("of sales", 10)

    world.db.execute("select channel_disconnected('sales', 'scan the QR code')")

    row = world.summary("of sales")
    assert (row["status"], row["reason"]) == (
        "interrupted",
        "channel sales is disconnected: scan the QR code",
    )
    settled = wait_until(lambda: world.summary("of sales")["sending"] == 0 and world.summary("of sales"))
    stood_at, other = settled["sent"], world.summary("of support")["sent"]
    world.wait_for_sent("of support", other + 20)
    assert world.summary("of sales")["sent"] == stood_at
    world.db.execute("select channel_connected('sales')")
    world.hurry("sales", "support")
    for name in ("sales", "support"):
        assert world.wait_for_end(f"of {name}")["sent"] == 600
        assert set(world.accepted(name).values()) == {1}


def test_the_provider_reporting_a_dead_session_interrupts_by_itself(world: World, runners: Runners) -> None:
    world.waha("sales", gap=(0.02, 0.03), batch_gap=(0.1, 0.1))
    world.sandbox.fault(channel="sales", do="session", session_status="SCAN_QR_CODE")
    world.campaign("spring", "sales", messages=5)
    runners.start("r1")

    wait_until(lambda: "SCAN_QR" in (world.summary("spring")["reason"] or ""))

    world.heal()
    world.sandbox.call("PUT", "/_sandbox/sessions/sales", {"status": "WORKING"})
    world.db.execute("select channel_connected('sales')")
    assert world.wait_for_end("spring")["sent"] == 5


def test_messages_in_doubt_are_settled_by_asking_the_provider(world: World, runners: Runners) -> None:
    world.db.execute("update retoma.setting set lookup_after = '1 s'")
    world.webhook("sales", rate_per_s=100, lookup=True)
    world.campaign("spring", "sales", messages=100)
    world.sandbox.fault(channel="sales", do="accept_then_drop", every=10)
    runners.start("r1")

    row = world.wait_for_end("spring")
    wait_until(
        lambda: world.summary("spring")["in_doubt"] == 0 and world.summary("spring")["status"] == "completed"
    )

    assert row["total"] == 100
    assert world.summary("spring")["sent"] == 100
    assert set(world.accepted("sales").values()) == {1}
