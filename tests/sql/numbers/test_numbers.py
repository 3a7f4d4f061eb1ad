"""numbers_to_check and record_numbers: under which address each person is reached, before the first send."""

from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    assert_counters_match_deliveries,
    books,
    call,
    doorbells,
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
    silence,
    status,
)

GOWS: dict[str, object] = {
    "base_url": "http://127.0.0.1",
    "session": "loja",
    "engine": "GOWS",
    "store": True,
    "check_gap_s": 2,
}
NO_GAPS = {"gap_min_s": 0, "batch_gap_min_s": 0, "max_in_flight": 300, "burst": 300}


def gateway(db: Db, name: str = "sales", **settings: object) -> int:
    """A channel whose provider is asked about numbers."""
    return make_channel(db, name, "waha", GOWS | settings, **NO_GAPS)


def ask(db: Db, runner: UUID | None = None) -> list[dict[str, Any]]:
    """The questions that are due for a runner; any by default."""
    query = "select * from retoma.numbers_to_check(coalesce(%s::uuid, gen_random_uuid()))"
    return db.cursor(row_factory=dict_row).execute(query, [runner]).fetchall()


def ask_one(db: Db) -> dict[str, Any]:
    (row,) = ask(db)
    return row


def answer(db: Db, asked: dict[str, Any], *answers: dict[str, object]) -> None:
    db.execute(
        "select retoma.record_numbers(%s, %s, %s)", (asked["channel_id"], asked["asked_at"], Jsonb(answers))
    )


def found(number: int, address: str | None = None) -> dict[str, object]:
    """The number of this recipient is on WhatsApp."""
    return {"phone": phone(number), "exists": True, "address": address}


def missing(number: int) -> dict[str, object]:
    return {"phone": phone(number), "exists": False}


def unanswered(number: int) -> dict[str, object]:
    return {"phone": phone(number), "exists": None}


def answer_all(db: Db, *special: dict[str, object]) -> None:
    """Answers whatever is due until nothing is: all numbers are found, but for the special ones."""
    differs = {row["phone"]: row for row in special}
    while rows := ask(db):
        for row in rows:
            answer(db, row, *(differs.get(p, {"phone": p, "exists": True}) for p in row["phones"]))
        move_clock(db, "10 s")


def handed_out(db: Db, leased: Any, want: int = 10) -> list[list[Any]]:
    """The messages of a step as a runner gets them."""
    return list(
        call(db, "select messages from retoma.advance_batch(%s, %s, %s, '[]', %s)", *leased.fence, want) or []
    )


@pytest.fixture
def sales(db: Db, frozen_clock: None) -> int:
    return gateway(db)


def test_nothing_is_sent_before_its_numbers_are_known(db: Db, sales: int, runner: UUID) -> None:
    make_campaign(db, size=3)
    assert lease(db, runner, sales) is None

    asked = ask_one(db)
    assert (asked["channel"], asked["transport"], asked["gap_s"]) == ("sales", "waha", 2.0)
    assert asked["phones"] == [phone(1), phone(2), phone(3)]
    answer(db, asked, found(1), found(2))
    assert lease(db, runner, sales) is None
    move_clock(db, "2 s")
    silence(db)
    answer(db, ask_one(db), found(3))

    assert doorbells(db) == [sales]
    assert send_all(db, runner, sales) == [1, 2, 3]


def test_a_message_goes_to_the_address_that_the_provider_gave(db: Db, sales: int, runner: UUID) -> None:
    make_campaign(db, size=3)
    answer_all(db, found(1, "+551155510001"), found(3, "123@lid"))

    messages = handed_out(db, must_lease(db, runner, sales))

    assert [(m[0], m[2], *m[4:]) for m in messages] == [
        (1, phone(1), False, None, "+551155510001"),
        (2, phone(2), False, None, None),
        (3, phone(3), False, None, "123@lid"),
    ]


def test_where_all_go_to_their_numbers_messages_are_as_ever(db: Db, sales: int, runner: UUID) -> None:
    make_campaign(db, size=2)
    answer_all(db, found(1, phone(1)))

    assert [len(m) for m in handed_out(db, must_lease(db, runner, sales))] == [4, 4]


def test_a_number_that_is_not_on_whatsapp_is_skipped_with_this_reason(
    db: Db, sales: int, runner: UUID
) -> None:
    make_campaign(db, size=5)
    answer_all(db, missing(1), missing(2), missing(5))

    assert send_all(db, runner, sales) == [3, 4]

    assert books(db) == {"skipped": 3, "sent": 2}
    codes = db.execute("select ordinal, code from retoma.v_message where state = 'skipped' order by 1")
    assert codes.fetchall() == [(n, "not_on_whatsapp") for n in (1, 2, 5)]
    assert status(db) == "completed"
    assert_counters_match_deliveries(db)


def test_a_campaign_whose_numbers_are_all_missing_is_over(db: Db, sales: int, runner: UUID) -> None:
    make_campaign(db, size=2)
    answer_all(db, missing(1), missing(2))

    assert send_all(db, runner, sales) == []
    assert (books(db), status(db)) == ({"skipped": 2}, "completed")


