"""Limits that several channels share, and limits that count different people."""

import random
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    call,
    doorbells,
    lease,
    make_campaign,
    make_channel,
    make_runner,
    move_clock,
    refused,
    send_all,
    set_clock,
    silence,
    tick,
)
from tests.support.concurrency import sessions

pytestmark = pytest.mark.usefixtures("frozen_clock")


def group(db: Db, *channels: str, name: str | None = "shop") -> None:
    for channel in channels:
        db.execute("select retoma.group_channel(%s, %s)", (channel, name))


def limit(
    db: Db, maximum: int, per: str = "24 hours", counting: str = "people", scope: str = "channel_group"
) -> None:
    subject = {"channel_group": "shop", "channel": "sales", "campaign": "natal"}[scope]
    db.execute(
        "select retoma.set_limit(%s, %s, %s, %s, p_counting => %s)", (scope, subject, maximum, per, counting)
    )


def used(db: Db) -> int:
    return int(call(db, "select used from retoma.v_limit"))


def test_the_channels_of_a_group_share_its_limit(db: Db, runner: UUID) -> None:
    channels = [make_channel(db, name) for name in ("sales", "support", "alone")]
    group(db, "sales", "support")
    limit(db, 5, counting="messages")
    for name in ("sales", "support", "alone"):
        make_campaign(db, f"of-{name}", size=4, channels=[name])

    assert [len(send_all(db, runner, channel)) for channel in channels] == [4, 1, 4]

    assert lease(db, runner, channels[1]) is None
    assert db.execute(
        "select channel, channel_group, held_because from retoma.v_channel order by channel"
    ).fetchall() == [
        ("alone", None, None),
        ("sales", "shop", "limit of 5 messages per 24 hours used up"),
        ("support", "shop", "limit of 5 messages per 24 hours used up"),
    ]
    assert call(db, "select reason from retoma.v_waiting_campaigns where campaign = 'of-support'") == (
        "channel support has used up its limit of 5 messages per 24 hours"
    )


def test_a_channel_that_leaves_its_group_is_free_of_its_limit(db: Db, runner: UUID) -> None:
    channel = make_channel(db)
    group(db, "sales")
    limit(db, 1, counting="messages")
    make_campaign(db)
    assert len(send_all(db, runner, channel)) == 1

    group(db, "sales", name=None)

    assert len(send_all(db, runner, channel)) == 2


def test_a_group_that_gets_room_rings_its_channels(db: Db, runner: UUID) -> None:
    channel = make_channel(db)
    group(db, "sales")
    limit(db, 1)
    make_campaign(db)
    send_all(db, runner, channel)
    silence(db)
    tick(db)
    assert doorbells(db) == []

    move_clock(db, "25 hours")
    tick(db)

    assert doorbells(db) == [channel]


def test_a_person_counts_once_however_many_messages(db: Db, runner: UUID) -> None:
    channel = make_channel(db)
    limit(db, 5, scope="channel")
    # The recipients of all campaigns are the same people.
    for name, size in (("first", 3), ("second", 3), ("third", 4)):
        make_campaign(db, name, size=size)

    assert len(send_all(db, runner, channel)) == 10

    assert used(db) == 4
    assert call(db, "select remaining from retoma.v_limit") == 1


def test_people_are_counted_by_person_and_not_by_the_form_of_a_number(db: Db, runner: UUID) -> None:
    channel = make_channel(db)
    limit(db, 5, scope="channel")
    for name, number in (("first", "+525555550001"), ("second", "+5215555550001")):
        db.execute("select retoma.create_campaign(%s, 'sales', 'x')", (name,))
        db.execute("select retoma.add_recipients(%s, %s)", (name, Jsonb([{"phone": number}])))
        db.execute("select retoma.start_campaign(%s)", (name,))

    assert len(send_all(db, runner, channel)) == 2
    assert used(db) == 1


def test_a_person_counts_from_the_last_message_on(db: Db, runner: UUID) -> None:
    channel = make_channel(db)
    set_clock(db, "2026-03-02 12:00 UTC")
    limit(db, 3, scope="channel")
    make_campaign(db, "first", size=2)
    send_all(db, runner, channel)
    move_clock(db, "20 hours")
    make_campaign(db, "second", size=1)
    send_all(db, runner, channel)
    assert used(db) == 2

    move_clock(db, "5 hours")

    assert used(db) == 1


