"""The judge is judged: a clean history passes, each planted violation is caught by the rule it breaks."""

import dataclasses
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos import checker
from tests.chaos.facts import Facts
from tests.chaos.history import (
    Fault,
    History,
    load,
    save,
)
from tests.chaos.planted import PLANTED, a_zombie_records, request, swap, with_state
from tests.chaos.story import Story, clean


def test_a_clean_history_passes() -> None:
    assert checker.check(clean()) == []


def test_a_request_of_a_dead_runner_may_be_read_late() -> None:
    story = Story()
    story.lease(1, "r0")
    story.reserve(1)
    story.send(1, 1)
    story.faults.append(Fault(story.now, story.now, "kill", "r0"))
    story.end(1, lost=(1,), writer="r1")
    story.wait(0.1)
    story.lease(1, "r1")
    story.reserve(1)
    story.send(1, 2)
    history = story.history()
    late = replace(request(history, 1), at=request(history, 2).at - 0.01)

    assert not list(checker.pacing(Facts(replace(history, requests=[late, request(history, 2)]))))


def test_a_message_that_was_accepted_and_withdrawn_has_failed() -> None:
    history = clean()
    withdrawn = replace(request(history, 6), kind="withdrawn")
    requests = swap(history.requests, request(history, 6), withdrawn)

    assert not list(checker.accounting(Facts(with_state(replace(history, requests=requests), 6, "failed"))))


@pytest.mark.parametrize(
    ("rule", "plant", "words"), PLANTED, ids=[f"{rule}-{plant.__name__}" for rule, plant, _ in PLANTED]
)
def test_a_planted_violation_is_caught(rule: str, plant: Callable[[History], History], words: str) -> None:
    found = checker.check(plant(clean()))

    assert [v for v in found if v.rule == rule and words in v.what], found


def test_every_rule_has_a_planted_violation() -> None:
    assert {rule for rule, _, _ in PLANTED} == set(checker.RULES)


def test_a_kept_history_is_judged_as_before(tmp_path: Path) -> None:
    kept = tmp_path / "history.json"
    save(a_zombie_records(clean()), kept)

    assert checker.check(load(kept)) == checker.check(a_zombie_records(clean()))
    assert dataclasses.asdict(load(kept)) == dataclasses.asdict(a_zombie_records(clean()))
