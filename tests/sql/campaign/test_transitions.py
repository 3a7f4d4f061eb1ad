"""The state machine of a campaign: the allowed transitions, and the refused ones."""

from itertools import product

import psycopg
import pytest

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    books,
    call,
    doorbells,
    lease,
    make_campaign,
    make_channel,
    make_runner,
    must_lease,
    refused,
    send_all,
    set_clock,
    silence,
    state,
    status,
    tick,
)

STATES = ("draft", "scheduled", "running", "paused", "interrupted", "completed", "cancelled")

LEGAL = {
    "draft": {"scheduled", "running", "cancelled"},
    "scheduled": {"running", "paused", "cancelled"},
    "running": {"paused", "interrupted", "completed", "cancelled"},
    "paused": {"running", "scheduled", "completed", "cancelled"},
    "interrupted": {"running", "paused", "completed", "cancelled"},
    "completed": {"running"},
    "cancelled": set[str](),
}


@pytest.mark.parametrize("before", STATES)
def test_the_guard_refuses_every_other_transition_even_to_a_superuser(db: Db, before: str) -> None:
    make_channel(db)
    for campaign, after in enumerate(STATES):
        name = f"c{campaign}"
        make_campaign(db, name, size=0, start=False)
        _force(db, name, before)
        if after == before or after in LEGAL[before]:
            _set(db, name, after)
        else:
            with refused(db, "RT002", f"cannot go from {before} to {after}"):
                _set(db, name, after)


def test_every_pair_of_states_is_covered() -> None:
    assert len(list(product(STATES, STATES))) == 49
    assert set(LEGAL) == set(STATES)


def _force(db: Db, name: str, to: str) -> None:
    db.execute("alter table retoma_internal.campaign disable trigger campaign_guard")
    _set(db, name, to)
    db.execute("alter table retoma_internal.campaign enable trigger campaign_guard")


def _set(db: Db, name: str, to: str) -> None:
    db.execute(
        "update retoma_internal.campaign set status = %s,"
        " interrupt_cause = case when %s = 'interrupted' then 'breaker' end where name = %s",
        (to, to, name),
    )


def test_invariant_5_a_campaign_with_messages_to_send_cannot_become_completed(db: Db) -> None:
    channel = make_channel(db)
    make_campaign(db)
    with refused(db, "RT002", "it has messages to send"):
        _set(db, "natal", "completed")

    must_lease(db, make_runner(db), channel)
    with refused(db, "RT002", "it has messages to send"):
        _set(db, "natal", "completed")


def test_what_a_started_campaign_is_cannot_change(db: Db, subtests: pytest.Subtests) -> None:
    make_channel(db)
    make_campaign(db)
    cases: list[str] = ["total = 4", "batch_size = 1", "token = 'aaaaaaaaaaaaaaaaaaaaaaaa'"]
    for change in cases:
        with subtests.test(change=change), refused(db, "RT002", "are fixed"):
            db.execute(f"update retoma_internal.campaign set {change}")


def test_a_draft_cannot_change_its_token(db: Db) -> None:
    make_channel(db)
    make_campaign(db, start=False)

    with refused(db, "RT002"):
        db.execute("update retoma_internal.campaign set token = 'aaaaaaaaaaaaaaaaaaaaaaaa'")


def test_a_paused_campaign_goes_on_from_the_message_where_it_stopped(db: Db) -> None:
    channel = make_channel(db)
    make_campaign(db, size=5)
    runner = make_runner(db)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=2)

    assert call(db, "select retoma.pause_campaign('natal')") == "paused"

    assert advance(db, leased, accepted(1), want=5).action == "drain"
    assert advance(db, leased, accepted(2), want=5).action == "released"
    assert lease(db, runner, channel) is None
    assert books(db) == {"sent": 2, "pending": 3}
    silence(db)
    assert call(db, "select retoma.resume_campaign('natal')") == "running"
    assert doorbells(db) == [channel]
    assert send_all(db, runner, channel) == [3, 4, 5]


def test_a_campaign_paused_during_its_last_messages_completes_with_them(db: Db) -> None:
    channel = make_channel(db)
    make_campaign(db, size=1)
    leased = must_lease(db, make_runner(db), channel)
    advance(db, leased, want=1)
    db.execute("select retoma.pause_campaign('natal')")

    assert advance(db, leased, accepted(1)).action == "completed"

    assert status(db) == "completed"


def test_a_scheduled_campaign_that_was_paused_is_scheduled_again(db: Db) -> None:
    make_channel(db)
    set_clock(db, "2026-03-02 08:00 UTC")
    make_campaign(db, starts_at="2026-03-02 09:00 UTC")

    db.execute("select retoma.pause_campaign('natal')")
    set_clock(db, "2026-03-02 08:30 UTC")
    assert call(db, "select retoma.resume_campaign('natal')") == "scheduled"

    db.execute("select retoma.pause_campaign('natal')")
    set_clock(db, "2026-03-02 09:30 UTC")
    assert tick(db)["started"] == 0
    assert call(db, "select retoma.resume_campaign('natal')") == "running"