def test_a_limit_of_people_in_a_calendar_day_begins_anew_at_midnight(db: Db, runner: UUID) -> None:
    channel = make_channel(db)
    set_clock(db, "2026-03-02 12:00 UTC")
    limit(db, 2, "day", scope="channel")
    make_campaign(db, size=5)
    assert len(send_all(db, runner, channel)) == 2

    set_clock(db, "2026-03-03 00:00 UTC")

    assert used(db) == 0
    assert len(send_all(db, runner, channel)) == 2


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 90), st.sets(st.integers(1, 6), min_size=1)), min_size=1, max_size=8)
)
def test_the_sum_of_the_slots_is_the_number_of_people(db: Db, steps: list[tuple[int, set[int]]]) -> None:
    db.execute("delete from retoma_internal.limit_rule")
    db.execute(
        "insert into retoma_internal.limit_rule (scope, subject_id, counting, maximum, rolling)"
        " values ('channel', 1, 'people', 100, '96 minutes')"
    )
    rule = call(db, "select id from retoma_internal.limit_rule")
    minute, last = 0, dict[int, int]()
    for after, people in steps:
        minute += after
        last |= dict.fromkeys(people, minute)
        db.execute(
            "select retoma_internal.spend_people("
            "array[%s], %s, 'epoch'::timestamptz + make_interval(mins => %s))",
            (rule, [f"+55119555{person:05}" for person in people], minute),
        )
        counted = call(
            db,
            "select retoma_internal.limit_used(l, 'epoch'::timestamptz + make_interval(mins => %s))"
            " from retoma_internal.limit_rule as l",
            minute,
        )
        assert counted == sum(minute - at <= 96 for at in last.values())


def test_two_runners_never_exceed_the_limit_of_a_group(db: Db, database: str) -> None:
    channels = [make_channel(db, name, max_leases=2, max_in_flight=8) for name in ("sales", "support")]
    group(db, "sales", "support")

    def run(session: psycopg.Connection, dice: random.Random) -> None:
        me = make_runner(session)
        for _ in range(30):
            leased = lease(session, me, dice.choice(channels))
            if leased is None:
                continue
            step = advance(session, leased, want=dice.randint(1, 7))
            while step.action == "send":
                step = advance(session, leased, accepted(*step.ordinals), want=dice.randint(1, 7))
            if step.action == "wait":
                session.execute("select retoma.release_batch(%s, %s, %s)", leased.fence)

    for number in range(10):
        counting = "people" if number % 2 else "messages"
        limit(db, 20 + number, "24 hours", counting)
        make_campaign(db, f"k{number}", size=60, batch_size=7, channels=["sales", "support"])
        with sessions(database, 2) as pair, ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(run, s, random.Random(f"{number}{n}")) for n, s in enumerate(pair)]:
                done.result(timeout=60)
        query = "select count(*) from retoma_internal.delivery where campaign_id = %s"
        campaign = call(db, "select id from retoma_internal.campaign where name = %s", f"k{number}")
        assert call(db, query, campaign) == 20 + number
        db.execute("select retoma.cancel_campaign(%s)", (f"k{number}",))
        db.execute("delete from retoma_internal.limit_rule")
        tick(db)


def test_what_is_no_group_and_what_cannot_be_counted_is_refused(db: Db) -> None:
    make_channel(db)
    with refused(db, "RT001", "there is no group of channels 'shop'"):
        limit(db, 5)
    with refused(db, "RT001", "there is no channel 'nobody'"):
        group(db, "nobody")
    with refused(db, "RT003", "'Shop!' is not the name of a group"):
        group(db, "sales", name="Shop!")
    with refused(db, "RT003", "a limit cannot count 'apples'"):
        limit(db, 5, counting="apples", scope="channel")
    assert call(db, "select channel_group from retoma.v_channel") is None


def test_the_audit_says_who_put_a_channel_into_a_group(db: Db) -> None:
    make_channel(db)
    group(db, "sales")
    group(db, "sales")
    group(db, "sales", name=None)

    assert db.execute("select why from retoma.v_event where code = 'grouped' order by at").fetchall() == [
        ("put into the group shop",),
        ("taken out of its group",),
    ]
