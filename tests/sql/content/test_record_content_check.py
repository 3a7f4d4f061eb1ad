"""What the Liquid of a content means is found by a runner; until then nothing of its campaign is sent."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
import pytest

from tests.support.campaigns import (
    Db,
    call,
    check_content,
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
    status,
    tick,
)
from tests.support.waiting import wait_until

WAITING = "its text is waiting for a runner to check it"
FAULT = "the text is not valid Liquid"


@pytest.fixture
def channel(db: Db) -> int:
    return make_channel(db)


@pytest.fixture
def runner(db: Db) -> UUID:
    return make_runner(db)


def record(db: Db, campaign_id: int, *variables: str, fault: str | None = None) -> None:
    found = None if fault else list(variables)
    db.execute("select retoma.record_content_check(%s, 1, %s, %s)", (campaign_id, found, fault))


def to_check(db: Db) -> list[int]:
    return [row[0] for row in db.execute("select campaign_id from retoma.contents_to_check()").fetchall()]


def reason(db: Db) -> str | None:
    found: str | None = call(db, "select reason from retoma.v_campaign_summary")
    return found


def cause(db: Db) -> str | None:
    found: str | None = call(db, "select interrupt_cause from retoma_internal.campaign")
    return found


def advice(db: Db) -> str:
    return str(call(db, "select what_to_do from retoma.v_interrupted_campaigns"))


def test_a_text_without_a_brace_needs_no_check(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, text="100% off, [only] today", checked=False)

    assert to_check(db) == []
    must_lease(db, runner, channel)


def test_every_other_text_waits_for_a_runner(db: Db, channel: int, runner: UUID) -> None:
    made = make_campaign(db, text="Olá {{ name }}", checked=False)
    assert (status(db), reason(db)) == ("running", WAITING)

    silence(db)
    assert lease(db, runner, channel) is None
    assert tick(db)["rung"] == 0
    assert to_check(db) == [made]


def test_it_is_sent_when_its_check_is_recorded(db: Db, channel: int, runner: UUID) -> None:
    made = make_campaign(db, text="Olá {{ name }}", checked=False)
    silence(db)

    check_content(db, made, "Olá {{ name }}")

    assert doorbells(db) == [channel]
    assert (status(db), reason(db), to_check(db)) == ("running", None, [])
    assert send_all(db, runner, channel) == [1, 2, 3]


def test_the_tick_says_how_many_wait(db: Db, channel: int) -> None:
    assert call(db, "select unchecked from retoma.tick()") == 0
    make_campaign(db, text="Olá {{ name }}", checked=False, start=False)
    assert call(db, "select unchecked from retoma.tick()") == 1


def test_a_draft_with_a_fault_is_not_started(db: Db, channel: int) -> None:
    made = make_campaign(db, text="Olá {{ name", checked=False, start=False)
    record(db, made, fault=FAULT)

    assert reason(db) == FAULT
    with refused(db, "RT005", f"campaign 'natal' cannot be sent: {FAULT}"):
        db.execute("select retoma.start_campaign('natal')")


def test_a_fault_that_is_found_after_the_start_interrupts(db: Db, channel: int, runner: UUID) -> None:
    made = make_campaign(db, text="Olá {{ name", checked=False)

    record(db, made, fault=FAULT)

    assert (status(db), cause(db), reason(db)) == ("interrupted", "content", FAULT)
    assert advice(db).startswith("Its content is fixed: create a new campaign")
    assert (lease(db, runner, channel), to_check(db)) == (None, [])


def test_recipients_without_a_variable_interrupt_a_campaign_that_was_started_before(
    db: Db, channel: int, runner: UUID
) -> None:
    made = make_campaign(db, size=2, text="Olá {{ city }}", checked=False)

    record(db, made, "city")

    words = "2 recipients of campaign 'natal' lack one of the variables city (the first is number 1)"
    assert (status(db), cause(db), reason(db)) == ("interrupted", "content", words)
    assert lease(db, runner, channel) is None


def test_a_variable_of_another_spelling_interrupts_a_campaign_that_was_started_before(
    db: Db, channel: int, runner: UUID
) -> None:
    made = make_campaign(db, size=2, text="Olá {{ Name | default: 'você' }}", checked=False)

    db.execute("select retoma.record_content_check(%s, 1, '{}', null, '{Name}')", (made,))

    words = "a variable of the text has another name in the list: name, not Name"
    assert (status(db), cause(db), reason(db)) == ("interrupted", "content", words)
    assert lease(db, runner, channel) is None


def test_a_campaign_with_a_fault_is_not_resumed(db: Db, channel: int, runner: UUID) -> None:
    made = make_campaign(db, text="Olá {{ name", checked=False)
    record(db, made, fault=FAULT)

    with refused(db, "RT002", "cannot resume campaign 'natal': it is interrupted"):
        db.execute("select retoma.resume_campaign('natal')")
    db.execute("select retoma.pause_campaign('natal')")
    assert call(db, "select retoma.resume_campaign('natal')") == "interrupted"

    assert (cause(db), lease(db, runner, channel)) == ("content", None)


def test_a_fault_that_is_found_in_a_pause_interrupts_at_the_end_of_it(db: Db, channel: int) -> None:
    made = make_campaign(db, text="Olá {{ name", checked=False)
    db.execute("select retoma.pause_campaign('natal')")
    record(db, made, fault=FAULT)
    assert status(db) == "paused"

    assert call(db, "select retoma.resume_campaign('natal')") == "interrupted"

    assert (cause(db), reason(db)) == ("content", FAULT)


def test_a_fault_is_said_before_the_channel_is_back(db: Db, channel: int, runner: UUID) -> None:
    made = make_campaign(db, text="Olá {{ name", checked=False)
    db.execute("select retoma.channel_disconnected('sales')")
    record(db, made, fault=FAULT)
    assert (cause(db), reason(db)) == ("content", FAULT)

    db.execute("select retoma.channel_connected('sales')")

    assert (status(db), cause(db)) == ("interrupted", "content")


def test_a_scheduled_campaign_with_a_fault_says_so_and_is_interrupted_at_its_time(
    db: Db, channel: int, runner: UUID
) -> None:
    set_clock(db, "2026-03-02 08:00 UTC")
    made = make_campaign(db, text="Olá {{ name", checked=False, starts_at="2026-03-02 09:00 UTC")
    record(db, made, fault=FAULT)
    assert (status(db), reason(db)) == ("scheduled", FAULT)
    set_clock(db, "2026-03-02 09:00 UTC")

    tick(db)

    assert (status(db), cause(db)) == ("interrupted", "content")


def test_the_first_answer_stays(db: Db, channel: int) -> None:
    made = make_campaign(db, text="Olá {{ name }}", checked=False)
    record(db, made, "name")

    record(db, made, fault=FAULT)

    row = db.execute("select required_variables, fault from retoma_internal.campaign_content").fetchone()
    assert row == (["name"], None)


def test_a_check_and_a_start_at_the_same_moment_judge_the_audience(
    db: Db, database: str, channel: int
) -> None:
    made = make_campaign(db, text="Olá {{ city }}", checked=False, start=False)
    waits = "select cardinality(pg_blocking_pids(%s)) > 0"
    with (
        psycopg.connect(database) as starting,
        psycopg.connect(database, autocommit=True) as checking,
        ThreadPoolExecutor(1) as pool,
    ):
        starting.execute("select retoma.start_campaign('natal')")
        checked = pool.submit(record, checking, made, "city")
        wait_until(lambda: call(db, waits, checking.info.backend_pid))
        starting.commit()
        checked.result()

    assert (status(db), cause(db)) == ("interrupted", "content")


def test_an_answer_that_is_none_is_refused(db: Db, channel: int, subtests: pytest.Subtests) -> None:
    made = make_campaign(db, text="Olá {{ name }}", checked=False)
    for variables, fault in [(None, None), (None, ""), (["name"], FAULT), (["name", None], None)]:
        with subtests.test(variables=variables, fault=fault), refused(db, "RT003", "a check gives either"):
            db.execute("select retoma.record_content_check(%s, 1, %s, %s)", (made, variables, fault))
    with refused(db, "RT001", f"campaign {made} has no content 2"):
        db.execute("select retoma.record_content_check(%s, 2, '{}')", (made,))
