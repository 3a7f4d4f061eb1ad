"""v_message_count: what failed, and why, without reading messages; v_message reads each of them once."""

import json
from uuid import UUID

import pytest

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    assert_counters_match_deliveries,
    error,
    make_campaign,
    make_channel,
    make_runner,
    move_clock,
    must_lease,
    phone,
    release,
    send_all,
)

Count = tuple[str, str | None, str | None, int]


@pytest.fixture
def runner(db: Db) -> UUID:
    return make_runner(db)


def counts(db: Db, campaign: str = "natal") -> list[Count]:
    return db.execute(
        "select state, code, channel, messages from retoma.v_message_count where campaign = %s"
        " order by state, code, channel",
        (campaign,),
    ).fetchall()


def test_each_state_comes_with_its_codes_and_channels(db: Db, channel: int, runner: UUID) -> None:
    db.execute("select retoma.opt_out(%s)", (phone(8),))
    make_campaign(db, size=10, batch_size=8)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=7)
    failures = [error(4, "http_400"), error(5, "http_400"), error(6, "no_account"), error(7, "timeout")]
    advance(db, leased, [*accepted(1, 2), *failures], want=1)

    assert counts(db) == [
        ("failed", "http_400", "sales", 2),
        ("in_doubt", "no_account", "sales", 1),
        ("in_doubt", "timeout", "sales", 1),
        ("pending", None, None, 2),
        ("sending", None, "sales", 1),
        ("sent", None, "sales", 2),
        ("skipped", "suppressed", "sales", 1),
    ]
    assert_counters_match_deliveries(db)


def test_what_a_receipt_or_a_person_decides_moves(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=3)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=3)
    advance(db, leased, [*accepted(1), error(2, "timeout"), error(3, "timeout")])
    db.execute("select retoma.resolve_in_doubt('natal', 'failed', %s)", ([phone(2)],))
    db.execute("select retoma.resolve_in_doubt('natal', 'sent', %s)", ([phone(3)],))

    assert counts(db) == [
        ("failed", "operator", "sales", 1),
        ("sent", "operator", "sales", 1),
        ("sent", None, "sales", 1),
    ]


def test_a_batch_that_two_channels_shared_is_counted_for_both(db: Db, channel: int, runner: UUID) -> None:
    support = make_channel(db, "support")
    make_campaign(db, size=6, channels=["sales", "support"])
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=4)
    advance(db, leased, [*accepted(1, 2, 3), error(4, "http_400")])
    release(db, leased)
    send_all(db, runner, support)

    assert counts(db) == [
        ("failed", "http_400", "sales", 1),
        ("sent", None, "sales", 3),
        ("sent", None, "support", 2),
    ]


def test_a_message_that_is_tried_again_is_pending(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=2)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=2)
    advance(db, leased, [*accepted(1), error(2, "connect_failed", written=False)])

    assert counts(db) == [("pending", None, None, 1), ("sent", None, "sales", 1)]

    move_clock(db, "1 hour")
    send_all(db, runner, channel)
    assert counts(db) == [("sent", None, "sales", 2)]


@pytest.mark.parametrize(("cancelled", "state"), [(False, "pending"), (True, "cancelled")])
def test_a_draft_has_only_messages_without_a_channel(
    db: Db, channel: int, cancelled: bool, state: str
) -> None:
    make_campaign(db, size=3, start=False)
    if cancelled:
        db.execute("select retoma.cancel_campaign('natal')")

    assert counts(db) == [(state, None, None, 3)]


def test_the_counts_of_an_erased_campaign_stay(db: Db, channel: int, runner: UUID) -> None:
    support = make_channel(db, "support")
    make_campaign(db, size=4, batch_size=2, channels=["sales", "support"])
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    advance(db, leased, accepted(1))
    release(db, leased)
    send_all(db, runner, support)
    move_clock(db, "100 days")
    db.execute("select retoma.cleanup()")

    assert counts(db) == [("sent", None, "support", 2), ("sent", None, None, 2)]


@pytest.mark.parametrize("zones", [None, {1: "America/Sao_Paulo"}])
def test_counting_pending_messages_by_state_reads_each_batch_once(
    db: Db, channel: int, runner: UUID, zones: dict[int, str] | None
) -> None:
    """The pages that are read grow as the messages do: twice as many messages, not four times the pages."""
    pages = []
    for name, size in (("small", 500), ("large", 1000)):
        make_campaign(db, name, size=size, batch_size=2, start=False, time_zone="UTC", zones=zones)
        if zones:
            db.execute("select retoma.add_window(%s, '00:00', '24:00')", (name,))
        db.execute("select retoma.start_campaign(%s)", (name,))
        must_lease(db, runner, channel)
        db.execute("analyze")
        pages.append(pages_read(db, name))

    assert pages[1] < 3 * pages[0], pages


def pages_read(db: Db, campaign: str) -> int:
    row = db.execute(
        "explain (analyze, buffers, format json) select state, count(*) from retoma.v_message"
        " where campaign_id = (select id from retoma_internal.campaign where name = %s) group by state",
        (campaign,),
    ).fetchone()
    assert row is not None
    (plan,) = row[0] if isinstance(row[0], list) else json.loads(row[0])
    return int(plan["Plan"]["Shared Hit Blocks"]) + int(plan["Plan"]["Shared Read Blocks"])
