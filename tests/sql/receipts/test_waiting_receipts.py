"""record_receipts: a report that comes before its outcome, or about an unknown id, waits in the inbox."""

from uuid import UUID

import psycopg

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    books,
    call,
    freeze_clock,
    make_campaign,
    make_channel,
    move_clock,
    must_lease,
    release,
    send_all,
    tick,
)
from tests.support.receipts import in_doubt, message_id, record, report, totals, waiting

FETCHED = """
select sum(pg_stat_get_xact_tuples_fetched(i.indexrelid)) from pg_index as i
where i.indrelid in (select inhrelid from pg_inherits where inhparent = 'retoma_internal.delivery'::regclass)
"""


def report_on_all(db: Db, status: str) -> int:
    """One receipt for each message, all in one call."""
    receipts = call(
        db,
        "select jsonb_agg(jsonb_build_object("
        "'message_id', retoma_internal.message_id(c.token, d.ordinal), 'status', %s::text))"
        " from retoma_internal.delivery as d join retoma_internal.campaign as c on c.id = d.campaign_id",
        status,
    )
    return record(db, receipts).applied


def test_a_receipt_that_is_ahead_of_its_outcome_waits_for_it(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=2)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)

    assert report(db, "delivered") == 0
    assert totals(db) == (0, 0)
    advance(db, leased, accepted(1))

    assert tick(db)["settled"] == 1
    assert totals(db) == (1, 0)
    assert waiting(db) == 0


def test_many_receipts_at_once_are_looked_up_once_each(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=200, batch_size=200)
    send_all(db, runner, channel)
    # The inbox is empty nearly always, and so it is when it is analysed.
    report_on_all(db, "server")
    db.execute("analyze retoma_internal.receipt_inbox, retoma_internal.delivery, retoma_internal.batch")

    with db.transaction():
        before = call(db, FETCHED)
        assert report_on_all(db, "delivered") == 200
        fetched = call(db, FETCHED) - before

    assert totals(db) == (200, 0)
    assert fetched < 200 * 10


def test_a_receipt_that_came_before_its_runner_died_settles_the_message(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=1)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    report(db, "server")
    release(db, leased)
    assert books(db) == {"in_doubt": 1}

    tick(db)

    assert books(db) == {"sent": 1}


def test_invariant_4_a_receipt_that_waits_because_its_batch_is_in_use_makes_the_repeat_needless(
    db: Db, database: str, channel: int, runner: UUID
) -> None:
    in_doubt(db, runner, channel)
    with psycopg.connect(database) as operator:
        operator.execute("select retoma.resolve_in_doubt('natal', 'resend')")
        assert record(db, [{"message_id": message_id(db), "status": "delivered"}]).waiting == 1

    leased = must_lease(db, runner, channel)
    step = advance(db, leased, want=1)

    assert step.ordinals == []
    assert books(db) == {"sent": 1}


def test_a_report_with_an_unknown_id_of_the_provider_waits_for_the_length_of_two_leases(
    db: Db, channel: int
) -> None:
    freeze_clock(db)
    assert record(db, [{"provider_id": "wamid.9", "status": "read"}]) == (0, 1, [])

    for seconds in (119, 60):
        assert waiting(db) == 1
        move_clock(db, f"{seconds} s")
        assert tick(db)["settled"] == 0
    assert waiting(db) == 0


def test_a_report_on_a_message_that_was_never_sent_waits_a_day(db: Db, channel: int) -> None:
    make_campaign(db, size=1)
    assert report(db, "delivered") == 0

    move_clock(db, "23 hours")
    tick(db)
    db.execute("select retoma.cleanup()")
    assert waiting(db) == 1
    move_clock(db, "2 hours")
    db.execute("select retoma.cleanup()")
    assert waiting(db) == 0


def test_a_report_that_is_repeated_waits_once(db: Db, channel: int) -> None:
    for _ in range(3):
        record(db, [{"provider_id": "wamid.9", "status": "read"}] * 3)

    assert waiting(db) == 1


def test_the_inbox_of_a_channel_is_bounded(db: Db, channel: int) -> None:
    db.execute("update retoma.setting set receipts_waiting = 3")
    make_channel(db, "other")
    receipts = [{"provider_id": f"wamid.{n}", "status": "read"} for n in range(5)]

    first = record(db, receipts)
    again = record(db, receipts[4:])

    assert (first.applied, first.waiting) == (0, 3)
    assert [(r["item"], r["key"]) for r in first.refused] == [(4, "too_many_wait"), (5, "too_many_wait")]
    assert [r["key"] for r in again.refused] == ["too_many_wait"]
    assert record(db, receipts[:1], "other").waiting == 1


def test_a_tick_reads_the_inbox_in_portions_and_comes_to_all_of_it(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=1500, batch_size=1500)
    leased = must_lease(db, runner, channel)
    ordinals = advance(db, leased, want=1500).ordinals
    db.execute(
        "insert into retoma_internal.receipt_inbox (channel_id, provider_id, status, at)"
        " select %s, 'stranger.' || n, 'read', now() from generate_series(1, 2500) as n",
        (channel,),
    )
    ids = [row[0] for row in db.execute("select message_id from retoma.v_message").fetchall()]
    assert record(db, [{"message_id": i, "status": "delivered"} for i in ids]).waiting == 1500
    advance(db, leased, accepted(*ordinals))

    settled = []
    for _ in range(4):
        settled.append(tick(db)["settled"] or 0)

    assert sum(settled) == 1500
    assert max(settled) <= 1000
    assert totals(db) == (1500, 0)


def test_a_receipt_that_waits_longer_is_looked_at_more_rarely(db: Db, channel: int) -> None:
    freeze_clock(db)
    make_campaign(db, size=1)
    report(db, "read")
    move_clock(db, "1 hour")

    tick(db)

    wait = "select extract(epoch from try_after - retoma.clock())::int from retoma_internal.receipt_inbox"
    assert call(db, wait) == 900
