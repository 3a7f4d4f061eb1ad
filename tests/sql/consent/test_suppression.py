"""opt_out and opt_in: who must not be contacted is checked when a message is reserved."""

from uuid import UUID

import pytest

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    assert_counters_match_deliveries,
    books,
    call,
    make_campaign,
    make_channel,
    make_runner,
    move_clock,
    must_lease,
    phone,
    refused,
    send_all,
    status,
    tick,
)


def opt_out(db: Db, number: str) -> None:
    db.execute("select retoma.opt_out(%s)", (number,))


def test_invariant_7_an_opt_out_between_two_reservations_is_honoured_at_once(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=4)
    leased = must_lease(db, runner, channel)
    assert advance(db, leased, want=1).ordinals == [1]

    opt_out(db, phone(2))
    opt_out(db, phone(3))

    assert advance(db, leased, accepted(1), want=1).ordinals == [4]
    assert books(db) == {"sent": 1, "skipped": 2, "sending": 1}
    assert_counters_match_deliveries(db)


def test_a_suppressed_number_costs_no_gap(db: Db) -> None:
    channel = make_channel(db, gap_min_s=60)
    make_campaign(db, size=50)
    for number in range(1, 50):
        opt_out(db, phone(number))

    assert advance(db, must_lease(db, make_runner(db), channel), want=1).ordinals == [50]


def test_a_suppressed_number_costs_no_token_and_counts_under_no_limit(db: Db) -> None:
    channel = make_channel(db, rate_per_s=0.001, burst=2)
    db.execute("select retoma.set_limit('channel', 'sales', 2)")
    make_campaign(db, size=6)
    for number in (1, 3, 5, 6):
        opt_out(db, phone(number))

    step = advance(db, must_lease(db, make_runner(db), channel), want=6)

    assert step.ordinals == [2, 4]
    assert call(db, "select used from retoma.v_limit") == 2


def test_a_suppressed_number_does_not_count_under_a_limit(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=4, start=False, batch_size=2)
    db.execute("select retoma.set_limit('campaign', 'natal', 3)")
    db.execute("select retoma.start_campaign('natal')")
    opt_out(db, phone(1))

    assert send_all(db, runner, channel) == [2, 3, 4]


def test_a_batch_of_suppressed_numbers_completes_without_a_send(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=3)
    for number in (1, 2, 3):
        opt_out(db, phone(number))

    assert advance(db, must_lease(db, runner, channel), want=1).action == "completed"

    assert status(db) == "completed"
    assert books(db) == {"skipped": 3}


def test_an_opt_in_ends_the_suppression_and_both_are_kept_as_proof(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=1)
    db.execute("select retoma.opt_out(%s, 'said SAIR', 'opt_out')", (phone(1),))
    db.execute("select retoma.opt_in(%s, 'web form')", (phone(1),))

    assert send_all(db, runner, channel) == [1]
    proof = db.execute("select given, source from retoma_internal.consent order by id").fetchall()
    assert proof == [(False, "said SAIR"), (True, "web form")]


def test_opting_out_twice_is_harmless(db: Db) -> None:
    opt_out(db, phone(1))
    opt_out(db, phone(1))

    assert call(db, "select count(*) from retoma_internal.suppression") == 1
    assert call(db, "select count(*) from retoma_internal.consent") == 2


def test_what_is_not_a_number_is_refused(db: Db, subtests: pytest.Subtests) -> None:
    cases: list[str | None] = [None, "", "11955510001", "+55 11", "+0551195551000", "+" + "1" * 16]
    for number in cases:
        with subtests.test(number=number):
            with refused(db, "RT003", "not an E.164 number"):
                db.execute("select retoma.opt_out(%s)", (number,))
            with refused(db, "RT003", "not an E.164 number"):
                db.execute("select retoma.opt_in(%s, 'web form')", (number,))


def test_a_suppression_needs_a_known_reason_and_an_opt_in_its_source(db: Db) -> None:
    for reason in ("because", None):
        with refused(db, "RT003", "is not a reason"):
            db.execute("select retoma.opt_out(%s, 'x', %s)", (phone(1), reason))
    for source in ("", None):
        with refused(db, "RT003", "needs its source"):
            db.execute("select retoma.opt_in(%s, %s)", (phone(1), source))


def test_a_number_that_opts_out_after_it_may_have_got_the_message_stays_in_doubt(
    db: Db, runner: UUID
) -> None:
    safe = make_channel(db, "safe", "webhook", {"url": "http://127.0.0.1", "idempotent": True})
    make_campaign(db, size=1, channels=["safe"])
    leased = must_lease(db, runner, safe)
    advance(db, leased, want=1)
    move_clock(db, "61 s")
    tick(db)
    opt_out(db, phone(1))

    assert send_all(db, runner, safe) == []

    assert books(db) == {"in_doubt": 1}
