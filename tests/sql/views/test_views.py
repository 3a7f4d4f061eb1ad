"""The views of monitoring: the compatibility views and the rest."""

import psycopg
from psycopg.rows import dict_row

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    call,
    error,
    lease,
    make_campaign,
    make_channel,
    make_runner,
    move_clock,
    must_lease,
    phone,
    send_all,
    set_clock,
    status,
)


def one(db: Db, query: str) -> dict[str, object]:
    row = db.cursor(row_factory=dict_row).execute(query).fetchone()
    assert row is not None
    return row


def test_the_summary_is_there_as_typed_in_a_fresh_session(db: Db, database: str) -> None:
    make_channel(db)
    make_campaign(db)
    with psycopg.connect(database) as fresh:
        rows = fresh.execute(
            "select * from v_campaign_summary where status in ('running', 'interrupted')"
        ).fetchall()

    assert len(rows) == 1


def test_the_summary_shows_every_status(db: Db) -> None:
    channel = make_channel(db)
    broken = make_channel(db, "broken")
    runner = make_runner(db)
    make_campaign(db, "draft", start=False)
    make_campaign(db, "scheduled", starts_at="2999-01-01")
    make_campaign(db, "completed")
    send_all(db, runner, channel)
    make_campaign(db, "running")
    make_campaign(db, "paused")
    db.execute("select retoma.pause_campaign('paused')")
    make_campaign(db, "cancelled")
    db.execute("select retoma.cancel_campaign('cancelled')")
    make_campaign(db, "interrupted", channels=["broken"])
    db.execute("select retoma.channel_disconnected('broken')")

    shown = db.execute("select campaign, status from retoma.v_campaign_summary").fetchall()

    assert [status for _, status in shown] == [name for name, _ in shown]
    assert broken


def test_a_running_campaign_without_a_live_runner_is_interrupted_and_says_what_to_do(
    db: Db, database: str
) -> None:
    make_channel(db)
    make_campaign(db)
    assert status(db) == "interrupted"
    row = one(db, "select * from retoma.v_interrupted_campaigns")
    assert row["cause"] == "no_runner"
    assert "no runner is alive" in str(row["reason"])
    assert "retoma runner" in str(row["what_to_do"])
    with psycopg.connect(database, autocommit=True) as session:
        runner = make_runner(session)
        assert status(db) == "running"
        assert call(db, "select count(*) from retoma.v_interrupted_campaigns") == 0
        session.execute("select retoma.unregister_runner(%s)", (runner,))
        assert status(db) == "interrupted"


def test_a_frozen_runner_does_not_count_as_alive(db: Db) -> None:
    make_channel(db)
    make_campaign(db)
    make_runner(db)
    assert status(db) == "running"

    move_clock(db, "61 s")

    assert status(db) == "interrupted"


def test_interrupted_campaigns_come_with_cause_and_time(db: Db) -> None:
    make_channel(db)
    make_campaign(db)
    make_runner(db)
    set_clock(db, "2026-03-02 12:00 UTC")
    db.execute("select retoma.channel_disconnected('sales', 'logged out')")

    row = one(db, "select *, since::text from retoma.v_interrupted_campaigns")

    assert (row["campaign"], row["cause"], row["reason"]) == (
        "natal",
        "channel",
        "channel sales is disconnected: logged out",
    )
    assert "channel_connected" in str(row["what_to_do"])
    since = call(
        db,
        "select since between '2026-03-02 12:00 UTC' and '2026-03-02 12:01 UTC'"
        " from retoma.v_interrupted_campaigns",
    )
    assert since is True


def test_campaign_batch_state_has_a_row_a_campaign_with_its_place(db: Db) -> None:
    channel = make_channel(db)
    make_campaign(db, size=10, batch_size=4)
    runner = make_runner(db, "runner-7")
    leased = must_lease(db, runner, channel)
    advance(db, leased, accepted(*advance(db, leased, want=4).ordinals))
    advance(db, must_lease(db, runner, channel), want=3)

    row = one(db, "select * from retoma.campaign_batch_state")

    assert {
        key: row[key] for key in ("campaign", "status", "total_batches", "completed_batches", "current_batch")
    } == {
        "campaign": "natal",
        "status": "running",
        "total_batches": 3,
        "completed_batches": 1,
        "current_batch": 2,
    }
    assert (row["current_position"], row["channel"], row["runner"]) == (3, "sales", "runner-7")
    assert (row["total_messages"], row["sent"], row["pending"]) == (10, 4, 3)


def test_campaign_batch_details_has_a_row_a_batch(db: Db) -> None:
    channel = make_channel(db)
    make_campaign(db, size=3, batch_size=2)
    leased = must_lease(db, make_runner(db), channel)
    ordinals = advance(db, leased, want=2).ordinals
    advance(db, leased, [*accepted(ordinals[0]), error(ordinals[1], "connect_failed", written=False)])

    rows = db.execute(
        "select number, status, size, reserved, sent, requeued, attempt"
        " from retoma.campaign_batch_details order by 1"
    ).fetchall()

    assert rows == [(1, "completed", 2, 2, 1, 1, 1), (2, "ready", 1, 0, 0, 0, 1), (3, "ready", 1, 0, 0, 0, 2)]


def test_phones_are_masked(db: Db) -> None:
    channel = make_channel(db)
    make_campaign(db, size=1)
    leased = must_lease(db, make_runner(db), channel)
    advance(db, leased, want=1)
    advance(db, leased, [error(1, "timeout")])

    for view in ("v_message", "v_in_doubt"):
        shown = str(call(db, f"select phone from retoma.{view}"))
        assert shown == "+55********001"
        assert len(shown) == len(phone(1))


def test_no_view_for_monitors_shows_a_whole_number_a_text_or_a_secret(db: Db) -> None:
    make_channel(db, transport="webhook", settings={"url": "http://127.0.0.1", "secret": "s3cret"})
    make_campaign(db, text="Confidential", size=1)
    db.execute("select retoma.opt_out(%s)", (phone(1),))
    for view in ("v_message", "v_in_doubt", "v_event", "v_channel", "v_runner", "v_campaign_summary"):
        shown = str(db.execute(f"select * from retoma.{view}").fetchall())

        assert phone(1)[1:] not in shown
        assert "Confidential" not in shown
        assert "s3cret" not in shown


def test_v_runner_tells_the_living_from_the_dead(db: Db, database: str) -> None:
    channel = make_channel(db)
    make_campaign(db)
    with psycopg.connect(database, autocommit=True) as session:
        make_runner(session, "gone")
    stopped = make_runner(db, "stopped")
    db.execute("select retoma.unregister_runner(%s)", (stopped,))
    assert lease(db, make_runner(db, "alive"), channel)

    rows = db.execute("select runner, state, leases from retoma.v_runner order by runner").fetchall()

    assert rows == [("alive", "alive", 1), ("gone", "gone", 0), ("stopped", "stopped", 0)]


def test_v_channel_shows_when_a_channel_may_send_next_and_why_not_now(db: Db) -> None:
    channel = make_channel(db)
    db.execute("select retoma.set_limit('channel', 'sales', 1)")
    make_campaign(db)
    runner = make_runner(db)
    before = one(db, "select next_send_at, held_because, leases from retoma.v_channel")
    assert before == {"next_send_at": None, "held_because": None, "leases": 0}

    send_all(db, runner, channel)

    after = one(db, "select next_send_at > retoma.clock() as later, held_because from retoma.v_channel")
    assert after == {"later": True, "held_because": "limit of 1 messages per day used up"}
