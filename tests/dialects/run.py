"""A campaign through one dialect: answers get lost, a runner is killed, and the books meet the ledger."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from retoma.rehearsal.audit import audit
from tests.dialects.catalogue import APP_SECRET, Dialect
from tests.support.receivers import Receiver
from tests.support.runners import Runners, runners_on
from tests.support.sandbox_process import SandboxProcess, start_sandbox
from tests.support.waiting import PATIENT_S, wait_until

CHANNEL, CAMPAIGN, LATER = "sales", "spring", "later"

DROPPED = 0.05
"""Of the requests that the provider takes, so many are never answered."""

IN_FLIGHT, LEASES = 8, 2
LATENCY_MS = [5, 20]

_LATER = 5
_PER_CALL = 4_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Args:
        messages: recipients of the campaign.
        sent: messages that the database calls sent, all of which the provider delivered.
        in_doubt: messages in v_in_doubt at the end.
        arrived_in_doubt: those of them that the provider delivered; the others never left the killed
            runner.
        delivered: different messages that the provider delivered.
        lost: see retoma.rehearsal.audit.
        duplicated: see there.
        misjudged: see there.
        repeats: requests that came again under an id that the provider shows once.
        lost_answers: attempts whose answer never came.
        in_doubt_at_end: messages in doubt when the campaign was completed.
        sent_by_itself: messages that were in doubt then, and that the provider got once more afterwards.
        seconds: from the start of the campaign until the last doubt that could be settled was settled.
    """

    messages: int
    sent: int
    in_doubt: int
    arrived_in_doubt: int
    delivered: int
    lost: int
    duplicated: int
    misjudged: int
    repeats: int
    lost_answers: int
    in_doubt_at_end: int
    sent_by_itself: int
    seconds: float

    def faults(self, dialect: Dialect) -> list[str]:
        """What is not as it was promised."""
        promises = {
            "nothing is lost": self.lost == 0,
            "nothing is delivered twice": self.duplicated == 0,
            "nothing is recorded wrongly": self.misjudged == 0,
            "every message is sent or in doubt": self.sent + self.in_doubt == self.messages,
            "nothing in doubt is sent again by itself": self.sent_by_itself == 0,
            # Without a doubt, nothing was shown here.
            "answers were lost": self.lost_answers > 0,
            "what can be proved is settled": {
                "all": self.in_doubt == 0,
                "arrival": self.arrived_in_doubt == 0,
                "nothing": self.in_doubt == self.in_doubt_at_end,
            }[dialect.proves],
            "no more is open than was under way at the kill": (
                self.in_doubt - self.arrived_in_doubt <= LEASES * IN_FLIGHT
            ),
        }
        return [promise for promise, kept in promises.items() if not kept]


def run(
    db: psycopg.Connection[Any],
    database: str,
    directory: Path,
    dialect: Dialect,
    *,
    messages: int,
    rate: float,
    seed: int,
    deadline_s: float = PATIENT_S,
) -> Outcome:
    """Send a campaign, kill a runner halfway, and judge.

    Args:
        db: to an installed database that nothing else uses.
        database: its URL.
        directory: for the ledger and the logs.
        messages: recipients.
        rate: messages per second of the channel.
        seed: decides which answers are lost.
        deadline_s: for the campaign, and then for its doubts.

    Raises:
        AssertionError: the campaign did not come to its end in time.
    """
    options = ["--seed", str(seed), *(["--ignores-ids", CHANNEL] if dialect.ignores_ids else [])]
    sandbox = start_sandbox(directory / "ledger", *options)
    receiver: Receiver | None = None
    try:
        _prepare(db, sandbox, dialect, rate)
        if dialect.reports:
            receiver = Receiver(database, directory / "receiver.log")
            address = f"http://{receiver.address}/hooks/{CHANNEL}"
            plan = {"url": address, "key": APP_SECRET, "statuses": ["server"], "delay_ms": [0, 200]}
            assert sandbox.call("POST", "/_sandbox/receipts", plan)[0] == 200
        with runners_on(database, directory) as runners:
            _start(db, CAMPAIGN, messages, first=0)
            started_at = time.monotonic()
            _kill_halfway(db, runners, messages, deadline_s)
            wait_until(lambda: _status(db, CAMPAIGN) == "completed", deadline_s)
            doubts = _in_doubt(db)
            if dialect.proves == "all":
                wait_until(lambda: not _in_doubt(db), deadline_s)
            elif dialect.proves == "arrival":
                wait_until(lambda: not _in_doubt(db) & _recipients(sandbox), deadline_s)
            seconds = time.monotonic() - started_at
            # Runners and channel go on meanwhile, and could send what is in doubt again.
            before = _requests(sandbox)
            _start(db, LATER, _LATER, first=messages)
            wait_until(lambda: _status(db, LATER) == "completed", deadline_s)
        open_ones = _in_doubt(db)
        found = audit(db, [CAMPAIGN], sandbox.ledger / "ledger.jsonl")
        resent = [e for e in sandbox.entries(CHANNEL)[before:] if e["to"] in doubts]
        return Outcome(
            messages=messages,
            sent=found.sent,
            in_doubt=len(open_ones),
            arrived_in_doubt=len(open_ones & _recipients(sandbox)),
            delivered=found.delivered,
            lost=found.lost,
            duplicated=found.duplicated,
            misjudged=found.misjudged,
            repeats=found.repeats,
            lost_answers=_lost_answers(db),
            in_doubt_at_end=len(doubts),
            sent_by_itself=len(resent),
            seconds=seconds,
        )
    finally:
        sandbox.kill()
        if receiver is not None:
            receiver.end()