def test_a_resumed_campaign_without_a_channel_is_interrupted(db: Db) -> None:
    make_channel(db)
    make_campaign(db)
    db.execute("select retoma.pause_campaign('natal')")
    db.execute("select retoma.channel_disconnected('sales')")

    assert call(db, "select retoma.resume_campaign('natal')") == "interrupted"


def test_an_interrupted_campaign_that_is_paused_stays_paused_when_its_channel_is_back(db: Db) -> None:
    make_channel(db)
    make_campaign(db)
    db.execute("select retoma.channel_disconnected('sales')")
    db.execute("select retoma.pause_campaign('natal')")

    db.execute("select retoma.channel_connected('sales')")

    assert status(db) == "paused"


def test_a_campaign_that_waits_for_its_channel_cannot_be_resumed_by_hand(db: Db) -> None:
    make_channel(db)
    make_campaign(db)
    db.execute("select retoma.channel_disconnected('sales')")
    with refused(db, "RT002", "it is interrupted"):
        db.execute("select retoma.resume_campaign('natal')")


def test_pause_and_resume_are_refused_where_they_mean_nothing(db: Db) -> None:
    channel = make_channel(db)
    make_campaign(db, start=False)
    with refused(db, "RT002", "it is draft"):
        db.execute("select retoma.pause_campaign('natal')")
    with refused(db, "RT002", "it is draft"):
        db.execute("select retoma.resume_campaign('natal')")
    db.execute("select retoma.start_campaign('natal')")
    with refused(db, "RT002", "it is running"):
        db.execute("select retoma.resume_campaign('natal')")
    send_all(db, make_runner(db), channel)
    with refused(db, "RT002", "it is completed"):
        db.execute("select retoma.pause_campaign('natal')")


def test_a_cancelled_campaign_sends_nothing_more_and_its_books_say_so(db: Db) -> None:
    channel = make_channel(db)
    make_campaign(db, size=6, batch_size=3)
    runner = make_runner(db)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=2)

    assert call(db, "select retoma.cancel_campaign('natal')") == "cancelled"

    assert books(db) == {"sending": 2, "cancelled": 4}
    assert advance(db, leased, accepted(1), want=3).action == "drain"
    assert advance(db, leased, accepted(2), want=3).action == "released"
    assert books(db) == {"sent": 2, "cancelled": 4}
    assert state(db, 3) == "cancelled"
    assert lease(db, runner, channel) is None
    assert call(db, "select array_agg(distinct status) from retoma_internal.batch") == ["cancelled"]


@pytest.mark.parametrize("start", [True, False])
def test_a_campaign_that_has_sent_nothing_is_cancelled_wholly(db: Db, start: bool) -> None:
    make_channel(db)
    make_campaign(db, start=start)

    db.execute("select retoma.cancel_campaign('natal')")

    assert books(db) == {"cancelled": 3}


def test_what_is_over_cannot_be_cancelled(db: Db) -> None:
    channel = make_channel(db)
    make_campaign(db)
    send_all(db, make_runner(db), channel)
    make_campaign(db, "pascoa")
    db.execute("select retoma.cancel_campaign('pascoa')")
    for name in ("natal", "pascoa"):
        with refused(db, "RT002", "cannot cancel"):
            db.execute("select retoma.cancel_campaign(%s)", (name,))


def test_every_change_of_state_is_in_the_audit(db: Db) -> None:
    channel = make_channel(db)
    make_campaign(db)
    db.execute("select retoma.pause_campaign('natal')")
    db.execute("select retoma.resume_campaign('natal')")
    db.execute("select retoma.channel_disconnected('sales', 'logged out')")
    db.execute("select retoma.channel_connected('sales')")
    send_all(db, make_runner(db), channel)

    rows = db.execute(
        "select from_state, to_state, why from retoma.v_event where subject = 'campaign' order by id"
    ).fetchall()

    assert rows == [
        (None, "draft", None),
        ("draft", "running", None),
        ("running", "paused", "paused by the operator"),
        ("paused", "running", None),
        ("running", "interrupted", "channel sales is disconnected: logged out"),
        ("interrupted", "running", None),
        ("running", "completed", None),
    ]
    assert call(db, "select array_agg(distinct actor) = array[session_user::text] from retoma.v_event")


@pytest.mark.parametrize("table", ["event", "consent"])
def test_the_audit_cannot_be_rewritten(db: Db, table: str) -> None:
    make_channel(db)
    db.execute("select retoma.opt_out('+15550100')")
    for statement in (f"update retoma_internal.{table} set at = at", f"delete from retoma_internal.{table}"):
        with refused(db, "RT011", "append-only"):
            db.execute(statement)


def test_a_batch_of_a_completed_campaign_cannot_be_reopened_by_hand(db: Db) -> None:
    channel = make_channel(db)
    make_campaign(db)
    send_all(db, make_runner(db), channel)
    with pytest.raises(psycopg.Error):
        db.execute("update retoma_internal.batch set status = 'ready', lease_epoch = lease_epoch + 1")
