"""Operators and several runners interleaved at random, against a small model (invariants 2, 4, 5 and 7).

The model knows only what an outsider knows: what was handed to which runner, what that runner reported, and
what operators asked for. Hypothesis looks for a sequence of steps after which the database disagrees.

The same steps must lead to the same state, also on a busy machine: so the clock stands still between them,
chance is seeded, and the end of a closed session is waited for.
"""

import itertools
import uuid
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from tests.support.waiting import wait_until

MESSAGES = 12
STALE = "RT010"
_numbers = itertools.count(1)

# Codes that a runner can report besides an acceptance.
RETRIABLE = ("connect_failed", "http_429")
FINAL = ("http_409",)
AMBIGUOUS = ("timeout",)

WEIGHTS = {
    "a_runner_works": 12,
    "a_runner_comes": 1,
    "a_runner_releases": 1,
    "a_runner_dies": 1,
    "the_tick": 2,
    "time_passes": 2,
    "somebody_opts_out": 1,
    "the_operator_pauses_or_resumes": 1,
    "the_channel_goes_or_comes": 1,
    "the_operator_cancels": 1,
}


def _outcome(ordinal: int, result: str) -> dict[str, object]:
    if result == "accepted":
        return {"ordinal": ordinal, "status": "accepted"}
    written = result not in ("connect_failed", "not_attempted")
    return {"ordinal": ordinal, "status": "error", "code": result, "written": written}


@dataclass
class Runner:
    """A runner of the model with its own session.

    Args:
        connection: its session; closing it is its death.
        lease: batch, epoch and high-water mark, while it believes that it has one.
        handed: ordinals that it was given and has not reported on.
        withheld: ordinals that it was told not to send.
    """

    connection: psycopg.Connection[dict[str, Any]]
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    lease: tuple[int, int, int] | None = None
    handed: list[int] = field(default_factory=list)
    withheld: list[int] = field(default_factory=list)


