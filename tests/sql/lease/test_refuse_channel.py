"""refuse_channel: a runner that lacks something of its own leaves the channel to the others."""

from uuid import uuid4

import pytest

from tests.support.campaigns import (
    Db,
    call,
    lease,
    make_campaign,
    make_channel,
    make_runner,
    must_lease,
    release,
    send_all,
    status,
)

REASON = "the environment variable SALES_KEY is not set"


@pytest.fixture
def channel(db: Db) -> int:
    channel = make_channel(db)
    make_campaign(db)
    return channel


def test_the_runner_gets_no_lease_of_it_and_the_others_do(db: Db, channel: int) -> None:
    without, complete = make_runner(db, "without"), make_runner(db, "complete")
    release(db, must_lease(db, without, channel))

    db.execute("select retoma.refuse_channel(%s, %s, %s)", (without, channel, REASON))

    assert lease(db, without, channel) is None
    assert status(db) == "running"
    assert call(db, "select state from retoma.v_channel") == "connected"
    assert send_all(db, complete, channel) == [1, 2, 3]


def test_it_is_shown_with_its_reason(db: Db, channel: int) -> None:
    runner = make_runner(db, "without")

    for reason in (REASON, "another word"):
        db.execute("select retoma.refuse_channel(%s, %s, %s)", (runner, channel, reason))

    assert call(db, "select refuses from retoma.v_runner") == [f"sales: {REASON}"]


def test_when_no_live_runner_can_use_the_channel_its_campaigns_show_as_interrupted(
    db: Db, channel: int
) -> None:
    make_channel(db, "other")
    make_campaign(db, "pascoa", channels=["sales", "other"])
    make_campaign(db, "both")
    without = make_runner(db, "without")
    db.execute("select retoma.refuse_channel(%s, %s, %s)", (without, channel, REASON))

    assert (status(db), status(db, "pascoa")) == ("interrupted", "running")
    row = db.execute(
        "select cause, reason, what_to_do from retoma.v_interrupted_campaigns where campaign = 'natal'"
    ).fetchone()
    assert row == (
        "no_runner",
        f"no live runner can use channel sales: {REASON}",
        "Give a runner what the reason says, and start it again; the campaign continues by itself",
    )

    complete = make_runner(db, "complete")
    assert status(db) == "running"
    db.execute("select retoma.unregister_runner(%s)", (complete,))
    assert status(db) == "interrupted"


def test_a_campaign_whose_other_channel_is_down_shows_it_too(db: Db, channel: int) -> None:
    make_channel(db, "other")
    make_campaign(db, "pascoa", channels=["sales", "other"])
    runner = make_runner(db)
    db.execute("select retoma.refuse_channel(%s, %s, %s)", (runner, channel, REASON))

    db.execute("select retoma.pause_channel('other')")

    assert status(db, "pascoa") == "interrupted"


def test_new_settings_are_judged_anew(db: Db, channel: int) -> None:
    runner = make_runner(db)
    db.execute("select retoma.refuse_channel(%s, %s, %s)", (runner, channel, REASON))

    db.execute("select retoma.configure_channel('sales')")

    assert status(db) == "running"
    assert lease(db, runner, channel) is not None


def test_an_unknown_runner_or_channel_changes_nothing(db: Db, channel: int) -> None:
    db.execute("select retoma.refuse_channel(%s, %s, %s)", (uuid4(), channel, REASON))
    db.execute("select retoma.refuse_channel(%s, 999, %s)", (make_runner(db), REASON))

    assert call(db, "select count(*) from retoma_internal.channel_refusal") == 0
