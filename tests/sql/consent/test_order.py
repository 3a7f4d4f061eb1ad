"""An opt-out and an opt-in have a time: the later one counts, in whatever order they are reported."""

from concurrent.futures import ThreadPoolExecutor
from itertools import permutations, product

import psycopg
import pytest

from tests.support.campaigns import Db, call, freeze_clock, move_clock, phone, refused
from tests.support.waiting import wait_until

MAY, JUNE, JULY = "2026-01-05 10:00 UTC", "2026-02-06 10:00 UTC", "2026-03-01 10:00 UTC"


@pytest.fixture(autouse=True)
def _it_is_march(db: Db) -> None:
    freeze_clock(db)


def opt_out(db: Db, at: str | None) -> None:
    db.execute("select retoma.opt_out(%s, 'reply', p_at => %s)", (phone(1), at))


def opt_in(db: Db, at: str | None) -> None:
    db.execute("select retoma.opt_in(%s, 'form', %s)", (phone(1), at))


def suppressed(db: Db) -> set[str]:
    return {row[0] for row in db.execute("select phone from retoma.v_suppression")}


def is_suppressed(db: Db) -> bool:
    return phone(1) in suppressed(db)


def test_an_opt_out_that_is_older_than_an_opt_in_is_kept_as_proof_and_changes_nothing(db: Db) -> None:
    opt_in(db, JUNE)
    opt_out(db, MAY)

    assert not is_suppressed(db)
    assert db.execute("select given from retoma.v_consent order by at").fetchall() == [(False,), (True,)]


def test_an_opt_in_that_is_older_than_an_opt_out_is_kept_as_proof_and_changes_nothing(db: Db) -> None:
    opt_out(db, JUNE)
    opt_in(db, MAY)

    assert is_suppressed(db)
    assert db.execute("select given from retoma.v_consent order by at").fetchall() == [(True,), (False,)]


def test_in_every_order_the_latest_one_counts(db: Db, subtests: pytest.Subtests) -> None:
    for number, (order, last) in enumerate(product(permutations(range(3)), ("out", "in"))):
        with subtests.test(order=order, last=last):
            said = list(zip([MAY, JUNE, JULY], [last, "in" if last == "out" else "out", last], strict=True))
            for index in order:
                at, what = said[index]
                db.execute(f"select retoma.opt_{what}(%s, 'x', p_at => %s)", (phone(number), at))

            assert (phone(number) in suppressed(db)) == (last == "out")


def test_what_comes_twice_is_proof_once(db: Db) -> None:
    for _ in range(2):
        opt_out(db, MAY)

    assert call(db, "select count(*) from retoma.v_consent") == 1


def test_an_operator_who_gives_no_time_says_it_now(db: Db) -> None:
    opt_out(db, None)
    opt_in(db, None)
    assert not is_suppressed(db)

    opt_out(db, None)
    assert is_suppressed(db)


def test_in_the_second_of_an_opt_in_an_opt_out_wins(db: Db) -> None:
    """Because providers cut the time off at the second."""
    opt_in(db, "2026-02-06 10:00:00.5 UTC")
    opt_out(db, "2026-02-06 10:00:00 UTC")

    assert is_suppressed(db)


def test_a_suppression_by_an_error_is_not_ended_by_an_older_opt_in(db: Db) -> None:
    db.execute(
        "insert into retoma_internal.suppression (suppression_key, phone, reason, at)"
        " values (retoma_internal.suppression_key(%(phone)s), %(phone)s, 'invalid', %(at)s)",
        {"phone": phone(1), "at": JUNE},
    )
    opt_in(db, MAY)
    assert is_suppressed(db)

    opt_in(db, JULY)
    assert not is_suppressed(db)


def test_a_time_in_the_future_counts_as_now(db: Db) -> None:
    opt_in(db, "2099-01-01 UTC")
    move_clock(db, "1 minute")
    opt_out(db, "2026-03-02 12:00:30 UTC")

    assert is_suppressed(db)
    assert call(db, "select max(at) < retoma.clock() from retoma.v_consent")


def test_a_time_that_is_infinite_is_refused(db: Db) -> None:
    for at in ("infinity", "-infinity"):
        with refused(db, "RT003", "is not a time"):
            opt_out(db, at)
        with refused(db, "RT003", "is not a time"):
            opt_in(db, at)


def test_what_one_transaction_says_waits_for_what_another_one_says_of_the_same_person(
    db: Db, database: str
) -> None:
    """Both judge what the other one has recorded: an old opt-out never overtakes the opt-in after it."""
    with (
        psycopg.connect(database) as slow,
        psycopg.connect(database, autocommit=True) as other,
        ThreadPoolExecutor() as pool,
    ):
        opt_in(slow, JUNE)
        late = pool.submit(opt_out, other, MAY)
        blocked = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query ~ 'opt_out'"
        wait_until(lambda: call(db, blocked))
        slow.commit()
        late.result(timeout=60)

    assert not is_suppressed(db)
    assert call(db, "select count(*) from retoma_internal.suppression") == 0
