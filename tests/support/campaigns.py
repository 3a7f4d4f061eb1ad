"""Short words for the situations that the specification of the database starts from.

They are reached through its public functions only.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, LiteralString, cast
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from retoma.content.check import check

Db = psycopg.Connection
Outcome = dict[str, object]

BOOKS = ("pending", "sending", "sent", "failed", "skipped", "in_doubt", "cancelled")


@dataclasses.dataclass(frozen=True)
class Lease:
    """What lease_batch gave to a runner: the batch, its epoch, and how far it was reserved."""

    runner: UUID
    batch_id: int
    epoch: int
    reserved: int

    @property
    def fence(self) -> tuple[UUID, int, int]:
        """What every call of a runner about this lease begins with."""
        return self.runner, self.batch_id, self.epoch


@dataclasses.dataclass(frozen=True)
class Step:
    """What advance_batch answered: messages to send (ordinal, id, phone, variables), and those withdrawn."""

    action: str
    wait_s: float | None
    reserved: int
    messages: list[tuple[int, str, str, dict[str, object]]]
    withdrawn: list[int]
    why_not: str | None

    @property
    def ordinals(self) -> list[int]:
        return [message[0] for message in self.messages]


def call(db: Db, statement: str, *parameters: object) -> Any:
    """The one value that a statement returns."""
    row = db.execute(statement, parameters).fetchone()
    assert row is not None
    return row[0]


def phone(number: int) -> str:
    """The number of the recipient with this ordinal: a Brazilian mobile in the nine-digit form."""
    return f"+55119555{10000 + number}"


def make_channel(
    db: Db,
    name: str = "sales",
    transport: str = "null",
    settings: Mapping[str, object] | None = None,
    **pacing: Any,
) -> int:
    """Makes a channel and returns its id.

    Args:
        pacing: keys of the pacing patch. A gap_min_s without gap_max_s is a fixed gap.
    """
    if "gap_min_s" in pacing:
        pacing = {"gap_max_s": pacing["gap_min_s"]} | pacing
    if "batch_gap_min_s" in pacing:
        pacing = {"batch_gap_max_s": pacing["batch_gap_min_s"]} | pacing
    statement = "select retoma.create_channel(%s, %s, %s, %s)"
    return int(call(db, statement, name, transport, Jsonb(settings or {}), Jsonb(pacing)))


def make_campaign(
    db: Db,
    name: str = "natal",
    size: int = 3,
    channels: Iterable[str] = ("sales",),
    *,
    text: str = "Olá",
    checked: bool = True,
    start: bool = True,
    zones: Mapping[int, str | None] | None = None,
    **options: Any,
) -> int:
    """Makes a campaign with `size` recipients, and starts it unless told not to.

    Args:
        checked: whether its content is checked at once, as by the CLI.
        zones: ordinal to time zone; the others have none.
        options: further parameters of create_campaign without their p_.

    Returns:
        The id of the campaign.
    """
    given: dict[str, object] = {"name": name, "channels": list(channels), "text": text}
    campaign_id = int(_named(db, "create_campaign", given | options))
    if checked and "{" in text:
        check_content(db, campaign_id, text)
    recipients = [
        {"phone": phone(n), "variables": {"name": f"n{n}"}, "zone": (zones or {}).get(n)}
        for n in range(1, size + 1)
    ]
    db.execute("select retoma.add_recipients(%s, %s)", (name, Jsonb(recipients)))
    if start:
        db.execute("select retoma.start_campaign(%s)", (name,))
    return campaign_id


def check_content(db: Db, campaign_id: int, text: str) -> None:
    """Checks the text of a campaign as a runner does."""
    checked = check([("text", text)])
    db.execute(
        "select retoma.record_content_check(%s, 1, %s, null, %s)",
        (campaign_id, checked.required_variables, checked.optional_variables),
    )


def make_runner(db: Db, name: str = "runner-1") -> UUID:
    """Registers a runner that lives as long as this connection."""
    runner_id = uuid4()
    db.execute("select retoma.register_runner(%s, %s)", (runner_id, name))
    return runner_id


def lease(db: Db, runner: UUID, channel_id: int) -> Lease | None:
    """Leases a batch; None when there is nothing to do."""
    row = db.execute(
        "select batch_id, lease_epoch, reserved from retoma.lease_batch(%s, %s)", (runner, channel_id)
    ).fetchone()
    assert row is not None
    return None if row[0] is None else Lease(runner, *row)


def must_lease(db: Db, runner: UUID, channel_id: int) -> Lease:
    """Leases a batch that has to be there."""
    leased = lease(db, runner, channel_id)
    assert leased is not None, "no batch to lease"
    return leased


def advance(
    db: Db, leased: Lease, outcomes: Iterable[Outcome] = (), want: int = 0, seen: int | None = None
) -> Step:
    """One step of a lease, with what was simply accepted as an array, as the runner gives it."""
    given = list(outcomes)
    simple = [o for o in given if o in accepted(cast(int, o["ordinal"]))]
    others = [o for o in given if o not in simple]
    row = db.execute(
        "select action, wait_s, reserved, messages, why_not"
        " from retoma.advance_batch(%s, %s, %s, %s, %s, %s, %s::int[])",
        (*leased.fence, Jsonb(others), want, seen, [o["ordinal"] for o in simple]),
    ).fetchone()
    assert row is not None
    # A fifth element true: not to be sent any more. A sixth one: the variant, where there are several.
    messages = [(tuple(message[:4]), message[4:5] == [True]) for message in row[3] or []]
    return Step(
        action=row[0],
        wait_s=row[1],
        reserved=row[2],
        messages=[message for message, withdrawn in messages if not withdrawn],
        withdrawn=[message[0] for message, withdrawn in messages if withdrawn],
        why_not=row[4],
    )


def accepted(*ordinals: int) -> list[Outcome]:
    return [{"ordinal": ordinal, "status": "accepted"} for ordinal in ordinals]


def error(ordinal: int, code: str, **facts: object) -> Outcome:
    """The outcome of a send that failed; facts: written, http_status, retry_after_s."""
    return {"ordinal": ordinal, "status": "error", "code": code, **facts}


def lose_commits(db: Db, *statements: LiteralString) -> None:
    """Makes the rows what they were some commits ago, as on a standby that was promoted without these."""
    with db.transaction():
        db.execute("set local session_replication_role to replica")  # no triggers
        for statement in statements:
            db.execute(statement)


def send_all(db: Db, runner: UUID, channel_id: int) -> list[int]:
    """Leases and sends whatever the channel has now, all of it accepted. Returns the ordinals in order.

    Raises:
        AssertionError: a batch is leased again although it could send nothing: runners would do so for ever.
    """
    sent: list[int] = []
    ended: set[tuple[int, int]] = set()
    while leased := lease(db, runner, channel_id):
        while (step := advance(db, leased, want=300)).action == "send":
            advance(db, leased, accepted(*step.ordinals))
            sent += step.ordinals
            if not _is_leased(db, leased):
                break
        assert (leased.batch_id, step.reserved) not in ended, step
        ended.add((leased.batch_id, step.reserved))
    return sent


def release(db: Db, leased: Lease) -> None:
    """The runner gives the batch back."""
    db.execute("select retoma.release_batch(%s, %s, %s)", leased.fence)


def _is_leased(db: Db, leased: Lease) -> bool:
    return bool(
        call(
            db,
            "select exists (select from retoma_internal.batch"
            " where id = %s and lease_epoch = %s and status = 'leased')",
            leased.batch_id,
            leased.epoch,
        )
    )


def set_limit(
    db: Db, maximum: int | None, per: str = "day", *, scope: str = "channel", zone: str | None = None
) -> None:
    """A limit of the channel sales, or of the campaign natal."""
    name = {"channel": "sales", "campaign": "natal"}[scope]
    db.execute("select retoma.set_limit(%s, %s, %s, %s, %s)", (scope, name, maximum, per, zone))


def freeze_clock(db: Db) -> None:
    """Lets the clock of the database stand still, so that a test alone decides when time passes."""
    db.execute(
        """
        create or replace function retoma.clock() returns timestamptz language sql volatile parallel safe
        begin atomic
          select timestamptz '2026-03-02 12:00 UTC' + s.clock_shift from retoma.setting as s;
        end
        """
    )


def move_clock(db: Db, interval: str) -> None:
    """Moves the clock of the database on, for example by '1 minute'."""
    db.execute("update retoma.setting set clock_shift = clock_shift + %s::interval", (interval,))


def set_clock(db: Db, at: str) -> None:
    """Sets the clock of the database, for example to '2026-03-02 12:00 UTC'; it goes or stands from there."""
    db.execute(
        "update retoma.setting set clock_shift = %s::timestamptz - (retoma.clock() - clock_shift)", (at,)
    )


def tick(db: Db, runner: UUID | None = None) -> dict[str, int | None]:
    """One tick: how many receipts were settled, leases reaped, campaigns started, channels rung."""
    row = db.execute("select settled, reaped, started, rung from retoma.tick(%s)", (runner,)).fetchone()
    assert row is not None
    return dict(zip(("settled", "reaped", "started", "rung"), row, strict=True))


def books(db: Db, campaign: str = "natal") -> dict[str, int]:
    """The books of a campaign without their zeros; that they balance is checked on the way."""
    row = db.execute(
        "select total, pending, sending, sent, failed, skipped, in_doubt, cancelled"
        " from retoma.v_campaign_summary where campaign = %s",
        (campaign,),
    ).fetchone()
    assert row is not None
    assert row[0] == sum(row[1:])
    return {state: int(count) for state, count in zip(BOOKS, row[1:], strict=True) if count}


def status(db: Db, campaign: str = "natal") -> str:
    """The status of a campaign as the summary shows it."""
    return str(call(db, "select status from retoma.v_campaign_summary where campaign = %s", campaign))


def state(db: Db, ordinal: int, campaign: str = "natal") -> str:
    """The state of one message."""
    return str(
        call(
            db,
            "select state from retoma.v_message where campaign = %s and ordinal = %s",
            campaign,
            ordinal,
        )
    )


def doorbells(db: Db) -> list[int]:
    """Ids of the channels whose doorbell has rung and was not answered yet."""
    rows = db.execute(
        "select (args ->> 'channel_id')::int from procrastinate.procrastinate_jobs"
        " where status = 'todo' order by 1"
    )
    return [row[0] for row in rows]


def silence(db: Db) -> None:
    """Takes all doorbell jobs away, as if they had been done."""
    # Two sessions that do this at once would deadlock.
    db.execute(
        "delete from procrastinate.procrastinate_jobs where id in"
        " (select id from procrastinate.procrastinate_jobs for update skip locked)"
    )


def assert_counters_match_deliveries(db: Db) -> None:
    """The counters of every batch, and the books of every campaign, equal a recount from single messages."""
    wrong_batches = db.execute(
        """
        select b.id, b.sent, b.failed, b.skipped, b.in_doubt, b.requeued, b.delivered, b.read, d.*
        from retoma_internal.batch as b
        cross join lateral (
          select
            count(*) filter (where d.outcome = 'sent'), count(*) filter (where d.outcome = 'failed'),
            count(*) filter (where d.outcome = 'skipped'), count(*) filter (where d.outcome = 'in_doubt'),
            count(*) filter (where d.outcome = 'requeued'),
            count(*) filter (where d.receipt in ('delivered', 'read')),
            count(*) filter (where d.receipt = 'read')
          from retoma_internal.delivery as d where d.batch_id = b.id
        ) as d (sent, failed, skipped, in_doubt, requeued, delivered, read)
        where (b.sent, b.failed, b.skipped, b.in_doubt, b.requeued, b.delivered, b.read)
          is distinct from (d.sent, d.failed, d.skipped, d.in_doubt, d.requeued, d.delivered, d.read)
        """
    ).fetchall()
    assert wrong_batches == []
    recount = "select campaign, state, count(*) from retoma.v_message group by 1, 2"
    counted = {(campaign, name): count for campaign, name, count in db.execute(recount).fetchall()}
    for (campaign,) in db.execute(
        "select name from retoma_internal.campaign where erased_at is null"
    ).fetchall():
        shown = {(campaign, name): count for name, count in books(db, campaign).items()}
        assert shown == {key: count for key, count in counted.items() if key[0] == campaign}
    assert_counts_match_deliveries(db)


def assert_counts_match_deliveries(db: Db) -> None:
    """v_message_count says by state, code and channel what the books and the single deliveries say."""
    shown = db.execute(
        "select campaign, state, code, channel, messages from retoma.v_message_count"
        " where state in ('sent', 'failed', 'skipped', 'in_doubt') and channel is not null"
    )
    counted = db.execute(
        "select campaign, outcome, code, channel, count(*) from retoma.v_delivery where outcome <> 'requeued'"
        " group by 1, 2, 3, 4"
    )
    assert set(shown) == set(counted)
    by_state = "select campaign, state, sum(messages)::bigint from retoma.v_message_count group by 1, 2"
    campaigns = [name for (name,) in db.execute("select name from retoma_internal.campaign")]
    assert set(db.execute(by_state)) == {
        (campaign, name, count) for campaign in campaigns for name, count in books(db, campaign).items()
    }


@contextmanager
def refused(db: Db, sqlstate: str, words: str = "") -> Iterator[None]:
    """The statement inside is refused with this SQLSTATE, these words and a hint, and changes nothing.

    Raises:
        AssertionError: it is not.
    """
    before = _fingerprint(db)
    with pytest.raises(psycopg.Error) as caught:
        yield
    diagnosis = caught.value.diag
    assert diagnosis.sqlstate == sqlstate, caught.value
    assert words in (diagnosis.message_primary or "")
    assert diagnosis.message_hint, "a refusal says what to do"
    assert _fingerprint(db) == before


def _fingerprint(db: Db) -> str:
    tables = db.execute(
        "select c.oid::regclass::text from pg_class as c"
        " where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace in"
        " ("
        "'retoma'::regnamespace, 'retoma_internal'::regnamespace, 'procrastinate'::regnamespace) order by 1"
    ).fetchall()
    parts = [
        sql.SQL(
            "select coalesce(md5(string_agg(t::text, '' order by t::text)), '') as part from {} as t"
        ).format(sql.Identifier(*table.split(".")))
        for (table,) in tables
    ]
    row = db.execute(
        sql.SQL("select string_agg(part, ' ' order by part) from ({}) as parts").format(
            sql.SQL(" union all ").join(parts)
        )
    ).fetchone()
    assert row is not None
    return str(row[0])


def _named(db: Db, function: str, arguments: Mapping[str, object]) -> Any:
    statement = sql.SQL("select retoma.{}({})").format(
        sql.Identifier(function),
        sql.SQL(", ").join(
            sql.SQL("{} => {}").format(sql.Identifier(f"p_{name}"), sql.Placeholder()) for name in arguments
        ),
    )
    row = db.execute(statement, list(arguments.values())).fetchone()
    assert row is not None
    return row[0]
