"""took_id: whether a provider takes our ids is believed when its answers show it, and no longer than that."""

from uuid import UUID

import pytest

from tests.support.campaigns import (
    Db,
    Lease,
    Outcome,
    advance,
    assert_counters_match_deliveries,
    books,
    call,
    error,
    make_campaign,
    make_channel,
    move_clock,
    must_lease,
    send_all,
    tick,
)

NOWEB: dict[str, object] = {
    "base_url": "http://127.0.0.1",
    "session": "s",
    "engine": "NOWEB",
    "check_numbers": False,
}


@pytest.fixture
def channel(db: Db) -> int:
    return make_channel(
        db, "sales", "waha", NOWEB, gap_min_s=0, gap_max_s=0, batch_gap_min_s=0, batch_gap_max_s=0
    )


def took(ordinal: int) -> Outcome:
    return {"ordinal": ordinal, "status": "accepted", "took_id": True}


def ignored(ordinal: int) -> Outcome:
    return {"ordinal": ordinal, "status": "accepted", "took_id": False, "provider_id": f"THEIRS{ordinal}"}


def send(db: Db, leased: Lease, outcome: str, ordinal: int) -> None:
    """Sends the next message; ordinal: the one that has to be next."""
    assert advance(db, leased, want=1).ordinals == [ordinal]
    outcomes = {
        "took": took(ordinal),
        "ignored": ignored(ordinal),
        "lost": error(ordinal, "connection_lost"),
    }
    advance(db, leased, [outcomes[outcome]])


def dedupes(db: Db) -> list[str]:
    return list(call(db, "select dedupes from retoma.v_channel"))


def test_a_channel_dedupes_only_after_an_answer_has_shown_our_id(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=10)
    leased = must_lease(db, runner, channel)
    assert dedupes(db) == []

    send(db, leased, "lost", 1)
    assert books(db) == {"in_doubt": 1, "pending": 9}
    send(db, leased, "took", 2)
    send(db, leased, "lost", 3)

    assert dedupes(db) == ["text"]
    assert books(db) == {"in_doubt": 1, "sent": 1, "pending": 8}
    assert call(db, "select outcome from retoma_internal.delivery where ordinal = 3") == "requeued"


def test_a_provider_that_ignores_our_ids_from_the_first_answer_on_gets_no_message_twice(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=5)
    leased = must_lease(db, runner, channel)

    send(db, leased, "ignored", 1)
    send(db, leased, "lost", 2)
    send(db, leased, "lost", 3)

    assert books(db) == {"sent": 1, "in_doubt": 2, "pending": 2}
    assert dedupes(db) == []
    assert call(db, "select ignores_ids from retoma.v_channel") == ["text"]
    told = db.execute("select channel, why from retoma.v_event where code = 'id_ignored'").fetchall()
    assert len(told) == 1
    assert told[0][0] == "sales"
    assert "another id than ours" in told[0][1]


def test_repeats_that_wait_are_given_up_when_an_answer_shows_another_id(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=5)
    leased = must_lease(db, runner, channel)
    send(db, leased, "took", 1)
    send(db, leased, "lost", 2)
    send(db, leased, "lost", 3)
    assert books(db) == {"sent": 1, "pending": 4}

    send(db, leased, "ignored", 4)
    move_clock(db, "1 hour")
    sent = send_all(db, runner, channel)
    tick(db)
    sent += send_all(db, runner, channel)

    assert sent == [5]
    assert books(db) == {"sent": 3, "in_doubt": 2}
    assert call(db, "select array_agg(code) from retoma.v_in_doubt") == ["id_ignored", "id_ignored"]
    assert_counters_match_deliveries(db)


