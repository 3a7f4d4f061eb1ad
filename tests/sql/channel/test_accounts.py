"""readings_due, record_account, refresh_channel: what a provider says of an account."""

import datetime
from typing import Any
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    call,
    lease,
    make_campaign,
    make_channel,
    make_runner,
    move_clock,
    refused,
    send_all,
    status,
)

pytestmark = pytest.mark.usefixtures("frozen_clock")

CLOUD = {"base_url": "http://127.0.0.1:1", "phone_number_id": "104", "access_token": "t"}


@pytest.fixture
def cloud(db: Db) -> int:
    return make_channel(db, "sales", "whatsapp_cloud", CLOUD)


def due(db: Db) -> dict[str, datetime.datetime]:
    """Takes every turn that is due: when each channel was given away."""
    taken = {}
    while row := db.execute("select channel, asked_at from retoma.readings_due('account')").fetchone():
        taken[row[0]] = row[1]
    return taken


def say(db: Db, channel: int, fault: str | None = None, **said: Any) -> None:
    """One turn: the provider is asked, and says this."""
    asked_at = next(iter(due(db).values()))
    account = None if fault else Jsonb(said)
    db.execute("select retoma.record_account(%s, %s, %s, %s)", (channel, asked_at, account, fault))


def shown(db: Db, *columns: str) -> tuple[Any, ...]:
    row = db.execute(f"select {', '.join(columns)} from retoma.v_account").fetchone()
    assert row is not None
    return row


def state(db: Db) -> tuple[Any, ...]:
    row = db.execute("select state, reason from retoma.v_channel where channel = 'sales'").fetchone()
    assert row is not None
    return row


def test_each_account_has_its_turn_and_none_is_given_away_twice(db: Db, cloud: int) -> None:
    make_channel(db, "support", "waha", {"base_url": "http://127.0.0.1:1", "session": "s"})
    make_channel(db, "plain", "webhook", {"url": "http://127.0.0.1:1"})

    assert set(due(db)) == {"sales", "support"}
    assert due(db) == {}
    move_clock(db, "6 minutes")  # the runner that asked has died
    assert set(due(db)) == {"sales", "support"}


def test_an_account_is_asked_about_again_after_the_time_of_its_transport_or_at_once(
    db: Db, cloud: int
) -> None:
    say(db, cloud, connected=True)
    move_clock(db, "14 minutes")
    assert due(db) == {}
    move_clock(db, "1 minute")
    assert set(due(db)) == {"sales"}

    db.execute("select retoma.refresh_channel('sales')")
    assert set(due(db)) == {"sales"}
    db.execute("select retoma.configure_channel('sales', '{\"phone_number_id\": \"105\"}')")
    assert set(due(db)) == {"sales"}


def test_what_is_reported_while_the_provider_is_being_asked_is_asked_for_again(db: Db, cloud: int) -> None:
    asked_at = due(db)["sales"]
    db.execute("select retoma.refresh_channel('sales')")

    db.execute("select retoma.record_account(%s, %s, '{}')", (cloud, asked_at))

    assert set(due(db)) == {"sales"}


def test_all_that_is_said_is_shown_and_a_fault_leaves_it(db: Db, cloud: int) -> None:
    say(db, cloud, connected=True, reason="CONNECTED", quality="GREEN", people_per_day=2000, rate_per_s=80)
    move_clock(db, "1 hour")
    say(db, cloud, fault="it did not answer")

    assert shown(db, "connected", "quality", "people_per_day", "rate_per_s", "fault") == (
        *(True, "GREEN", 2000, 80, "it did not answer"),
    )


def test_an_answer_to_an_older_question_is_ignored(db: Db, cloud: int) -> None:
    first = due(db)["sales"]
    move_clock(db, "6 minutes")
    second = due(db)["sales"]
    record = "select retoma.record_account(%s, %s, %s)"
    db.execute(record, (cloud, second, Jsonb({"quality": "RED"})))

    db.execute(record, (cloud, first, Jsonb({"quality": "GREEN", "people_per_day": 5})))

    assert shown(db, "quality", "people_per_day") == ("RED", None)
    assert call(db, "select count(*) from retoma.v_limit") == 0


def test_an_account_that_does_not_work_interrupts_its_campaigns_until_it_does(
    db: Db, cloud: int, runner: UUID
) -> None:
    make_campaign(db)

    say(db, cloud, connected=False, reason="FLAGGED")

    assert state(db) == ("disconnected", "the provider says: FLAGGED")
    assert status(db) == "interrupted"
    assert lease(db, runner, cloud) is None
    move_clock(db, "1 hour")
    say(db, cloud, connected=None)
    assert status(db) == "interrupted"
    move_clock(db, "1 hour")
    say(db, cloud, connected=False)
    move_clock(db, "1 hour")
    say(db, cloud, connected=True)
    assert state(db) == ("connected", None)
    assert len(send_all(db, runner, cloud)) == 3


def test_a_session_that_works_does_not_connect_what_a_refusal_has_disconnected(db: Db, cloud: int) -> None:
    say(db, cloud, connected=True)
    db.execute("select retoma.channel_disconnected('sales', 'channel_down: the account is restricted')")

    for _ in range(3):
        move_clock(db, "1 hour")
        say(db, cloud, connected=True)

    assert state(db)[0] == "disconnected"


