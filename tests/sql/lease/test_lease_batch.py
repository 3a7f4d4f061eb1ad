"""lease_batch: a time-limited right to one batch of one channel."""

from uuid import UUID, uuid4

import pytest
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
    refused,
    send_all,
)
from tests.support.contents import text

pytestmark = pytest.mark.usefixtures("frozen_clock")


def test_a_lease_comes_with_all_that_is_needed_to_send(db: Db) -> None:
    settings: dict[str, object] = {"url": "http://127.0.0.1:1", "secret": "env:RETOMA_SECRET_GATEWAY"}
    channel = make_channel(db, transport="webhook", settings=settings)
    make_campaign(db, text="Olá!")
    runner = make_runner(db)

    leased = db.cursor(row_factory=dict_row).execute(
        "select * from retoma.lease_batch(%s, %s)", (runner, channel)
    )

    assert leased.fetchone() == {
        "batch_id": 1,
        "lease_epoch": 1,
        "reserved": 0,
        "lease_s": 60,
        "campaign": "natal",
        "contents": [
            {
                "content": text("Olá!"),
                "texts": [{"path": ["text"], "place": "text", "maximum": 65536, "required": True}],
            }
        ],
        "media": None,
        "channel": "sales",
        "transport": "webhook",
        "settings": settings | {"media_as": "link", "timeout_s": 30},
        "max_in_flight": 100,
        "may_lease_more": True,
    }


def test_nothing_to_do_is_no_batch(db: Db, channel: int, runner: UUID) -> None:
    assert lease(db, runner, channel) is None
    assert lease(db, runner, channel + 100) is None
    make_campaign(db, start=False)
    assert lease(db, runner, channel) is None


def test_a_runner_that_is_not_registered_or_has_stopped_is_refused(
    db: Db, channel: int, runner: UUID
) -> None:
    with refused(db, "RT001", "is not registered"):
        lease(db, uuid4(), channel)
    db.execute("select retoma.unregister_runner(%s)", (runner,))
    with refused(db, "RT001", "is not registered"):
        lease(db, runner, channel)


def test_a_runner_needs_an_id_and_a_name(db: Db) -> None:
    for runner_id, name in ((None, "r"), (uuid4(), ""), (uuid4(), None)):
        with refused(db, "RT003", "an id and a name"):
            db.execute("select retoma.register_runner(%s, %s)", (runner_id, name))


def test_another_channel_of_the_campaign_takes_another_batch(db: Db, channel: int, runner: UUID) -> None:
    support = make_channel(db, "support")
    make_campaign(db, size=2, batch_size=1, channels=["sales", "support"])

    assert must_lease(db, runner, channel).batch_id != must_lease(db, runner, support).batch_id


def test_a_channel_has_as_many_leases_as_it_may(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=4, batch_size=1)
    must_lease(db, runner, channel)
    assert lease(db, make_runner(db, "two"), channel) is None

    db.execute("select retoma.configure_channel('sales', p_pacing => '{\"max_leases\": 3}')")

    must_lease(db, make_runner(db, "three"), channel)
    must_lease(db, make_runner(db, "four"), channel)
    assert lease(db, make_runner(db, "five"), channel) is None


def test_a_runner_that_asks_again_never_got_the_last_reply_so_that_lease_ends(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db)
    lost = must_lease(db, runner, channel)

    again = must_lease(db, runner, channel)

    assert again.batch_id == lost.batch_id
    assert again.epoch > lost.epoch
    with refused(db, "RT010"):
        advance(db, lost)


def test_a_runner_keeps_the_leases_that_it_names_and_learns_whether_it_may_have_more(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=6, batch_size=2)
    db.execute("select retoma.configure_channel('sales', p_pacing => '{\"max_leases\": 2}')")
    ask = "select batch_id, may_lease_more from retoma.lease_batch(%s, %s, %s)"

    first = db.execute(ask, (runner, channel, [])).fetchone()
    second = db.execute(ask, (runner, channel, [1])).fetchone()
    third = db.execute(ask, (runner, channel, [1, 2])).fetchone()

    assert (first, second, third) == ((1, True), (2, False), (None, None))
    assert call(
        db, "select array_agg(id order by id) from retoma_internal.batch where status = 'leased'"
    ) == [1, 2]


def test_the_campaign_that_waited_longest_is_served_first(db: Db, channel: int, runner: UUID) -> None:
    first = make_campaign(db, "first", size=2, batch_size=1)
    second = make_campaign(db, "second", size=2, batch_size=1)
    served = []
    for _ in range(4):
        leased = must_lease(db, runner, channel)
        served.append(
            call(db, "select campaign_id from retoma_internal.batch where id = %s", leased.batch_id)
        )
        ordinals = advance(db, leased, want=1).ordinals
        advance(db, leased, accepted(*ordinals))

    assert served == [first, second, first, second]


def test_a_retry_that_is_due_goes_before_fresh_batches(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=2, batch_size=1)
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    advance(db, leased, [error(1, "connect_failed", written=False)])
    move_clock(db, "10 minutes")

    assert send_all(db, runner, channel) == [1, 2]


@pytest.mark.parametrize(
    "statement", ["retoma.channel_disconnected('sales')", "retoma.pause_channel('sales')"]
)
def test_a_channel_that_cannot_send_leases_nothing(
    db: Db, channel: int, runner: UUID, statement: str
) -> None:
    make_channel(db, "support")
    make_campaign(db, channels=["sales", "support"])

    db.execute(f"select {statement}")

    assert lease(db, runner, channel) is None


def test_a_lease_renews_itself_with_every_step(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db)
    leased = must_lease(db, runner, channel)
    for _ in range(3):
        move_clock(db, "50 s")
        assert advance(db, leased).action == "wait"
        assert call(db, "select reaped from retoma.tick()") == 0


def test_the_duration_of_a_lease_is_a_setting(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db)
    db.execute("update retoma.setting set lease_duration = '5 s'")
    must_lease(db, runner, channel)
    move_clock(db, "6 s")

    assert call(db, "select reaped from retoma.tick()") == 1