def test_invariant_11_the_address_stays_when_the_provider_gives_another_one(
    db: Db, sales: int, runner: UUID
) -> None:
    make_campaign(db, size=1)
    answer_all(db, found(1, "+551155510001"))
    leased = must_lease(db, runner, sales)
    assert handed_out(db, leased)[0][6] == "+551155510001"
    advance(db, leased, [error(1, "session_STARTING", written=False)])
    # The cache knows better by now, for campaigns to come.
    move_clock(db, "31 days")
    make_campaign(db, "later", size=1)
    answer_all(db, found(1, "456@lid"))

    second = must_lease(db, runner, sales)
    addresses = {handed_out(db, second)[0][6]}
    advance(db, second, accepted(1))
    third = must_lease(db, runner, sales)
    addresses.add(handed_out(db, third)[0][6])

    assert addresses == {"+551155510001", "456@lid"}
    with pytest.raises(psycopg.Error) as refusal:
        db.execute("update retoma_internal.message_address set address = 'x@lid'")
    assert refusal.value.sqlstate == "RT011"


def test_a_lost_reply_is_given_again_with_the_same_addresses(db: Db, sales: int, runner: UUID) -> None:
    make_campaign(db, size=2)
    answer_all(db, found(2, "123@lid"))
    leased = must_lease(db, runner, sales)
    first = handed_out(db, leased)

    again = call(db, "select messages from retoma.advance_batch(%s, %s, %s, '[]', 0, 0)", *leased.fence)

    assert [(m[0], m[6]) for m in again] == [(m[0], m[6]) for m in first] == [(1, None), (2, "123@lid")]


def test_a_lookup_gives_the_address_to_which_the_message_was_sent(db: Db, sales: int, runner: UUID) -> None:
    make_campaign(db, size=2)
    answer_all(db, found(1, "123@lid"))
    leased = must_lease(db, runner, sales)
    advance(db, leased, want=2)
    db.execute("update retoma.error_rule set class = 'ambiguous' where code = 'timeout'")
    db.execute("update retoma_internal.channel set dedupes = '{}'")
    advance(db, leased, [error(1, "timeout", written=True), error(2, "timeout", written=True)])
    move_clock(db, "2 minutes")

    rows = db.execute("select phone, address from retoma.due_lookups(%s) order by 1", (sales,)).fetchall()

    assert rows == [(phone(1), "123@lid"), (phone(2), None)]


def test_an_answer_counts_for_every_channel_until_it_is_too_old(db: Db, sales: int, runner: UUID) -> None:
    support = gateway(db, "support", session="apoio")
    make_campaign(db, size=2)
    answer_all(db, missing(2))
    send_all(db, runner, sales)

    make_campaign(db, "second", size=2, channels=["support"])
    assert ask(db) == []
    assert send_all(db, runner, support) == [1]

    move_clock(db, "31 days")
    make_campaign(db, "third", size=2, channels=["support"])
    assert ask_one(db)["phones"] == [phone(1), phone(2)]


def test_the_pace_is_kept_by_the_database(db: Db, sales: int) -> None:
    make_campaign(db, size=30)
    asked = ask_one(db)
    assert len(asked["phones"]) == 5  # ten seconds of them

    assert ask(db) == []  # they are handed out
    answer(db, asked, *(found(n) for n in range(1, 6)))
    assert ask(db) == []
    move_clock(db, "1.9 s")
    assert ask(db) == []
    move_clock(db, "0.1 s")
    assert ask_one(db)["phones"] == [phone(n) for n in range(6, 11)]


def test_the_numbers_of_a_dead_runner_are_handed_out_again(db: Db, sales: int) -> None:
    make_campaign(db, size=1)
    late = ask_one(db)
    move_clock(db, "1 minute")
    asked = ask_one(db)
    assert asked["phones"] == late["phones"]

    answer(db, late, missing(1))  # it was only slow
    answer(db, asked, found(1))
    answer(db, asked, missing(1))  # once more

    assert call(db, "select found from retoma_internal.number_check") is True


def test_a_number_without_an_answer_is_tried_three_times_and_then_goes_as_it_is(
    db: Db, sales: int, runner: UUID
) -> None:
    make_campaign(db, size=2)
    answer(db, ask_one(db), found(1), unanswered(2))
    for wait in ("2 s", "15 s"):
        assert lease(db, runner, sales) is None
        move_clock(db, wait)
        answer(db, ask_one(db), unanswered(2))

    assert [(m[0], len(m)) for m in handed_out(db, must_lease(db, runner, sales))] == [(1, 4), (2, 4)]
    # The next campaign asks anew.
    make_campaign(db, "next", size=2)
    move_clock(db, "15 s")
    assert ask_one(db)["phones"] == [phone(2)]


def test_a_provider_that_answers_nothing_holds_each_number_up_once_only(db: Db, sales: int) -> None:
    make_campaign(db, size=12, batch_size=12)
    seen: list[str] = []
    while rows := ask(db):
        seen += rows[0]["phones"]
        answer(db, rows[0], *({"phone": p, "exists": None} for p in rows[0]["phones"]))
        move_clock(db, "15 s")
        if "later" in seen:
            break

    # Ten questions without an answer; from then on, one question for each number is enough.
    assert len(seen) <= 10 + 12
    assert call(db, "select count(*) from retoma_internal.batch where not_before = 'infinity'") == 0


def test_an_old_answer_is_better_than_none(db: Db, sales: int, runner: UUID) -> None:
    make_campaign(db, size=1)
    answer_all(db, found(1, "123@lid"))
    send_all(db, runner, sales)
    move_clock(db, "31 days")
    make_campaign(db, "second", size=1)
    for _ in range(3):
        answer(db, ask_one(db), unanswered(1))
        move_clock(db, "15 s")

    assert handed_out(db, must_lease(db, runner, sales))[0][6] == "123@lid"


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
