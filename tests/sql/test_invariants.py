"""A random walk through everything that can happen to a campaign.

After each step the books balance, no person gets a message twice, and at the end each person has it or it is
known why not.
"""

import random
from collections import defaultdict
from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    Lease,
    Outcome,
    accepted,
    advance,
    assert_counters_match_deliveries,
    books,
    call,
    error,
    lease,
    make_campaign,
    make_channel,
    make_runner,
    move_clock,
    phone,
    release,
    tick,
)

SIZE = 30
STEPS = 120

CODES = [
    "connect_failed",
    "timeout",
    "http_400",
    "http_429",
    "http_401",
    "not_attempted",
    "never seen before",
]

NOT_TAKEN = {"connect_failed", "http_400", "http_429", "http_401", "not_attempted"}
"""After these a message may be sent again: the provider did not take it."""


class Walk:
    """One campaign, its operators, runners and provider, all played by one random number generator."""

    def __init__(self, db: Db, seed: int) -> None:
        self.db = db
        self.random = random.Random(seed)
        safe = {"url": "http://127.0.0.1", "idempotent": True}
        self.channels = {
            "plain": make_channel(db, "plain", rate_per_s=50, burst=20, max_in_flight=20),
            "safe": make_channel(db, "safe", "webhook", safe),
        }
        make_campaign(db, size=SIZE, batch_size=7, channels=list(self.channels), max_attempts=3)
        self.runners: list[UUID] = [make_runner(db, f"runner-{n}") for n in range(3)]
        self.leases: list[tuple[Lease, str]] = []
        self.ids: dict[int, str] = {}
        # Which channel's provider may have a message; None when it is sure that no provider has it.
        self.holder: dict[int, str | None] = defaultdict(lambda: None)
        self.last_channel: dict[int, str] = {}
        # Per lease, the messages without an outcome, with their holder before this attempt.
        self.under_way: dict[Lease, dict[int, str | None]] = defaultdict(dict)

    def step(self) -> None:
        moves: list[tuple[Callable[[], object], int]] = [
            (self.take_lease, 20),
            (self.reserve, 30),
            (self.answer, 30),
            (self.give_back, 4),
            (self.let_time_pass, 8),
            (self.kill_a_runner, 3),
            (self.receive_a_receipt, 10),
            (self.change_a_channel, 6),
            (self.pause_or_resume, 4),
            (self.someone_opts_out, 2),
            (self.decide, 2),
            (lambda: tick(self.db), 10),
        ]
        (move,) = self.random.choices([m for m, _ in moves], [w for _, w in moves])
        move()

    def take_lease(self) -> None:
        name, channel_id = self.random.choice(list(self.channels.items()))
        leased = lease(self.db, self.random.choice(self.runners), channel_id)
        if leased is not None:
            self.leases.append((leased, name))

    def reserve(self) -> None:
        for leased, channel in self.random.sample(self.leases, min(1, len(self.leases))):
            self.send(leased, channel, self.random.randint(1, 5), [])

    def answer(self) -> None:
        for leased, channel in self.random.sample(self.leases, min(1, len(self.leases))):
            open_ = list(self.under_way[leased])
            chosen = self.random.sample(open_, self.random.randint(0, len(open_)))
            self.send(leased, channel, self.random.choice([0, 3]), [self.outcome(n) for n in chosen])

    def outcome(self, ordinal: int) -> Outcome:
        if self.random.random() < 0.7:
            return accepted(ordinal)[0]
        code = self.random.choice(CODES)
        return error(ordinal, code, written=code not in NOT_TAKEN)

    def send(self, leased: Lease, channel: str, want: int, outcomes: list[Outcome]) -> None:
        try:
            step = advance(self.db, leased, outcomes, want)
        except psycopg.Error as refused:
            if refused.diag.sqlstate != "RT010":
                raise
            self.leases.remove((leased, channel))
            return
        for outcome in outcomes:
            ordinal = int(str(outcome["ordinal"]))
            before = self.under_way[leased].pop(ordinal)
            if outcome["status"] == "accepted":
                self.holder[ordinal] = "accepted"
            elif outcome["code"] in NOT_TAKEN:
                self.holder[ordinal] = before
        for ordinal, message_id, number, _ in step.messages:
            self.under_way[leased][ordinal] = self.holder[ordinal]
            self.provider_gets(channel, ordinal, message_id, number)
        if step.action in ("completed", "released"):
            self.leases.remove((leased, channel))

    def provider_gets(self, channel: str, ordinal: int, message_id: str, number: str) -> None:
        assert number == phone(ordinal)
        assert self.ids.setdefault(ordinal, message_id) == message_id
        # Twice only to the provider that may have it already, and only if that shows the id once.
        holder = self.holder[ordinal]
        assert holder is None or holder == channel == "safe", (ordinal, holder, channel)
        self.holder[ordinal] = channel
        self.last_channel[ordinal] = channel

    def give_back(self) -> None:
        for leased, channel in self.random.sample(self.leases, min(1, len(self.leases))):
            self.leases.remove((leased, channel))
            try:
                release(self.db, leased)
            except psycopg.Error as refused:
                if refused.diag.sqlstate != "RT010":
                    raise

    def let_time_pass(self) -> None:
        move_clock(self.db, self.random.choice(["1 s", "20 s", "70 s", "10 minutes"]))

    def kill_a_runner(self) -> None:
        runner = self.random.choice(self.runners)
        self.db.execute("select retoma.unregister_runner(%s)", (runner,))
        self.runners[self.runners.index(runner)] = make_runner(self.db, "successor")

    def receive_a_receipt(self) -> None:
        if not self.ids:
            return
        ordinal = self.random.choice(list(self.ids))
        status = self.random.choice(["server", "delivered", "read"])
        receipt = Jsonb([{"message_id": self.ids[ordinal], "status": status}])
        self.db.execute("select retoma.record_receipts(%s, %s)", (self.last_channel[ordinal], receipt))

    def change_a_channel(self) -> None:
        name = self.random.choice(list(self.channels))
        change = self.random.choice(
            ["channel_disconnected", "channel_connected", "pause_channel", "resume_channel"]
        )
        self.db.execute(f"select retoma.{change}(%s)", (name,))

    def pause_or_resume(self) -> None:
        status = call(self.db, "select status from retoma_internal.campaign")
        if status in ("running", "interrupted") and self.random.random() < 0.3:
            self.db.execute("select retoma.pause_campaign('natal')")
        elif status == "paused" or (status, self.cause()) == ("interrupted", "breaker"):
            self.db.execute("select retoma.resume_campaign('natal')")

    def cause(self) -> object:
        return call(self.db, "select interrupt_cause from retoma_internal.campaign")

    def someone_opts_out(self) -> None:
        self.db.execute("select retoma.opt_out(%s)", (phone(self.random.randint(1, SIZE)),))

    def decide(self) -> None:
        in_doubt = self.ordinals_in("in_doubt")
        match self.random.choice(["sent", "failed", "resend", "retry"]):
            case "retry":
                for ordinal in self.ordinals_in("failed"):
                    self.holder[ordinal] = None
                self.db.execute("select retoma.retry_failed('natal')")
            case "resend":
                for ordinal in in_doubt:
                    self.holder[ordinal] = None
                self.db.execute("select retoma.resolve_in_doubt('natal', 'resend')")
            case decision:
                self.db.execute("select retoma.resolve_in_doubt('natal', %s)", (decision,))

    def ordinals_in(self, state: str) -> list[int]:
        rows = self.db.execute("select ordinal from retoma.v_message where state = %s", (state,))
        return [ordinal for (ordinal,) in rows]

    def finish(self) -> None:
        """Everything works again: the campaign has to come to its end by itself."""
        self.db.execute(
            "select retoma.channel_connected(name), retoma.resume_channel(name) from retoma_internal.channel"
        )
        for _ in range(200):
            status = call(self.db, "select status from retoma_internal.campaign")
            if status == "completed":
                return
            if status == "paused" or (status == "interrupted" and self.cause() == "breaker"):
                self.db.execute("select retoma.resume_campaign('natal')")
            move_clock(self.db, "2 minutes")
            tick(self.db)
            for name, channel_id in self.channels.items():
                leased = lease(self.db, self.runners[0], channel_id)
                if leased is not None:
                    self.leases.append((leased, name))
                    while (leased, name) in self.leases:
                        answers = [accepted(n)[0] for n in self.under_way[leased]]
                        move_clock(self.db, "1 s")
                        self.send(leased, name, 7, answers)
        pytest.fail(f"the campaign does not end: {books(self.db)}")