def _prepare(db: psycopg.Connection[Any], sandbox: SandboxProcess, dialect: Dialect, rate: float) -> None:
    lost = {"do": "accept_then_drop", "probability": DROPPED}
    slow = {"do": "slow", "latency_ms": LATENCY_MS}
    assert sandbox.call("POST", "/_sandbox/faults", [lost, slow])[0] == 200
    settings = {"base_url": f"{sandbox.url}/{dialect.address}", **dialect.settings, dialect.named: CHANNEL}
    gaps = dict.fromkeys(("gap_min_s", "gap_max_s", "batch_gap_min_s", "batch_gap_max_s"))
    pacing = {
        **gaps,
        "rate_per_s": rate,
        "burst": IN_FLIGHT,
        "max_in_flight": IN_FLIGHT,
        "max_leases": LEASES,
    }
    db.execute(
        "select retoma.create_channel(%s, %s, %s, %s)",
        [CHANNEL, dialect.transport, Jsonb({**settings, "timeout_s": PATIENT_S}), Jsonb(pacing)],
    )
    # Nobody waits a minute to ask, or to send again.
    db.execute("update retoma.setting set lookup_after = '1 s'")
    db.execute("update retoma.error_rule set defer_s = 1 where class = 'ambiguous'")


def _start(db: psycopg.Connection[Any], name: str, messages: int, first: int) -> None:
    """A started campaign with that many recipients, whose numbers begin at `first`."""
    db.execute(
        "select retoma.create_campaign(%s, %s::text, 'Olá', p_batch_size => %s)",
        [name, CHANNEL, max(min(messages // 8, 300), 1)],
    )
    for begin in range(0, messages, _PER_CALL):
        numbers = range(first + begin, first + min(begin + _PER_CALL, messages))
        people = [{"phone": f"+55119555{n:05}"} for n in numbers]
        db.execute("select retoma.add_recipients(%s, %s)", [name, Jsonb(people)])
    db.execute("select retoma.start_campaign(%s)", [name])


def _kill_halfway(db: psycopg.Connection[Any], runners: Runners, messages: int, deadline_s: float) -> None:
    """Two runners, one of which is killed with messages in its hands when half of them are dealt with."""
    started = {name: runners.start(name) for name in ("r1", "r2")}

    def holder() -> str:
        row = db.execute(
            """
            select r.runner from retoma.v_runner as r, retoma.v_campaign_summary as s
            where s.campaign = %s and s.sending > 0 and s.pending <= %s and r.leases > 0
            order by r.runner limit 1
            """,
            [CAMPAIGN, messages / 2],
        ).fetchone()
        return str(row[0]) if row else ""

    started[wait_until(holder, deadline_s)].kill()


def _status(db: psycopg.Connection[Any], name: str) -> str:
    row = db.execute("select status from retoma.v_campaign_summary where campaign = %s", [name]).fetchone()
    assert row is not None
    status: str = row[0]
    return status


def _in_doubt(db: psycopg.Connection[Any]) -> set[str]:
    """The numbers of the recipients in doubt, of which the view shows only the ends."""
    rows = db.execute(
        """
        select m.phone from retoma.v_in_doubt as d
        inner join retoma.message_state as m on d.message_id = m.message_id and d.campaign = m.campaign
        where d.campaign = %s
        """,
        [CAMPAIGN],
    )
    return {row[0] for row in rows}


def _lost_answers(db: psycopg.Connection[Any]) -> int:
    row = db.execute(
        "select count(*) from retoma_internal.delivery where code in ('connection_lost', 'runner_gone')"
    ).fetchone()
    assert row is not None
    count: int = row[0]
    return count


def _recipients(sandbox: SandboxProcess) -> set[str]:
    """The numbers of the people who got a message; nothing is refused here."""
    return {entry["to"] for entry in sandbox.entries(CHANNEL)}


def _requests(sandbox: SandboxProcess) -> int:
    return len(sandbox.entries(CHANNEL))
