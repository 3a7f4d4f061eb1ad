"""A schedule is a function of its seed, can be kept, and names only actions that exist."""

from pathlib import Path

import pytest

from tests.chaos import plan, world
from tests.chaos.__main__ import SCHEDULES
from tests.chaos.actions import ACTIONS


def test_the_same_seed_is_the_same_schedule() -> None:
    assert plan.make(7) == plan.make(7)
    assert plan.make(7) != plan.make(8)


def test_every_kind_of_action_can_be_carried_out_and_is_drawn() -> None:
    drawn = {action.kind for seed in range(300) for action in plan.make(seed).actions}

    assert drawn == set(ACTIONS) == {*plan.FAULTS, *plan.OPERATORS}


def test_a_kept_schedule_is_read_as_it_was_written(tmp_path: Path) -> None:
    plan.save(plan.make(7), tmp_path / "plan.json")

    assert plan.load(tmp_path / "plan.json") == plan.make(7)


@pytest.mark.parametrize("seed", range(1, 4))
def test_the_channels_and_campaigns_of_a_schedule_are_taken(database: str, seed: int) -> None:
    world.build(database, "http://127.0.0.1:1", plan.make(seed))


@pytest.mark.parametrize("path", sorted(SCHEDULES.glob("*.json")), ids=lambda path: path.stem)
def test_a_schedule_that_once_broke_something_can_still_be_replayed(path: Path) -> None:
    assert {action.kind for action in plan.load(path).actions} <= set(ACTIONS)