@pytest.mark.parametrize("seed", range(3))
def test_invariants_4_and_5_hold_on_a_random_walk(db: Db, seed: int) -> None:
    walk = Walk(db, seed)
    for _ in range(STEPS):
        walk.step()
        assert_counters_match_deliveries(db)
    walk.finish()

    assert_counters_match_deliveries(db)
    assert {"pending", "sending"}.isdisjoint(books(db))
    assert sum(books(db).values()) == SIZE


def test_invariant_3_no_function_waits_or_sleeps(db: Db) -> None:
    sleeping = db.execute(
        "select p.proname from pg_proc as p"
        " where p.pronamespace::regnamespace::text ~ '^retoma' and p.prosrc ~ 'pg_sleep'"
    ).fetchall()
    assert sleeping == []


def test_invariant_8_only_the_clock_of_the_database_decides(db: Db) -> None:
    others = db.execute(
        """
        with ours as materialized (
          select p.oid, p.proname from pg_proc as p where p.pronamespace::regnamespace::text ~ '^retoma'
        )
        select o.proname::text from ours as o
        where pg_get_functiondef(o.oid)
            ~* '\\y(now\\(\\)|current_timestamp|clock_timestamp|localtime|current_date)'
        """
    ).fetchall()
    # The heartbeats of procrastinate's workers are written with now(); the age of a session's transaction is
    # counted from the time that PostgreSQL gives it.
    assert {name for (name,) in others} == {"clock", "sweep_jobs", "open_transactions", "campaign_locks"}
