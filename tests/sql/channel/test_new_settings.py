"""What new settings of a channel mean for messages that were sent with the old ones."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
from psycopg.types.json import Jsonb

from tests.sql.test_concurrency import waits
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
    refused,
    tick,
)
from tests.support.waiting import wait_until

URL: dict[str, object] = {"url": "http://127.0.0.1"}


def test_a_channel_that_stops_deduping_waits_for_a_step_that_queues_a_repeat(db: Db, database: str) -> None:
    channel = make_channel(db, transport="webhook", settings=URL | {"idempotent": True})
    make_campaign(db, size=1)
    runner = make_runner(db)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    with (
        psycopg.connect(database) as step,
        psycopg.connect(database, autocommit=True) as operator,
        ThreadPoolExecutor(1) as pool,
    ):
        advance(step, leased, [error(1, "timeout", written=True)])
        off = "select retoma.configure_channel('sales', '{\"idempotent\": null}')"
        done = pool.submit(operator.execute, off)
        wait_until(lambda: done.done() or waits(db, operator))
        step.commit()
        refused = done.exception(60)
    move_clock(db, "1 hour")
    assert refused is not None or lease(db, runner, channel) is None


def test_a_lease_that_began_without_deduping_does_not_count_on_it(db: Db) -> None:
    settings = {"base_url": "http://127.0.0.1", "session": "x", "engine": "WEBJS"}
    channel = make_channel(db, transport="waha", settings=settings)
    make_campaign(db, size=1)
    runner = make_runner(db)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)  # WEBJS: it goes out without an id of ours
    db.execute("select retoma.configure_channel('sales', '{\"engine\": \"NOWEB\"}')")
    advance(db, leased, [error(1, "timeout", written=True)])
    move_clock(db, "1 hour")
    assert lease(db, runner, channel) is None


def test_absent_at_another_address_proves_nothing(db: Db) -> None:
    channel = make_channel(db, transport="webhook", settings=URL | {"lookup": True})
    make_campaign(db, size=1)
    runner = make_runner(db)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    advance(db, leased, [error(1, "timeout", written=True)])
    db.execute("select retoma.configure_channel('sales', '{\"url\": \"http://127.0.0.2\"}')")
    move_clock(db, "1 hour")
    for message_id, attempt in db.execute(
        "select message_id, attempt from retoma.due_lookups(%s)", (channel,)
    ).fetchall():
        answer = [{"message_id": message_id, "attempt": attempt, "result": "absent"}]
        db.execute("select retoma.record_lookups(%s, %s)", (channel, Jsonb(answer)))
    assert lease(db, runner, channel) is None


def test_a_repeat_of_a_cancelled_campaign_does_not_bind_its_channel(db: Db) -> None:
    channel = make_channel(db, transport="webhook", settings=URL | {"idempotent": True})
    make_campaign(db, size=1)
    leased = must_lease(db, make_runner(db), channel)
    advance(db, leased, want=1)
    db.execute("select retoma.cancel_campaign('natal')")
    advance(db, leased, [error(1, "timeout", written=True)])

    db.execute("select retoma.configure_channel('sales', '{\"idempotent\": null}')")


def test_a_channel_keeps_its_provider_until_its_repeats_are_sent(db: Db) -> None:
    channel = make_channel(db, transport="webhook", settings=URL | {"idempotent": True, "secret": "old"})
    make_campaign(db, size=1)
    leased = must_lease(db, make_runner(db), channel)
    advance(db, leased, want=1)
    advance(db, leased, [error(1, "timeout", written=True)])

    with refused(db, "RT002", "must send messages again"):
        db.execute("select retoma.configure_channel('sales', '{\"url\": \"http://127.0.0.2\"}')")
    db.execute('select retoma.configure_channel(\'sales\', \'{"secret": "new", "timeout_s": 9}\')')

    assert call(db, "select settings_version from retoma_internal.channel") == call(
        db, "select settings_version from retoma_internal.batch where status = 'completed'"
    )


def test_a_lease_that_began_with_another_provider_does_not_count_on_the_new_one(db: Db) -> None:
    channel = make_channel(db, transport="webhook", settings=URL | {"idempotent": True})
    make_campaign(db, size=1)
    leased = must_lease(db, make_runner(db), channel)
    advance(db, leased, want=1)
    db.execute("select retoma.configure_channel('sales', '{\"url\": \"http://127.0.0.2\"}')")

    advance(db, leased, [error(1, "timeout", written=True)])

    assert books(db) == {"in_doubt": 1}


def test_absent_proves_nothing_where_lookups_were_given_up(db: Db) -> None:
    channel = make_channel(db, transport="webhook", settings=URL | {"lookup": True})
    make_campaign(db, size=1)
    leased = must_lease(db, make_runner(db), channel)
    advance(db, leased, want=1)
    advance(db, leased, [error(1, "timeout", written=True)])
    move_clock(db, "1 hour")
    due = db.execute("select message_id, attempt from retoma.due_lookups(%s)", (channel,)).fetchone()
    assert due is not None
    db.execute("select retoma.configure_channel('sales', '{\"lookup\": null}')")

    answer = [{"message_id": due[0], "attempt": due[1], "result": "absent"}]
    db.execute("select retoma.record_lookups(%s, %s)", (channel, Jsonb(answer)))

    assert books(db) == {"in_doubt": 1}


def lookup_says_absent(db: Db, channel: int) -> None:
    """The provider says of every message that it is asked about that it does not have it."""
    due = db.execute("select message_id, attempt from retoma.due_lookups(%s)", (channel,)).fetchall()
    answers = [{"message_id": m, "attempt": attempt, "result": "absent"} for m, attempt in due]
    db.execute("select retoma.record_lookups(%s, %s)", (channel, Jsonb(answers)))


def test_absent_must_hold_for_every_attempt_that_may_have_arrived(db: Db) -> None:
    """The first attempt went to the old address; only the second is unknown to the new one."""
    channel = make_channel(db, transport="webhook", settings=URL | {"lookup": True})
    make_campaign(db, size=1)
    runner = make_runner(db)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    advance(db, leased, [error(1, "timeout", written=True)])
    db.execute("select retoma.resolve_in_doubt('natal', 'resend')")
    db.execute("select retoma.configure_channel('sales', '{\"url\": \"http://127.0.0.2\"}')")
    again = must_lease(db, runner, channel)
    advance(db, again, want=1)
    advance(db, again, [error(1, "timeout", written=True)])
    move_clock(db, "1 hour")

    lookup_says_absent(db, channel)

    assert books(db) == {"in_doubt": 1}
    assert lease(db, runner, channel) is None


def test_absent_proves_nothing_while_the_runner_of_an_earlier_attempt_may_be_frozen(db: Db) -> None:
    channel = make_channel(db, transport="webhook", settings=URL | {"lookup": True})
    make_campaign(db, size=1)
    runner = make_runner(db)
    advance(db, must_lease(db, runner, channel), want=1)
    move_clock(db, "2 minutes")
    tick(db)
    db.execute("select retoma.resolve_in_doubt('natal', 'resend')")
    again = must_lease(db, runner, channel)
    advance(db, again, want=1)
    advance(db, again, [error(1, "timeout", written=True)])
    move_clock(db, "1 hour")

    lookup_says_absent(db, channel)

    assert books(db) == {"in_doubt": 1}


def test_absent_after_a_refusal_that_wrote_nothing_is_proof(db: Db) -> None:
    channel = make_channel(db, transport="webhook", settings=URL | {"lookup": True})
    make_campaign(db, size=1)
    runner = make_runner(db)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    advance(db, leased, [error(1, "connect_failed", written=False)])
    db.execute("select retoma.configure_channel('sales', '{\"url\": \"http://127.0.0.2\"}')")
    move_clock(db, "1 hour")
    again = must_lease(db, runner, channel)
    advance(db, again, want=1)
    advance(db, again, [error(1, "timeout", written=True)])
    move_clock(db, "1 hour")

    lookup_says_absent(db, channel)

    assert must_lease(db, runner, channel)


def test_only_a_secret_comes_from_the_environment_of_the_runners(db: Db) -> None:
    with refused(db, "RT003", "url cannot come from the environment"):
        make_channel(db, transport="webhook", settings={"url": "env:RECEIVER_URL"})
    make_channel(db, transport="webhook", settings=URL | {"secret": "env:RECEIVER_SECRET"})
