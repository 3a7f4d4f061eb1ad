"""A server that was promoted without the last commits knows less than its runner: nothing is repeated."""

from tests.runner.conftest import World
from tests.support.campaigns import call, lose_commits
from tests.support.runners import RunnerProcess, Runners


def begin(world: World, runners: Runners) -> RunnerProcess:
    """A runner that rests in the middle of a batch of 60."""
    world.webhook("sales", rate_per_s=20)
    world.campaign("spring", "sales", messages=60)
    runner = runners.start("r1")
    world.wait_for_sent("spring", 20)
    runner.freeze()
    return runner


def test_what_a_runner_has_seen_is_not_sent_again(world: World, runners: Runners) -> None:
    runner = begin(world, runners)
    sent = world.summary("spring")["sent"]
    lose_commits(
        world.db,
        "delete from retoma_internal.delivery where ordinal > 10",
        "update retoma_internal.batch set sent = 10, reserved = 10",
    )

    runner.thaw()

    row = world.wait_for_end("spring")
    # The runner tells an outcome once.
    assert (row["sent"], row["in_doubt"]) == (60 - (sent - 10), sent - 10)
    assert set(world.accepted("sales").values()) == {1}
    assert call(world.db, "select count(*) from retoma_internal.event where code = 'commits_lost'") == 1


def test_outcomes_that_are_lost_do_not_hold_the_channel(world: World, runners: Runners) -> None:
    runner = begin(world, runners)
    lose_commits(
        world.db,
        "delete from retoma_internal.delivery where ordinal <= 3",
        "update retoma_internal.batch set sent = sent - 3",
    )

    runner.thaw()

    row = world.wait_for_end("spring")
    assert (row["sent"], row["in_doubt"]) == (57, 3)
    assert "outcomes_lost" in runner.text()
    assert set(world.accepted("sales").values()) == {1}
