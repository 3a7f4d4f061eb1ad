"""Calls that come together: one transaction, each item refused by itself, each call with its own answer."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import partial

import psycopg
import pytest

from retoma.receiver import recording
from retoma.receiver.database import Database
from retoma.receiver.recording import Recorder
from retoma.transports.base import Alias, ConnectionChange, Fact, Inbound, Receipt, WebhookRefused
from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    call,
    make_campaign,
    make_channel,
    make_runner,
    must_lease,
    phone,
)
from tests.support.clusters import Server
from tests.support.waiting import wait_until

SIZE = 20
AT = 1_764_222_900.0
STRANGER = "0123456789abcdef" * 2
RECEIPTS = (
    "select count(*), count(distinct xmin::text) from retoma_internal.delivery where receipt is not null"
)
REPLIES = "select count(*), count(distinct xmin::text) from retoma_internal.reply"
WAITS_FOR_A_LOCK = "select exists(select from pg_stat_activity where wait_event_type = 'Lock')"


@pytest.fixture
def ids(db: Db) -> list[str]:
    """The ids of messages that were sent on the channel sales."""
    channel = make_channel(db)
    make_campaign(db, size=SIZE + 1)
    leased = must_lease(db, make_runner(db), channel)
    step = advance(db, leased, want=SIZE)
    advance(db, leased, accepted(*step.ordinals))
    return [message[1] for message in step.messages]


@pytest.fixture
async def recorder(database: str) -> AsyncIterator[Recorder]:
    async with Database(database) as opened:
        yield Recorder(opened)


async def together(recorder: Recorder, calls: Sequence[Sequence[Fact]]) -> list[list[str] | BaseException]:
    """These calls come at once; what each of them is answered."""
    return await asyncio.gather(*(recorder.record("sales", facts) for facts in calls), return_exceptions=True)


def delivered(message_id: str, **more: str) -> Receipt:
    return Receipt(message_id, None, "delivered", at=AT, **more)


def reply(number: int, text: str = "SAIR", **more: str | None) -> Inbound:
    facts: dict[str, str | None] = {"phone": phone(number), "provider_id": f"in-{number}", **more}
    return Inbound(facts["phone"], text, facts["provider_id"], AT, address=f"{number}@lid")


async def test_calls_that_come_together_are_one_transaction(
    db: Db, recorder: Recorder, ids: list[str]
) -> None:
    answers = await together(recorder, [[delivered(message_id)] for message_id in ids])

    assert answers == [[]] * SIZE
    assert db.execute(RECEIPTS).fetchone() == (SIZE, 1)


async def test_a_call_with_more_than_a_group_takes_several_transactions(
    db: Db, recorder: Recorder, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "GROUP_SIZE", SIZE // 4)

    assert await recorder.record("sales", [delivered(message_id) for message_id in ids]) == []

    assert db.execute(RECEIPTS).fetchone() == (SIZE, 4)


async def test_a_bad_receipt_refuses_itself_and_only_its_caller_hears_of_it(
    db: Db, recorder: Recorder, ids: list[str]
) -> None:
    calls: list[list[Fact]] = [[delivered(message_id)] for message_id in ids]
    calls[3] = [delivered(ids[3]), delivered(STRANGER)]
    calls[4] = [delivered(STRANGER)]
    calls[5] = [delivered(ids[5], code="half a pair \ud800"), delivered(ids[5])]

    answers = await together(recorder, calls)

    assert [len(answer) if isinstance(answer, list) else answer for answer in answers] == [
        *(0, 0, 0, 1, 1, 1),
        *[0] * (SIZE - 6),
    ]
    assert db.execute(RECEIPTS).fetchone() == (SIZE - 1, 1)


async def test_a_bad_reply_refuses_itself_and_nobody_is_kept_from_opting_out(
    db: Db, recorder: Recorder, ids: list[str]
) -> None:
    calls: list[list[Fact]] = [[reply(number)] for number in range(SIZE)]
    calls[7] = [reply(7, phone="+0")]
    calls[11] = [reply(11, text="half a pair \ud800"), reply(SIZE)]

    answers = await together(recorder, calls)

    refused = {number for number, answer in enumerate(answers) if answer}
    assert refused == {7, 11}
    assert all(isinstance(answer, list) for answer in answers)
    assert call(db, "select count(*) from retoma_internal.suppression") == SIZE - 1


def named(number: int, **more: str) -> Alias:
    return Alias(f"{number}@lid", phone(number), at=AT, **more)


async def test_aliases_are_one_transaction_and_each_person_is_written_once(
    db: Db, recorder: Recorder, ids: list[str]
) -> None:
    calls: list[list[Fact]] = [[delivered(ids[0]), named(number), named(number)] for number in range(SIZE)]

    assert await together(recorder, calls) == [[]] * SIZE
    aliases = "select count(*), count(distinct xmin::text) from retoma_internal.alias"
    assert db.execute(aliases).fetchone() == (SIZE, 1)


async def test_without_aliases_the_database_is_not_asked_about_them(
    db: Db, recorder: Recorder, ids: list[str]
) -> None:
    db.execute("drop function retoma.record_aliases")

    assert await recorder.record("sales", [delivered(ids[0]), reply(1)]) == []
    with pytest.raises(psycopg.errors.UndefinedFunction):
        await recorder.record("sales", [delivered(ids[0]), named(1)])


async def test_an_alias_that_cannot_be_taken_keeps_no_other_from_being_learnt(
    db: Db, recorder: Recorder, ids: list[str]
) -> None:
    calls: list[list[Fact]] = [[named(number)] for number in range(4)]
    calls[1] = [Alias("1@lid", "+0"), Alias("half a pair \ud800", phone(1)), named(5)]

    answers = await together(recorder, calls)

    assert [len(answer) if isinstance(answer, list) else answer for answer in answers] == [0, 2, 0, 0]
    assert call(db, "select count(*) from retoma_internal.alias") == 4


async def test_receipts_do_not_wait_for_the_lock_of_a_person_who_is_named(
    db: Db, database: str, recorder: Recorder, ids: list[str]
) -> None:
    hidden = Inbound(None, "SAIR", "in-1", AT, address="1@lid")
    assert await recorder.record("sales", [hidden]) == []
    with psycopg.connect(database) as other:
        other.execute("select retoma.opt_out(%s, 'form')", (phone(1),))

        answers = await together(recorder, [[delivered(ids[0])], [named(1)], [named(2)]])
        other.rollback()

    assert answers[0] == answers[2] == []
    assert isinstance(answers[1], psycopg.errors.LockNotAvailable)
    assert db.execute(RECEIPTS).fetchone() == (1, 1)
    assert await recorder.record("sales", [named(1)]) == []
    assert call(db, "select state from retoma_internal.reply") == "opted_out"


async def test_the_same_reply_twice_in_a_group_counts_once(
    db: Db, recorder: Recorder, ids: list[str]
) -> None:
    twice: list[list[Fact]] = [
        [reply(1)],
        [reply(1)],
        [reply(2, provider_id=None)],
        [reply(2, provider_id=None)],
    ]

    assert await together(recorder, twice) == [[]] * 4

    assert db.execute(REPLIES).fetchone() == (2, 1)


async def test_receipts_and_replies_do_not_wait_for_the_lock_of_a_person(
    db: Db, database: str, recorder: Recorder, ids: list[str]
) -> None:
    assert await recorder.record("sales", [reply(1)]) == []
    with psycopg.connect(database) as other:
        # Somebody has left a session open.
        other.execute("select retoma.opt_out(%s, 'form')", (phone(1),))
        calls: list[list[Fact]] = [[reply(number, provider_id=f"again-{number}")] for number in range(8)]
        calls.append([delivered(ids[0])])

        answers = await together(recorder, calls)
        other.rollback()

    assert [number for number, answer in enumerate(answers) if answer != []] == [1]
    assert isinstance(answers[1], psycopg.errors.LockNotAvailable)
    assert call(db, "select count(*) from retoma_internal.suppression") == 8
    assert db.execute(RECEIPTS).fetchone() == (1, 1)


async def test_a_failure_that_cannot_lock_the_channel_does_not_keep_other_receipts_waiting(
    db: Db, database: str, recorder: Recorder, ids: list[str]
) -> None:
    db.execute("update retoma.breaker set threshold = 1 where failure = 'failed_receipt'")
    failed = Receipt(ids[0], None, "failed", "131026", AT)
    with psycopg.connect(database) as other:
        other.execute("select from retoma_internal.channel for no key update")

        answers = await together(recorder, [[failed], [delivered(ids[1])]])
        other.rollback()

    assert isinstance(answers[0], psycopg.errors.LockNotAvailable)
    assert answers[1] == []
    assert db.execute(RECEIPTS).fetchone() == (1, 1)
    assert await recorder.record("sales", [failed]) == []
    assert call(db, "select state from retoma.v_channel") == "paused"


async def test_what_comes_while_a_transaction_runs_is_the_next_transaction(
    db: Db, database: str, recorder: Recorder, ids: list[str]
) -> None:
    with psycopg.connect(database) as other:
        other.execute("lock table retoma_internal.reply in exclusive mode")
        first = asyncio.create_task(recorder.record("sales", [reply(0)]))
        await asyncio.to_thread(wait_until, partial(call, db, WAITS_FOR_A_LOCK))
        others = asyncio.create_task(together(recorder, [[reply(number)] for number in range(1, SIZE)]))
        await asyncio.sleep(0)
        other.rollback()

    assert await first == []
    assert await others == [[]] * (SIZE - 1)
    assert db.execute(REPLIES).fetchone() == (SIZE, 2)


async def test_a_later_report_on_the_connection_does_not_overtake_one_that_is_not_recorded(
    db: Db, database: str, recorder: Recorder, ids: list[str]
) -> None:
    down, up = ConnectionChange(False, "FAILED"), ConnectionChange(True, "WORKING")
    with psycopg.connect(database) as other:
        other.execute("select from retoma_internal.channel for no key update")
        answers = await together(recorder, [[down], [up]])
        other.rollback()

    assert [type(answer) for answer in answers] == [psycopg.errors.LockNotAvailable] * 2
    assert await together(recorder, [[down], [up]]) == [[], []]
    assert call(db, "select connected from retoma_internal.channel") is True


async def test_what_cannot_be_stored_is_an_error_for_all_and_no_refusal(
    db: Db, recorder: Recorder, ids: list[str]
) -> None:
    """As when the disk is full: each statement that writes fails."""
    db.execute("""
        create function public.no_space() returns trigger language plpgsql as
        $$ begin raise exception using errcode = 'disk_full', message = 'No space left on device'; end $$
    """)
    for table in ("delivery", "reply"):
        db.execute(
            f"create trigger no_space before insert or update on retoma_internal.{table}"
            " for each statement execute function public.no_space()"
        )

    answers = await together(recorder, [[delivered(ids[0])], [delivered(STRANGER)], [reply(1)], [reply(2)]])

    assert [type(answer) for answer in answers] == [psycopg.errors.DiskFull] * 4


async def test_an_item_that_the_database_cannot_take_for_a_reason_of_its_own_spoils_no_group(
    db: Db, recorder: Recorder, ids: list[str]
) -> None:
    """It is not the caller's fault, so the caller may come again; those beside it are done."""
    db.execute("""
        create function public.no_third() returns trigger language plpgsql as
        $$ begin raise exception using errcode = 'check_violation', message = 'not this one'; end $$;
        create trigger no_third before insert on retoma_internal.reply
        for each row when (new.provider_id = 'in-3') execute function public.no_third()
    """)

    answers = await together(recorder, [[reply(number)] for number in range(SIZE)])

    assert [number for number, answer in enumerate(answers) if answer != []] == [3]
    assert isinstance(answers[3], psycopg.errors.CheckViolation)
    assert call(db, "select count(*) from retoma_internal.suppression") == SIZE - 1


async def test_receipts_without_room_are_asked_for_again_and_those_beside_them_are_done(
    db: Db, recorder: Recorder, ids: list[str]
) -> None:
    db.execute("update retoma.setting set receipts_waiting = 1")
    early = [f"{ids[0][:24]}{ordinal:08x}" for ordinal in (SIZE + 1, SIZE + 1)]
    calls: list[list[Fact]] = [
        [delivered(ids[0])],
        [delivered(early[0])],
        [Receipt(early[1], None, "read", at=AT)],
    ]

    answers = await together(recorder, calls)

    assert answers[:2] == [[], []]
    assert isinstance(answers[2], WebhookRefused)
    assert answers[2].http_status == 503


async def test_without_the_database_all_hear_that_it_is_away(server: Server, ids: list[str]) -> None:
    async with Database("host=127.0.0.1 port=1 dbname=nowhere") as away:
        answers = await together(Recorder(away), [[delivered(ids[0])], [delivered(ids[1])]])

    assert all(isinstance(answer, psycopg.OperationalError) for answer in answers)