def test_the_limit_of_the_provider_holds_for_people_of_the_whole_group(
    db: Db, cloud: int, runner: UUID
) -> None:
    say(db, cloud, connected=True, people_per_day=2)
    assert db.execute(
        "select scope, subject, counting, maximum, per, told_by_provider from retoma.v_limit"
    ).fetchall() == [("channel", "sales", "people", 2, "24 hours", True)]
    make_campaign(db, size=5)
    assert len(send_all(db, runner, cloud)) == 2

    db.execute("select retoma.group_channel('sales', 'shop')")
    db.execute("select retoma.set_limit('channel_group', 'shop', 4, '24 hours', p_counting => 'people')")
    move_clock(db, "1 hour")
    say(db, cloud, connected=True, people_per_day=250)

    rows = db.execute(
        "select scope, maximum, told_by_provider from retoma.v_limit order by maximum"
    ).fetchall()
    assert rows == [("channel_group", 4, False), ("channel_group", 250, True)]


def told(db: Db) -> list[tuple[Any, ...]]:
    return db.execute(
        "select scope, subject, maximum from retoma.v_limit where told_by_provider order by scope, subject"
    ).fetchall()


def test_the_smallest_number_that_a_group_is_told_holds_whoever_is_asked_last(db: Db, cloud: int) -> None:
    other = make_channel(db, "support", "whatsapp_cloud", CLOUD | {"phone_number_id": "105"})
    for name in ("sales", "support"):
        db.execute("select retoma.group_channel(%s, 'shop')", [name])

    def both(sales: int | None, support: int | None) -> list[tuple[Any, ...]]:
        turns = due(db)
        for name, channel, people in (("sales", cloud, sales), ("support", other, support)):
            said = Jsonb({"people_per_day": people})
            db.execute("select retoma.record_account(%s, %s, %s)", (channel, turns[name], said))
        move_clock(db, "1 hour")
        return told(db)

    assert both(250, 2000) == [("channel_group", "shop", 250)]
    assert both(2000, 2000) == [("channel_group", "shop", 2000)]
    assert both(2000, None) == [("channel_group", "shop", 2000)]
    assert both(None, None) == []


def test_a_channel_takes_what_it_was_told_into_its_group_and_out_again(db: Db, cloud: int) -> None:
    say(db, cloud, people_per_day=250)

    db.execute("select retoma.group_channel('sales', 'shop')")
    assert told(db) == [("channel_group", "shop", 250)]
    db.execute("select retoma.group_channel('sales', 'mall')")
    assert told(db) == [("channel_group", "mall", 250)]
    db.execute("select retoma.group_channel('sales', null)")
    assert told(db) == [("channel", "sales", 250)]


def test_an_account_that_works_connects_what_a_report_has_disconnected(db: Db, cloud: int) -> None:
    say(db, cloud, connected=True)
    move_clock(db, "5 minutes")
    db.execute("select retoma.channel_disconnected('sales', 'FAILED', retoma.clock())")
    move_clock(db, "1 hour")  # and the report that it works again was lost

    say(db, cloud, connected=True)

    assert state(db) == ("connected", None)


def test_nobody_is_asked_for_another_word(db: Db, cloud: int) -> None:
    with refused(db, "RT003", "no provider is asked for 'weather'"):
        db.execute("select retoma.refresh_channel('sales', 'weather')")


def test_a_raised_limit_of_the_provider_holds_at_once(db: Db, cloud: int, runner: UUID) -> None:
    say(db, cloud, people_per_day=1)
    make_campaign(db, size=5)
    assert len(send_all(db, runner, cloud)) == 1
    assert lease(db, runner, cloud) is None

    db.execute("select retoma.refresh_channel('sales')")
    say(db, cloud, people_per_day=3)

    assert len(send_all(db, make_runner(db), cloud)) == 2


def test_the_rate_of_the_provider_lowers_the_rate_of_the_channel_and_never_raises_it(
    db: Db, cloud: int
) -> None:
    say(db, cloud, rate_per_s=80)
    assert call(db, "select rate_per_s from retoma.v_channel") == 20
    db.execute(
        "select retoma.configure_channel('sales', p_pacing => '{\"rate_per_s\": 500, \"burst\": 500}')"
    )

    db.execute("select retoma.refresh_channel('sales')")
    say(db, cloud, rate_per_s=80)

    assert db.execute("select rate_per_s, burst from retoma.v_channel").fetchone() == (80, 80)
    assert call(db, "select why from retoma.v_event where code = 'rate_lowered'") == (
        "the provider allows 80 messages per second, not 500"
    )


def test_a_change_of_the_quality_is_in_the_audit(db: Db, cloud: int) -> None:
    for quality in ("GREEN", "GREEN", "RED"):
        db.execute("select retoma.refresh_channel('sales')")
        say(db, cloud, quality=quality)

    assert db.execute("select why from retoma.v_event where code = 'quality'").fetchall() == [
        ("its quality went from GREEN to RED",)
    ]


def test_what_no_provider_can_say_is_refused(db: Db, cloud: int, subtests: pytest.Subtests) -> None:
    asked_at = due(db)["sales"]
    for said in (
        *("[]", '"x"', '{"connected": "yes"}', '{"people_per_day": 0}', '{"people_per_day": 1.5}'),
        *(
            '{"people_per_day": 9999999999}',
            '{"rate_per_s": 0}',
            '{"rate_per_s": -1}',
            '{"rate_per_s": "fast"}',
        ),
        *('{"quality": 5}', '{"reason": {}}', '{"colour": "GREEN"}', None),
    ):
        with subtests.test(said=said), refused(db, "RT003", "this is not what a provider can say"):
            db.execute("select retoma.record_account(%s, %s, %s)", (cloud, asked_at, said))
    assert shown(db, "read_at", "quality") == (None, None)
