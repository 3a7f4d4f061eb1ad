"""numbers_to_check and record_numbers: under which address each person is reached, before the first send."""

from uuid import UUID

import psycopg
import pytest

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
    move_clock,
    must_lease,
    phone,
    send_all,
    silence,
    status,
)
from tests.support.numbers import (
    answer,
    answer_all,
    ask,
    ask_one,
    found,
    gateway,
    handed_out,
    missing,
    unanswered,
)


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
