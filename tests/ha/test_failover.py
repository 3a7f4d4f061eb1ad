"""The primary dies in mid-campaign and its standby takes over; see docs/runbook/high-availability.md."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.ha.conftest import ReplicatedWorld, replicated_world
from tests.support.replication import ask, configure, kill_all
from tests.support.waiting import wait_until


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ReplicatedWorld]:
    with replicated_world(tmp_path, synchronous=True) as world:
        yield world


SPRING, CARE = 1500, 300
"""Messages: at the pace of their channels the two campaigns last for more than a minute."""


def start_campaigns(world: ReplicatedWorld) -> None:
    """One on a channel without dedupe and one on a paced channel, the beginning of both sent."""
    world.webhook("sales", rate_per_s=20)
    world.waha("support", gap=(0.2, 0.3), batch_gap=(0.1, 0.2))
    world.campaign("spring", "sales", messages=SPRING, batch_size=100)
    world.campaign("care", "support", messages=CARE, batch_size=25)
    world.runners.start("r1")
    world.runners.start("r2")
    world.wait_for_sent("spring", 80)
    world.wait_for_sent("care", 10)


def test_with_synchronous_replication_a_failover_loses_and_repeats_nothing(world: ReplicatedWorld) -> None:
    start_campaigns(world)

    kill_all(world.pair.primary)
    world.pair.fail_over()

    world.reconnect()
    world.hurry("sales", "support")
    spring, care = world.wait_for_end("spring"), world.wait_for_end("care")
    # The same two runners went on under the same leases, and knew what they had just sent.
    assert (spring["sent"], spring["in_doubt"]) == (SPRING, 0)
    assert (care["sent"], care["in_doubt"]) == (CARE, 0)
    for channel, total in (("sales", SPRING), ("support", CARE)):
        assert world.accepted(channel).total() == total
        assert set(world.accepted(channel).values()) == {1}
    alive = "select count(*) from retoma.v_runner where state = 'alive'"
    wait_until(lambda: world.db.execute(alive).fetchone() == (2,))


def test_a_runner_that_dies_with_its_primary_is_replaced_when_its_leases_expire(
    world: ReplicatedWorld,
) -> None:
    world.db.execute("update retoma.setting set lease_duration = '2 s'")
    world.webhook("sales", rate_per_s=20)
    world.campaign("spring", "sales", messages=SPRING, batch_size=100)
    doomed = world.runners.start("r1")
    world.wait_for_sent("spring", 30)

    kill_all(world.pair.primary)
    doomed.kill()
    world.pair.fail_over()
    world.runners.start("r2")

    world.reconnect()
    world.hurry("sales")
    row = world.wait_for_end("spring")
    # Its session lock did not move to the standby, and proves nothing there: only the clock ends its lease.
    assert row["sent"] + row["in_doubt"] == SPRING
    most = world.db.execute(
        "select max(n) from (select count(*) as n from retoma_internal.delivery where outcome = 'in_doubt'"
        " group by batch_id, lease_epoch) as left_by_a_lease"
    ).fetchone()
    assert most is not None
    assert (most[0] or 0) <= 32
    assert set(world.accepted("sales").values()) == {1}


def test_without_its_only_standby_a_synchronous_primary_sends_nothing_until_it_is_told_to(
    world: ReplicatedWorld,
) -> None:
    start_campaigns(world)

    kill_all(world.pair.standby)

    waits = "select count(*) from pg_stat_activity where wait_event = 'SyncRep'"
    wait_until(lambda: ask(world.pair.primary, waits) >= [(4,)])  # both runners, in all that they do
    promised = world.db.execute("select sum(reserved) from retoma_internal.batch").fetchone()
    assert promised is not None
    # Their commits are not visible to other sessions either: a failover now would lose nothing that was sent.
    # Messages reserved before may still be on their way.
    assert len(world.sandbox.entries()) <= promised[0]

    configure(world.pair.primary, "synchronous_standby_names", "")
    world.hurry("sales", "support")
    for campaign, total in (("spring", SPRING), ("care", CARE)):
        row = world.wait_for_end(campaign)
        assert row["sent"] + row["in_doubt"] == total
    for channel in ("sales", "support"):
        assert set(world.accepted(channel).values()) == {1}


def test_invariant_2_an_old_primary_that_comes_back_synchronous_cannot_reserve_anything(
    world: ReplicatedWorld,
) -> None:
    start_campaigns(world)
    old = world.pair.primary
    kill_all(old)
    world.pair.fail_over()
    world.reconnect()

    # An operator's mistake: it takes writes, so target_session_attrs cannot tell it from the new one.
    old.start()
    old_url = old.url(world.database, tcp=True) + "?target_session_attrs=read-write"
    lost = world.runners.start("lost", old_url)

    waits = "select count(*) from pg_stat_activity where wait_event = 'SyncRep'"
    wait_until(lambda: ask(old, waits) >= [(1,)])
    # It waits for a standby that is none any more: a runner that asks gets no answer, and sends nothing.
    assert "leased" not in lost.text()
    old.stop("immediate")
    world.hurry("sales", "support")
    for campaign in ("spring", "care"):
        world.wait_for_end(campaign)
    for channel, total in (("sales", SPRING), ("support", CARE)):
        assert world.accepted(channel).total() == total
        assert set(world.accepted(channel).values()) == {1}


def test_an_old_primary_that_was_rewound_is_a_standby_and_no_runner_uses_it(world: ReplicatedWorld) -> None:
    start_campaigns(world)
    old = world.pair.primary
    kill_all(old)
    world.pair.fail_over()
    world.reconnect()

    world.pair.rewind_the_standby()
    configure(world.pair.primary, "synchronous_standby_names", "standby")
    world.pair.wait_for_the_standby(state="sync")
    world.runners.start("new")

    world.hurry("sales", "support")
    world.wait_for_end("spring")
    world.wait_for_end("care")
    users = "select count(*) from pg_stat_activity where application_name = 'retoma runner'"
    # A runner that looks for the primary knocks here too, and leaves at once.
    wait_until(lambda: ask(old, users) == [(0,)])
    with pytest.raises(psycopg.OperationalError, match=r"read-only|read-write"):
        psycopg.connect(old.url(world.database, tcp=True) + "?target_session_attrs=read-write")
    for channel in ("sales", "support"):
        assert set(world.accepted(channel).values()) == {1}


def test_with_asynchronous_replication_what_the_standby_missed_is_sent_again(tmp_path: Path) -> None:
    with replicated_world(tmp_path, synchronous=False) as world:
        world.db.execute("update retoma.setting set lease_duration = '2 s'")
        world.webhook("sales", rate_per_s=20)
        world.campaign("spring", "sales", messages=SPRING, batch_size=100)
        doomed = world.runners.start("r1")
        world.wait_for_sent("spring", 30)

        # The network between the two fails first: the primary does not wait, and no alarm is raised.
        configure(world.pair.standby, "primary_conninfo", "")
        wait_until(lambda: ask(world.pair.primary, "select count(*) from pg_stat_replication") == [(0,)])
        missed_from = world.summary("spring")["sent"]
        world.wait_for_sent("spring", missed_from + 100)
        kill_all(world.pair.primary)
        # The runner knows what it has sent under its lease. Without it, nobody does.
        doomed.kill()
        world.pair.fail_over()
        world.runners.start("r2")

        world.reconnect()
        world.hurry("sales")
        row = world.wait_for_end("spring")
        assert row["sent"] + row["in_doubt"] == SPRING
        repeated = [count for count in world.accepted("sales").values() if count > 1]
        # This is why the runbook asks for synchronous_standby_names. But no person is left out.
        assert len(repeated) >= 20
        assert len(world.accepted("sales")) == SPRING
