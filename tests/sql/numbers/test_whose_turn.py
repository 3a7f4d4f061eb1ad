"""numbers_to_check: which channel is asked about which numbers, and when nobody has to be."""

from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    advance,
    books,
    call,
    error,
    lease,
    make_campaign,
    make_channel,
    make_runner,
    move_clock,
    must_lease,
    phone,
    refused,
    release,
    send_all,
)
from tests.support.numbers import answer, answer_all, ask, ask_one, found, gateway, handed_out


def test_numbers_are_checked_just_in_time(db: Db, sales: int, runner: UUID) -> None:
    make_campaign(db, size=6, batch_size=2)
    answer_all(db)
    assert call(db, "select count(*) from retoma_internal.number_check") == 2
    leased = must_lease(db, runner, sales)

    answer_all(db)

    assert call(db, "select count(*) from retoma_internal.number_check") == 4
    release(db, leased)


def test_a_scheduled_campaign_is_made_ready_in_the_hour_before(db: Db, sales: int) -> None:
    make_campaign(db, size=1, starts_at="2026-03-02 15:00 UTC")
    assert ask(db) == []
    move_clock(db, "2 hours")
    assert ask_one(db)["phones"] == [phone(1)]


@pytest.mark.parametrize("end", ["pause_channel('sales')", "channel_disconnected('sales')"])
def test_a_channel_that_cannot_be_used_is_not_asked(db: Db, sales: int, end: str) -> None:
    make_campaign(db, size=1)
    db.execute(f"select retoma.{end}".encode())
    assert ask(db) == []


def test_another_channel_goes_on_where_nobody_can_be_asked(db: Db, sales: int, runner: UUID) -> None:
    other = make_channel(db, "other")
    make_campaign(db, size=2, channels=["sales", "other"])
    assert len(ask(db)) == 1
    assert lease(db, runner, other) is None
    db.execute("select retoma.channel_disconnected('sales')")

    assert ask(db) == []
    move_clock(db, "50 seconds")  # it may only have lost its connection for a moment
    assert ask(db) == []
    assert lease(db, runner, other) is None
    move_clock(db, "10 seconds")
    assert ask(db) == []

    assert send_all(db, runner, other) == [1, 2]


def test_a_channel_that_is_told_not_to_check_lets_waiting_batches_go(
    db: Db, sales: int, runner: UUID
) -> None:
    make_campaign(db, size=2)
    db.execute("select retoma.configure_channel('sales', '{\"check_numbers\": false}')")
    assert ask(db) == []
    assert send_all(db, runner, sales) == [1, 2]


def test_a_channel_that_does_not_check_sends_at_once(db: Db, runner: UUID) -> None:
    channel = gateway(db, check_numbers=False)
    make_campaign(db, size=2)
    assert send_all(db, runner, channel) == [1, 2]


def test_a_retry_needs_no_check(db: Db, sales: int, runner: UUID) -> None:
    make_campaign(db, size=1)
    answer_all(db)
    leased = must_lease(db, runner, sales)
    advance(db, leased, want=1)
    advance(db, leased, [error(1, "session_STARTING", written=False)])
    move_clock(db, "1 hour")
    assert send_all(db, runner, sales) == [1]


def test_two_channels_ask_for_different_campaigns(db: Db, sales: int) -> None:
    gateway(db, "support", session="apoio")
    make_campaign(db, "natal", size=1, channels=["sales", "support"])
    make_campaign(db, "festa", size=2, channels=["sales", "support"])

    assert sorted(len(row["phones"]) for row in ask(db)) == [1, 2]


def test_what_waits_for_numbers_says_so(db: Db, sales: int, runner: UUID) -> None:
    make_campaign(db, size=8)
    waiting = "select cause, reason, waits_until from retoma.v_waiting_campaigns"
    assert db.execute(waiting).fetchall() == [
        ("numbers", "the numbers of its next batch are being checked", None)
    ]
    answer(db, ask_one(db), *(found(n) for n in range(1, 6)))

    said = "the numbers of its next batch are being checked: 5 of 8"
    assert db.execute(waiting).fetchall() == [("numbers", said, None)]
    assert call(db, "select reason from retoma.v_campaign_summary") == said
    assert db.execute("select not_before, checks_numbers from retoma.campaign_batch_details").fetchall() == [
        (None, True)
    ]