def test_a_repeat_that_is_leased_already_is_given_up_too(db: Db, channel: int, runner: UUID) -> None:
    db.execute("select retoma.configure_channel('sales', p_pacing => '{\"max_leases\": 2}')")
    make_campaign(db, size=3)
    leased = must_lease(db, runner, channel)
    send(db, leased, "took", 1)
    send(db, leased, "lost", 2)
    move_clock(db, "110 s")  # the repeat is due, and the lease not over for long
    row = db.execute(
        "select batch_id, lease_epoch, reserved from retoma.lease_batch(%s, %s, array[%s::bigint])",
        (runner, channel, leased.batch_id),
    ).fetchone()
    assert row is not None
    repeat = Lease(runner, *row)

    send(db, leased, "ignored", 3)

    assert advance(db, repeat, want=1).messages == []
    assert books(db) == {"sent": 2, "in_doubt": 1}


def test_a_given_up_repeat_that_has_arrived_is_sent(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=3)
    leased = must_lease(db, runner, channel)
    send(db, leased, "took", 1)
    send(db, leased, "lost", 2)
    send(db, leased, "ignored", 3)
    db.execute(
        "select retoma.record_receipts('sales', jsonb_build_array(jsonb_build_object("
        "'message_id', retoma_internal.message_id(token, 2), 'status', 'delivered')))"
        " from retoma_internal.campaign"
    )
    move_clock(db, "1 hour")

    assert send_all(db, runner, channel) == []

    assert books(db) == {"sent": 3}


def test_what_an_operator_repeats_is_sent_whatever_the_provider_does(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=2)
    leased = must_lease(db, runner, channel)
    send(db, leased, "ignored", 1)
    send(db, leased, "lost", 2)

    db.execute("select retoma.resolve_in_doubt('natal', 'resend')")

    assert send_all(db, runner, channel) == [2]


def test_a_doubt_about_ids_lasts_until_messages_go_to_another_provider(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=4)
    leased = must_lease(db, runner, channel)
    send(db, leased, "ignored", 1)
    send(db, leased, "took", 2)
    assert dedupes(db) == []
    db.execute("select retoma.configure_channel('sales', '{\"timeout_s\": 20}')")
    assert call(db, "select ignores_ids from retoma.v_channel") == ["text"]

    db.execute("select retoma.configure_channel('sales', '{\"session\": \"t\"}')")

    assert call(db, "select ignores_ids from retoma.v_channel") == []
    send(db, leased, "took", 3)
    assert dedupes(db) == []  # this lease still sends with the old settings
    db.execute("select retoma.release_batch(%s, %s, %s)", leased.fence)
    leased = must_lease(db, runner, channel)
    send(db, leased, "took", 4)
    assert dedupes(db) == ["text"]


def test_a_proof_is_kept_with_new_settings_of_the_same_provider(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=1)
    leased = must_lease(db, runner, channel)
    send(db, leased, "took", 1)

    db.execute("select retoma.configure_channel('sales', '{\"timeout_s\": 20}')")

    assert dedupes(db) == ["text"]


def test_a_provider_that_shows_no_ids_is_believed_as_its_settings_say(db: Db) -> None:
    make_channel(db, "safe", "webhook", {"url": "http://127.0.0.1", "idempotent": True})

    assert "text" in dedupes(db)


def test_only_a_provider_that_took_our_ids_has_no_reports_on_others(
    db: Db, channel: int, runner: UUID
) -> None:
    def refusals() -> list[str]:
        receipts = '[{"provider_id": "TYPED", "status": "read"}]'
        row = db.execute("select refused from retoma.record_receipts('sales', %s)", (receipts,)).fetchone()
        assert row is not None
        return [item["key"] for item in row[0]]

    make_campaign(db, size=3)
    leased = must_lease(db, runner, channel)
    assert refusals() == []
    send(db, leased, "took", 1)
    assert refusals() == ["not_ours"]
    send(db, leased, "ignored", 2)
    assert refusals() == []


def test_a_provider_that_ignores_our_ids_reports_under_its_own(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=2)
    leased = must_lease(db, runner, channel)
    send(db, leased, "ignored", 1)

    receipts = '[{"provider_id": "THEIRS1", "status": "delivered"}]'
    db.execute("select retoma.record_receipts('sales', %s)", (receipts,))

    assert call(db, "select delivered from retoma.v_campaign_summary") == 1
