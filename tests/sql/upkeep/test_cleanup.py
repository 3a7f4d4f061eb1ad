"""cleanup: campaigns older than their retention are erased, the totals stay."""

from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from tests.support.campaigns import (
    Db,
    books,
    call,
    make_campaign,
    move_clock,
    must_lease,
    refused,
    release,
    send_all,
    status,
)


def cleanup(db: Db, retention: str | None = None) -> dict[str, int]:
    row = db.execute(
        sql.SQL("select campaigns, partitions, events, runners from retoma.cleanup({})").format(
            sql.SQL("") if retention is None else sql.Literal(retention)
        )
    ).fetchone()
    assert row is not None
    return dict(zip(("campaigns", "partitions", "events", "runners"), row, strict=True))


def rows(db: Db) -> int:
    return int(
        call(
            db,
            "select (select count(*) from retoma_internal.message)"
            " + (select count(*) from retoma_internal.delivery)",
        )
    )


def next_campaign_id(db: Db, campaign_id: int) -> None:
    db.execute(f"alter table retoma_internal.campaign alter column id restart with {campaign_id}")


def test_a_finished_campaign_is_erased_after_its_retention_and_its_totals_stay(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db)
    send_all(db, runner, channel)
    move_clock(db, "89 days")
    assert cleanup(db)["campaigns"] == 0
    move_clock(db, "2 days")

    assert cleanup(db)["campaigns"] == 1

    assert rows(db) == 0
    assert status(db) == "completed"
    assert books(db) == {"sent": 3}
    assert cleanup(db)["campaigns"] == 0


def test_rejects_and_lists_of_an_erased_campaign_go_with_it(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, zones={1: "Asia/Tokyo", 2: "Asia/Tokyo", 3: "Asia/Tokyo"}, start=False)
    db.execute("select retoma.add_recipients('natal', '[{\"phone\": \"nobody\"}]')")
    db.execute("select retoma.add_window('natal', '00:00', '24:00')")
    db.execute("select retoma.start_campaign('natal')")
    send_all(db, runner, channel)
    move_clock(db, "91 days")

    cleanup(db)

    assert call(db, "select count(*) from retoma.recipient_reject") == 0
    assert call(db, "select count(*) from retoma_internal.batch_list") == 0


@pytest.mark.parametrize("unfinished", ["running", "paused", "draft"])
def test_a_campaign_that_is_not_over_is_kept_however_old(db: Db, channel: int, unfinished: str) -> None:
    make_campaign(db, start=unfinished != "draft")
    if unfinished == "paused":
        db.execute("select retoma.pause_campaign('natal')")
    move_clock(db, "10 years")

    assert cleanup(db)["campaigns"] == 0

    assert rows(db) == 3


def test_a_shorter_retention_can_be_given(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db)
    send_all(db, runner, channel)
    move_clock(db, "2 days")

    assert cleanup(db, "1 day")["campaigns"] == 1


def test_a_retention_shorter_than_a_day_is_refused(db: Db) -> None:
    with refused(db, "RT003", "a retention cannot be 23:00:00"):
        cleanup(db, "23 hours")


def test_events_are_kept_for_their_own_retention(db: Db, channel: int) -> None:
    move_clock(db, "364 days")
    assert cleanup(db, "1 day")["events"] == 0
    move_clock(db, "2 days")
    db.execute("select retoma.pause_channel('sales')")

    assert cleanup(db)["events"] == 1

    assert call(db, "select array_agg(to_state) from retoma_internal.event") == ["paused"]


def test_proof_of_consent_is_kept(db: Db) -> None:
    db.execute("select retoma.opt_out('+15550100')")
    move_clock(db, "10 years")

    cleanup(db)

    assert call(db, "select count(*) from retoma_internal.consent") == 1
    assert call(db, "select count(*) from retoma_internal.suppression") == 1


def test_dead_runners_are_forgotten_after_a_day(db: Db, runner: UUID) -> None:
    move_clock(db, "23 hours")
    assert cleanup(db)["runners"] == 0
    move_clock(db, "2 hours")
    assert cleanup(db)["runners"] == 1


def test_a_partition_is_dropped_when_all_of_its_campaigns_are_erased(
    db: Db, channel: int, runner: UUID
) -> None:
    for campaign_id, name in ((98, "first"), (99, "second"), (100, "third")):
        next_campaign_id(db, campaign_id)
        make_campaign(db, name)
        send_all(db, runner, channel)
    assert _partitions(db) == ["delivery_p0", "delivery_p100", "message_p0", "message_p100"]
    move_clock(db, "91 days")
    make_campaign(db, "fresh")

    assert cleanup(db)["partitions"] == 2

    assert _partitions(db) == ["delivery_p100", "message_p100"]
    assert rows(db) == 3


def test_a_partition_with_a_campaign_that_is_kept_is_kept(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, "old")
    send_all(db, runner, channel)
    move_clock(db, "91 days")
    make_campaign(db, "fresh")
    next_campaign_id(db, 200)
    make_campaign(db, "later")

    cleaned = cleanup(db)

    assert (cleaned["campaigns"], cleaned["partitions"]) == (1, 0)
    assert "message_p0" in _partitions(db)


def test_a_partition_that_somebody_reads_is_left_for_the_next_time(
    db: Db, database: str, channel: int, runner: UUID
) -> None:
    make_campaign(db)
    send_all(db, runner, channel)
    next_campaign_id(db, 100)
    make_campaign(db, "later")
    move_clock(db, "91 days")
    with psycopg.connect(database) as reader:
        reader.execute("select count(*) from retoma_internal.message")

        assert cleanup(db)["partitions"] == 1

        reader.rollback()
        assert cleanup(db)["partitions"] == 1


def test_new_partitions_are_made_for_campaigns_far_apart(db: Db, channel: int, runner: UUID) -> None:
    next_campaign_id(db, 12_345)
    make_campaign(db)

    assert send_all(db, runner, channel) == [1, 2, 3]
    assert _partitions(db) == ["delivery_p12300", "message_p12300"]


def test_a_cancelled_campaign_is_erased_too(db: Db, channel: int) -> None:
    make_campaign(db)
    db.execute("select retoma.cancel_campaign('natal')")
    move_clock(db, "91 days")
    cleanup(db)

    assert rows(db) == 0
    assert books(db) == {"cancelled": 3}


def _partitions(db: Db) -> list[str]:
    found = db.execute(
        "select c.relname::text from pg_class as c where c.relnamespace::regnamespace::text ~ '^retoma'"
        " and c.relispartition and c.relkind = 'r' order by 1"
    )
    return [name for (name,) in found]


def test_a_campaign_is_not_erased_while_somebody_holds_a_batch_of_it(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db)
    leased = must_lease(db, runner, channel)
    db.execute("select retoma.cancel_campaign('natal')")
    move_clock(db, "91 days")
    assert cleanup(db)["campaigns"] == 0

    release(db, leased)

    assert cleanup(db)["campaigns"] == 1