def test_a_session_that_was_left_open_does_not_hold_the_others_up(db: Db, sales: int, database: str) -> None:
    gateway(db, "support", session="apoio")
    make_campaign(db, "natal", size=1)
    make_campaign(db, "festa", size=1, channels=["support"])
    with psycopg.connect(database) as left_open:
        left_open.execute(
            "select from retoma_internal.batch as b"
            " join retoma_internal.campaign as c on b.campaign_id = c.id"
            " where c.name = 'natal' for update of b"
        )

        answer_all(db)

        closed = "select c.name from retoma_internal.batch as b join retoma_internal.campaign as c"
        closed += " on b.campaign_id = c.id where b.not_before = 'infinity'"
        assert db.execute(closed.encode()).fetchall() == [("natal",)]
    move_clock(db, "1 s")
    assert ask(db) == []
    assert db.execute(closed.encode()).fetchall() == []


def test_a_batch_that_is_locked_holds_up_no_other_campaign_of_its_channel(
    db: Db, sales: int, database: str
) -> None:
    make_campaign(db, "natal", size=1)
    make_campaign(db, "festa", size=2)
    answer(db, ask_one(db), found(1))
    move_clock(db, "2 s")
    db.execute("update retoma_internal.batch set not_before = 'infinity'")
    with psycopg.connect(database) as left_open:
        left_open.execute("select from retoma_internal.batch where size = 1 for update")

        assert ask_one(db)["phones"] == [phone(2)]


def test_a_runner_that_cannot_use_a_channel_leaves_its_numbers_to_the_others(
    db: Db, sales: int, runner: UUID
) -> None:
    other = make_runner(db)
    make_campaign(db, size=1)
    asked = ask(db, runner)[0]
    db.execute("select retoma.refuse_channel(%s, %s, 'no secret')", (runner, sales))
    answer(db, asked)
    move_clock(db, "2 s")

    assert ask(db, runner) == []
    assert [row["phones"] for row in ask(db, other)] == [[phone(1)]]


def test_where_no_live_runner_can_ask_another_channel_goes_on(db: Db, sales: int, runner: UUID) -> None:
    other = make_channel(db, "other")
    make_campaign(db, size=1, channels=["sales", "other"])
    db.execute("select retoma.refuse_channel(%s, %s, 'no secret')", (runner, sales))
    move_clock(db, "1 minute")

    assert ask(db, runner) == []

    assert send_all(db, runner, other) == [1]


def test_with_windows_the_zones_that_are_open_come_first(db: Db, sales: int, runner: UUID) -> None:
    make_campaign(
        db,
        size=4,
        start=False,
        zones={1: "Asia/Tokyo", 2: "America/Sao_Paulo", 3: "Asia/Tokyo", 4: "Asia/Tokyo"},
    )
    db.execute("select retoma.add_window('natal', '08:00', '20:00')")
    db.execute("select retoma.start_campaign('natal')")

    asked = ask_one(db)  # at noon in UTC, it is evening in Tokyo
    assert asked["phones"] == [phone(2)]
    answer(db, asked, found(2, "123@lid"))
    move_clock(db, "2 s")
    assert ask_one(db)["phones"] == [phone(1), phone(3), phone(4)]
    assert [m[6] for m in handed_out(db, must_lease(db, runner, sales))] == ["123@lid"]


def test_a_campaign_can_be_cancelled_while_its_numbers_are_checked(db: Db, sales: int) -> None:
    make_campaign(db, size=2)
    asked = ask_one(db)

    db.execute("select retoma.cancel_campaign('natal')")
    answer(db, asked, found(1), found(2))

    assert books(db) == {"cancelled": 2}
    move_clock(db, "1 minute")
    assert ask(db) == []


def test_old_answers_and_addresses_are_erased(db: Db, sales: int, runner: UUID) -> None:
    make_campaign(db, size=2)
    answer_all(db, found(1, "123@lid"))
    send_all(db, runner, sales)
    move_clock(db, "100 days")

    db.execute("select retoma.cleanup()")

    for table in ("number_check", "message_address"):
        assert call(db, f"select count(*) from retoma_internal.{table}") == 0


@pytest.mark.parametrize(
    "answers",
    [
        {},
        [{"exists": True}],
        [{"phone": "5511955510001", "exists": True}],
        [{"phone": "+5511955510001", "exists": "yes"}],
        [{"phone": "+5511955510001", "exists": True, "address": ""}],
        [{"phone": "+5511955510001", "exists": True, "address": 7}],
        [7],
        None,
    ],
)
def test_answers_of_another_form_are_refused(db: Db, answers: object) -> None:
    with refused(db, "RT003", "answers are a JSON array of objects with phone, exists and address"):
        db.execute("select retoma.record_numbers(1, now(), %s)", (Jsonb(answers),))
