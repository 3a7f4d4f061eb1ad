"""What new settings of a channel mean for messages that were sent with the old ones."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    Lease,
    accepted,
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
    refused,
    tick,
)
from tests.support.concurrency import waits
from tests.support.waiting import wait_until

URL: dict[str, object] = {"url": "http://127.0.0.1"}


def lease_a_message(db: Db, **settings: object) -> Lease:
    """The only message of a campaign, handed to a runner of a webhook channel with these settings."""
    channel = make_channel(db, transport="webhook", settings=URL | settings)
    make_campaign(db, size=1)
    leased = must_lease(db, make_runner(db), channel)
    assert advance(db, leased, want=1).ordinals == [1]
    return leased


def lose_the_answer(db: Db, leased: Lease) -> None:
    """Nobody knows whether the message has arrived."""
    advance(db, leased, [error(1, "timeout", written=True)])


def configure(db: Db, **settings: object) -> None:
    db.execute("select retoma.configure_channel('sales', %s)", (Jsonb(settings),))


def next_lease(db: Db) -> Lease | None:
    """The lease of a later time: None when nothing is to be sent (again)."""
    move_clock(db, "1 hour")
    runner = call(db, "select id from retoma_internal.runner")
    return lease(db, runner, call(db, "select id from retoma_internal.channel"))


def send_again_and_lose_the_answer(db: Db) -> None:
    again = next_lease(db)
    assert again is not None
    assert advance(db, again, want=1).ordinals == [1]
    lose_the_answer(db, again)


def lookup_says_absent(db: Db) -> None:
    """An hour later the provider is asked about the message, and does not have it."""
    move_clock(db, "1 hour")
    due = db.execute(
        "select message_id, attempt from retoma.due_lookups((select id from retoma_internal.channel))"
    ).fetchall()
    assert len(due) == 1
    record_absent(db, *due)


def record_absent(db: Db, *due: tuple[str, int]) -> None:
    answers = [{"message_id": m, "attempt": attempt, "result": "absent"} for m, attempt in due]
    db.execute(
        "select retoma.record_lookups((select id from retoma_internal.channel), %s)", (Jsonb(answers),)
    )


def test_a_channel_that_stops_deduping_waits_for_a_step_that_queues_a_repeat(db: Db, database: str) -> None:
    leased = lease_a_message(db, idempotent=True)
    with (
        ThreadPoolExecutor(1) as pool,
        psycopg.connect(database, autocommit=True) as operator,
        psycopg.connect(database) as step,
    ):
        lose_the_answer(step, leased)
        configured = pool.submit(configure, operator, idempotent=None)
        wait_until(lambda: configured.done() or waits(db, operator))
        step.commit()
        with refused(db, "RT002", "must send messages again"):
            configured.result(60)

    assert next_lease(db) is not None


def test_a_lease_that_began_without_deduping_does_not_count_on_it(db: Db) -> None:
    leased = lease_a_message(db)
    configure(db, idempotent=True)

    lose_the_answer(db, leased)

    assert books(db) == {"in_doubt": 1}
    assert next_lease(db) is None


def test_a_lease_that_began_with_another_provider_does_not_count_on_the_new_one(db: Db) -> None:
    leased = lease_a_message(db, idempotent=True)
    configure(db, url="http://127.0.0.2")

    lose_the_answer(db, leased)

    assert books(db) == {"in_doubt": 1}


def test_a_channel_keeps_its_provider_until_its_repeats_are_sent(db: Db) -> None:
    lose_the_answer(db, lease_a_message(db, idempotent=True, secret="old"))

    with refused(db, "RT002", "must send messages again"):
        configure(db, url="http://127.0.0.2", secret="old")
    configure(db, secret="new", timeout_s=9)

    again = next_lease(db)
    assert again is not None
    advance(db, again, want=1)
    advance(db, again, accepted(1))
    configure(db, url="http://127.0.0.2", secret="new")


def test_a_repeat_of_a_cancelled_campaign_does_not_bind_its_channel(db: Db) -> None:
    leased = lease_a_message(db, idempotent=True)
    db.execute("select retoma.cancel_campaign('natal')")
    lose_the_answer(db, leased)

    configure(db, idempotent=None)

    assert call(db, "select dedupes from retoma.v_channel") == []


def test_absent_is_proof_of_the_provider_that_was_asked(db: Db) -> None:
    lose_the_answer(db, lease_a_message(db, lookup=True))

    lookup_says_absent(db)

    assert next_lease(db) is not None


def test_absent_at_another_address_proves_nothing(db: Db) -> None:
    lose_the_answer(db, lease_a_message(db, lookup=True))
    configure(db, url="http://127.0.0.2")

    lookup_says_absent(db)

    assert books(db) == {"in_doubt": 1}
    assert next_lease(db) is None


def test_absent_proves_nothing_where_lookups_were_given_up(db: Db) -> None:
    lose_the_answer(db, lease_a_message(db, lookup=True))
    asked = (call(db, "select message_id from retoma.v_in_doubt"), 1)
    configure(db, lookup=None)

    record_absent(db, asked)

    assert books(db) == {"in_doubt": 1}


def test_absent_must_hold_for_every_attempt_that_may_have_arrived(db: Db) -> None:
    """The first attempt went to the old address; only the second is unknown to the new one."""
    lose_the_answer(db, lease_a_message(db, lookup=True))
    db.execute("select retoma.resolve_in_doubt('natal', 'resend')")
    configure(db, url="http://127.0.0.2")
    send_again_and_lose_the_answer(db)

    lookup_says_absent(db)

    assert books(db) == {"in_doubt": 1}
    assert next_lease(db) is None


def test_absent_proves_nothing_while_the_runner_of_an_earlier_attempt_may_be_frozen(db: Db) -> None:
    lease_a_message(db, lookup=True)
    move_clock(db, "2 minutes")
    assert tick(db)["reaped"] == 1
    db.execute("select retoma.resolve_in_doubt('natal', 'resend')")
    send_again_and_lose_the_answer(db)

    lookup_says_absent(db)

    assert books(db) == {"in_doubt": 1}


def test_absent_after_an_attempt_that_wrote_nothing_is_proof(db: Db) -> None:
    advance(db, lease_a_message(db, lookup=True), [error(1, "connect_failed", written=False)])
    configure(db, url="http://127.0.0.2")
    send_again_and_lose_the_answer(db)

    lookup_says_absent(db)

    assert next_lease(db) is not None