class Campaigns(RuleBasedStateMachine):
    """The steps, the model, and what must hold after each step."""

    database: str

    @initialize(dedupes=st.booleans())
    def begin(self, dedupes: bool) -> None:
        number = next(_numbers)
        self.channel, self.campaign = f"channel-{number}", f"campaign {number}"
        self.dedupes = dedupes
        self.operator = self._connect()
        self.runners: list[Runner] = []
        self.accepted: set[int] = set()
        self.unknown: set[int] = set()  # handed out; it is not known whether they arrived
        self.suppressed: set[int] = set()
        self.over = False
        self._ask(
            "select retoma.create_channel(%s, 'webhook', %s, '{\"max_in_flight\": 5}')",
            self.channel,
            Jsonb({"url": "http://127.0.0.1:1/", "idempotent": dedupes}),
        )
        self._ask(
            "select retoma.create_campaign(%s, %s::text, 'Hi', 5, p_max_attempts => 20)",
            self.campaign,
            self.channel,
        )
        people = [{"phone": self._phone(ordinal)} for ordinal in range(1, MESSAGES + 1)]
        self._ask("select retoma.add_recipients(%s, %s)", self.campaign, Jsonb(people))
        self._ask("select retoma.start_campaign(%s)", self.campaign)
        self._id = self._ask("select id from retoma_internal.channel where name = %s", self.channel)[0]["id"]
        self.a_runner_comes()

    def teardown(self) -> None:
        if hasattr(self, "operator"):
            for runner in self.runners:
                self._close(runner.connection)
            self._ask("select retoma.tick()")
            if self._row()["status"] not in ("completed", "cancelled"):
                self._ask("select retoma.cancel_campaign(%s)", self.campaign)
            self.operator.close()

    # One rule that draws by weight: left to itself, hypothesis sends next to nothing between interruptions.

    @rule(data=st.data())
    def something_happens(self, data: st.DataObject) -> None:
        action = data.draw(st.sampled_from([name for name, weight in WEIGHTS.items() for _ in range(weight)]))
        getattr(self, action)(data)

    # Runners

    def a_runner_comes(self, _: object = None) -> None:
        if len(self.runners) < 3:
            runner = Runner(self._connect())
            runner.connection.execute("select retoma.register_runner(%s, 'model')", (runner.id,))
            self.runners.append(runner)

    def a_runner_works(self, data: st.DataObject) -> None:
        if not self.runners:
            return
        runner = data.draw(st.sampled_from(self.runners))
        if runner.lease is None:
            self._lease(runner)
        if runner.lease is not None:
            results = st.sampled_from(["accepted"] * 4 + [*RETRIABLE, *FINAL, *AMBIGUOUS])
            reported = {ordinal: data.draw(results) for ordinal in runner.handed}
            self._step(runner, reported, data.draw(st.integers(0, 3)), data.draw(st.booleans()))

    def _lease(self, runner: Runner) -> None:
        row = runner.connection.execute(
            "select batch_id, lease_epoch, reserved from retoma.lease_batch(%s, %s)", (runner.id, self._id)
        ).fetchone()
        assert row is not None
        if row["batch_id"] is not None:
            runner.lease = (row["batch_id"], row["lease_epoch"], row["reserved"])

    def _step(self, runner: Runner, reported: dict[int, str], want: int, reply_is_lost: bool) -> None:
        assert runner.lease is not None
        batch, epoch, seen = runner.lease
        outcomes = reported | dict.fromkeys(runner.withheld, "not_attempted")
        step = (runner.id, batch, epoch, Jsonb([_outcome(*item) for item in outcomes.items()]), want, seen)
        runner.withheld = []
        try:
            reply = self._advance(runner, step)
            for ordinal, result in reported.items():
                self._learn(ordinal, result)
            if reply_is_lost:
                again = self._advance(runner, step)
                if reply["action"] == "send":
                    assert [m[0] for m in again["messages"]] == [m[0] for m in reply["messages"]]
                reply = again
        except psycopg.Error as error:
            if error.sqlstate != STALE:
                raise
            # The messages of this runner were taken from it: in doubt, or sent again where it dedupes.
            runner.lease, runner.handed = None, []
            return
        runner.handed = []
        if reply["action"] in ("completed", "released"):
            runner.lease = None
            return
        runner.lease = (batch, epoch, reply["reserved"])
        for ordinal, _id, _phone, _variables, *withheld in reply["messages"] or []:
            if withheld == [True]:
                runner.withheld.append(ordinal)
            else:
                self._hand(runner, ordinal)

    def _advance(self, runner: Runner, step: tuple[object, ...]) -> dict[str, Any]:
        row = runner.connection.execute(
            "select * from retoma.advance_batch(%s, %s, %s, %s, %s, %s)", step
        ).fetchone()
        assert row is not None
        return row

    def _hand(self, runner: Runner, ordinal: int) -> None:
        assert ordinal not in self.accepted, "a message that was accepted is handed out again"
        assert ordinal not in self.suppressed, "a suppressed number is handed out (invariant 7)"
        assert self.dedupes or ordinal not in self.unknown, "one in doubt is handed out again (invariant 4)"
        assert not self.over, "a cancelled campaign hands out messages"
        runner.handed.append(ordinal)

    def _learn(self, ordinal: int, result: str) -> None:
        if result == "accepted":
            self.accepted.add(ordinal)
            self.unknown.discard(ordinal)
        elif result in AMBIGUOUS:
            self.unknown.add(ordinal)

    def a_runner_releases(self, data: st.DataObject) -> None:
        leasing = [runner for runner in self.runners if runner.lease]
        if not leasing:
            return
        runner = data.draw(st.sampled_from(leasing))
        assert runner.lease is not None
        try:
            runner.connection.execute(
                "select retoma.release_batch(%s, %s, %s)", (runner.id, *runner.lease[:2])
            )
        except psycopg.Error as error:
            if error.sqlstate != STALE:
                raise
        self.unknown.update(runner.handed)
        runner.lease, runner.handed = None, []

    def a_runner_dies(self, data: st.DataObject) -> None:
        if not self.runners:
            return
        runner = data.draw(st.sampled_from(self.runners))
        self._close(runner.connection)
        self.runners.remove(runner)
        self.unknown.update(runner.handed)

    def the_tick(self, _: object) -> None:
        self._ask("select retoma.tick()")

    # Time and operators

    def time_passes(self, data: st.DataObject) -> None:
        """Leases expire under living runners: their messages may or may not have been sent."""
        seconds = data.draw(st.sampled_from([5, 61, 4000]))
        self._ask("update retoma.setting set clock_shift = clock_shift + make_interval(secs => %s)", seconds)
        if seconds > 60:
            self._ask("select retoma.tick()")
            for runner in self.runners:
                self.unknown.update(runner.handed)

    def somebody_opts_out(self, data: st.DataObject) -> None:
        ordinal = data.draw(st.integers(1, MESSAGES))
        self._ask("select retoma.opt_out(%s)", self._phone(ordinal))
        self.suppressed.add(ordinal)

    def the_operator_pauses_or_resumes(self, data: st.DataObject) -> None:
        status = self._row()["status"]
        if status == "running":
            self._ask("select retoma.pause_campaign(%s)", self.campaign)
            if data.draw(st.booleans()):
                self._ask("select retoma.resume_campaign(%s)", self.campaign)
        elif status == "paused" or (status == "interrupted" and self._row()["interrupt_cause"] == "breaker"):
            self._ask("select retoma.resume_campaign(%s)", self.campaign)

    def the_channel_goes_or_comes(self, data: st.DataObject) -> None:
        if self._ask("select connected from retoma_internal.channel where id = %s", self._id)[0]["connected"]:
            self._ask("select retoma.channel_disconnected(%s)", self.channel)
            if data.draw(st.booleans()):
                return
        self._ask("select retoma.channel_connected(%s)", self.channel)

    def the_operator_cancels(self, data: st.DataObject) -> None:
        if data.draw(st.integers(0, 9)) == 9 and self._row()["status"] not in ("completed", "cancelled"):
            self._ask("select retoma.cancel_campaign(%s)", self.campaign)
            self.over = True

    # The invariants

    @invariant()
    def invariant_5_the_books_balance_and_agree_with_the_deliveries(self) -> None:
        if not hasattr(self, "operator"):
            return
        books = self._ask(
            "select * from retoma_internal.campaign_totals where campaign_id = %s", self._row()["id"]
        )[0]
        kinds = ("pending", "sending", "sent", "failed", "skipped", "in_doubt", "cancelled")
        assert sum(books[kind] for kind in kinds) == books["total"] == MESSAGES, books
        states = self._ask(
            "select state, count(*) as n from retoma.message_state where campaign = %s group by 1",
            self.campaign,
        )
        counted = dict.fromkeys(kinds, 0) | {row["state"]: row["n"] for row in states}
        assert counted == {kind: books[kind] for kind in kinds}
        if self._row()["status"] == "completed":
            assert books["pending"] == books["sending"] == 0

    @invariant()
    def an_accepted_message_is_sent_for_ever(self) -> None:
        if not hasattr(self, "operator"):
            return
        rows = self._ask(
            "select ordinal from retoma.message_state where campaign = %s and state = 'sent'", self.campaign
        )
        sent = {row["ordinal"] for row in rows}
        assert sent == self.accepted

    # Helpers

    def _connect(self) -> psycopg.Connection[dict[str, Any]]:
        connection = psycopg.connect(self.database, autocommit=True, row_factory=dict_row)
        connection.execute("select setseed(0.5)")
        return connection

    def _close(self, connection: psycopg.Connection[dict[str, Any]]) -> None:
        pid = connection.info.backend_pid
        connection.close()
        wait_until(lambda: not self._ask("select from pg_stat_activity where pid = %s", pid))

    def _ask(self, query: str, *arguments: object) -> list[dict[str, Any]]:
        cursor = self.operator.execute(query, arguments)
        return cursor.fetchall() if cursor.description else []

    def _row(self) -> dict[str, Any]:
        return self._ask("select * from retoma_internal.campaign where name = %s", self.campaign)[0]

    def _phone(self, ordinal: int) -> str:
        return f"+1555{int(self.campaign.split()[1]) % 10_000:04}{ordinal:03}"


@pytest.mark.parametrize("examples", [60])
def test_operators_and_runners_in_any_order(database: str, examples: int) -> None:
    stop_clock(database)
    machine = type("Machine", (Campaigns,), {"database": database})

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def stop_clock(database: str) -> None:
    """From now on only setting.clock_shift moves it."""
    with psycopg.connect(database, autocommit=True) as db:
        db.execute(
            """
            create or replace function retoma.clock() returns timestamptz
            language sql volatile parallel safe begin atomic
              select timestamptz '2030-01-01 12:00+00' + s.clock_shift from retoma.setting as s;
            end
            """
        )
