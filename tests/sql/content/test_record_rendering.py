"""Before a campaign is sent, runners render its content for all recipients, and count who would get none."""

from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    call,
    lease,
    make_campaign,
    make_channel,
    make_runner,
    phone,
    refused,
    send_all,
    status,
)

TEXT = "Olá {{ name }}"


@pytest.fixture
def channel(db: Db) -> int:
    return make_channel(db)


def page(db: Db, size: int = 1000, after_campaign: int = 0) -> tuple[int, int, int, int, int] | None:
    """The next page: campaign, variant, list, the ordinal before it, its recipients."""
    row = db.execute(
        "select campaign_id, variant, list, after_ordinal, recipients"
        " from retoma.recipients_to_render(%s, %s)",
        (after_campaign, size),
    ).fetchone()
    return row and (*row[:4], len(row[4]))


def record(db: Db, found: tuple[int, int, int, int, int] | None, *faults: tuple[str, str, int, int]) -> bool:
    """Answers a page with faults: code, reason, messages, first ordinal. Returns whether it counted."""
    assert found is not None
    campaign_id, variant, list_number, after, size = found
    names = ("code", "reason", "messages", "first_ordinal")
    return bool(
        call(
            db,
            "select retoma.record_rendering(%s, %s, %s, %s, %s, %s)",
            campaign_id,
            variant,
            list_number,
            after,
            after + size,
            Jsonb([dict(zip(names, fault, strict=True)) for fault in faults]),
        )
    )


def faults(db: Db) -> list[tuple[object, ...]]:
    return db.execute(
        "select code, reason, messages, first_ordinal from retoma.v_render_fault order by first_ordinal"
    ).fetchall()


def to_check(db: Db) -> int:
    return int(call(db, "select to_check from retoma.v_campaign_summary"))


def test_pages_go_through_the_list_and_are_counted_per_reason(db: Db, channel: int) -> None:
    made = make_campaign(db, size=5, text=TEXT, start=False)
    assert to_check(db) == 5

    assert page(db, 2) == (made, 1, 1, 0, 2)
    record(db, page(db, 2), ("text_empty", "body[0] is empty", 1, 2))
    assert to_check(db) == 3
    record(db, page(db, 2), ("text_empty", "body[0] is empty", 1, 4), ("render_failed", "no date", 1, 3))
    assert page(db, 2) == (made, 1, 1, 4, 1)
    record(db, page(db, 2))

    assert page(db) is None
    assert (to_check(db), call(db, "select cannot_be_made from retoma.v_campaign_summary")) == (0, 3)
    assert faults(db) == [("text_empty", "body[0] is empty", 2, 2), ("render_failed", "no date", 1, 3)]


def test_a_page_holds_what_a_runner_needs(db: Db, channel: int) -> None:
    make_campaign(db, size=2, text=TEXT, start=False)

    row = db.execute("select content, recipients, sends from retoma.recipients_to_render()").fetchone()

    assert row == (
        {"kind": "text", "text": TEXT},
        [[1, phone(1), {"name": "n1"}], [2, phone(2), {"name": "n2"}]],
        False,
    )


def test_a_text_without_a_brace_and_one_that_was_not_checked_are_not_rendered(db: Db, channel: int) -> None:
    make_campaign(db, "plain", text="Olá")
    make_campaign(db, "unchecked", text=TEXT, checked=False)

    assert page(db) is None
    assert call(db, "select unchecked from retoma.tick()") == 1


def test_the_tick_tells_of_what_is_to_be_rendered(db: Db, channel: int) -> None:
    make_campaign(db, text=TEXT)
    assert call(db, "select unchecked from retoma.tick()") == 1

    record(db, page(db))

    assert call(db, "select unchecked from retoma.tick()") == 0


def test_a_page_that_two_runners_rendered_counts_once(db: Db, channel: int) -> None:
    make_campaign(db, size=3, text=TEXT, start=False)
    found = page(db)

    assert record(db, found, ("text_empty", "x", 1, 1)) is True
    assert record(db, found, ("text_empty", "x", 1, 1)) is False

    assert faults(db) == [("text_empty", "x", 1, 1)]


def test_a_list_that_is_replaced_is_rendered_again(db: Db, channel: int) -> None:
    made = make_campaign(db, size=3, text=TEXT, start=False)
    old = page(db)
    record(db, page(db, 1), ("text_empty", "x", 1, 1))
    db.execute("select retoma.clear_recipients('natal')")
    assert faults(db) == []
    db.execute(
        "select retoma.add_recipients('natal', %s)",
        (Jsonb([{"phone": phone(n), "variables": {"name": "Ana"}} for n in range(1, 4)]),),
    )

    record(db, old, ("text_empty", "of the old list", 1, 1))

    assert (faults(db), page(db)) == ([], (made, 1, 2, 0, 3))


def test_recipients_that_are_added_to_a_draft_are_rendered_too(db: Db, channel: int) -> None:
    made = make_campaign(db, size=3, text=TEXT, start=False)
    record(db, page(db))
    db.execute(
        "select retoma.add_recipients('natal', %s)",
        (Jsonb([{"phone": phone(9), "variables": {"name": "Ana"}}]),),
    )

    assert page(db) == (made, 1, 1, 3, 1)
    db.execute("select retoma.start_campaign('natal')")
    record(db, page(db))
    assert call(db, "select rendering from retoma_internal.campaign_content") is False


def test_a_draft_of_which_no_message_can_be_made_is_not_started(db: Db, channel: int) -> None:
    make_campaign(db, size=3, text=TEXT, start=False)
    record(db, page(db), ("text_empty", "body[0] is empty", 3, 1))

    with refused(db, "RT005", "none of the first 3 messages can be made; number 1: body[0] is empty"):
        db.execute("select retoma.start_campaign('natal')")


def test_a_started_campaign_of_which_no_message_can_be_made_is_interrupted(db: Db, channel: int) -> None:
    runner = make_runner(db)
    make_campaign(db, size=3, text=TEXT)

    record(db, page(db), ("text_empty", "body[0] is empty", 3, 1))

    row = db.execute("select status, interrupt_cause, status_reason from retoma_internal.campaign").fetchone()
    words = "none of the first 3 messages can be made; number 1: body[0] is empty"
    assert row == ("interrupted", "content", words)
    assert lease(db, runner, channel) is None


def grow(db: Db, people: int) -> None:
    """Adds recipients to the draft."""
    recipients = [{"phone": phone(n), "variables": {"name": "Ana"}} for n in range(11, 11 + people)]
    db.execute("select retoma.add_recipients('natal', %s)", (Jsonb(recipients),))


def test_bad_rows_at_the_top_of_a_list_that_has_grown_do_not_refuse_it(db: Db, channel: int) -> None:
    make_runner(db)
    make_campaign(db, size=3, text=TEXT, start=False)
    record(db, page(db), ("text_empty", "body[0] is empty", 3, 1))
    grow(db, 1_000)

    db.execute("select retoma.start_campaign('natal')")
    record(db, page(db))

    assert (status(db), faults(db)) == ("running", [("text_empty", "body[0] is empty", 3, 1)])


def test_a_page_that_was_read_before_the_list_grew_does_not_interrupt_it(db: Db, channel: int) -> None:
    make_runner(db)
    make_campaign(db, size=3, text=TEXT, start=False)
    bad = page(db)
    grow(db, 1_000)
    db.execute("select retoma.start_campaign('natal')")

    record(db, bad, ("text_empty", "body[0] is empty", 3, 1))

    assert (status(db), call(db, "select fault from retoma_internal.campaign_content")) == ("running", None)


def test_a_first_page_that_is_recorded_in_parts_is_judged_at_its_end(db: Db, channel: int) -> None:
    make_runner(db)
    make_campaign(db, size=1_500, text=TEXT)

    record(db, page(db, 400), ("text_empty", "body[0] is empty", 400, 1))
    assert status(db) == "running"
    record(db, page(db, 600), ("text_empty", "body[0] is empty", 600, 401))

    assert status(db) == "interrupted"


def test_one_message_that_can_be_made_is_enough(db: Db, channel: int) -> None:
    make_runner(db)
    make_campaign(db, size=3, text=TEXT)

    record(db, page(db, 2), ("text_empty", "x", 1, 1))
    record(db, page(db, 2), ("text_empty", "x", 1, 3))

    assert status(db) == "running"


def test_a_start_says_what_cannot_be_made_and_what_is_not_checked(db: Db, channel: int) -> None:
    make_campaign(db, size=1003, text=TEXT, start=False)
    record(db, page(db, 2), ("text_empty", "x", 1, 1))
    said: list[tuple[str | None, str | None]] = []
    db.add_notice_handler(lambda notice: said.append((notice.severity, notice.message_primary)))

    db.execute("select retoma.start_campaign('natal')")

    assert said == [
        ("WARNING", "1 messages of campaign 'natal' cannot be made, and will fail"),
        ("NOTICE", "runners are still checking 1001 messages of campaign 'natal'"),
    ]


@pytest.mark.parametrize("end", ["cancelled", "completed"])
def test_nothing_is_rendered_of_a_campaign_that_is_over(db: Db, channel: int, end: str) -> None:
    runner: UUID = make_runner(db)
    make_campaign(db, size=3, text=TEXT)
    found = page(db)
    if end == "cancelled":
        db.execute("select retoma.cancel_campaign('natal')")
    else:
        send_all(db, runner, channel)

    assert (status(db), page(db), to_check(db)) == (end, None, 0)
    record(db, found, ("text_empty", "x", 3, 1))
    assert faults(db) == []


def test_more_reasons_than_anybody_reads_are_counted_together(db: Db, channel: int) -> None:
    make_campaign(db, size=80, text=TEXT, start=False)

    record(db, page(db, 40), *(("render_failed", f"reason {n}", 1, n) for n in range(1, 41)))
    record(db, page(db, 40), *(("render_failed", f"reason {n}", 1, n) for n in range(40, 79)))

    found = faults(db)
    assert (len(found), sum(int(str(row[2])) for row in found)) == (50, 79)
    assert ("render_failed", "reason 40", 2, 40) in found
    assert ("render_failed", "other reasons", 29, 50) in found


def test_what_is_no_result_is_refused(db: Db, channel: int, subtests: pytest.Subtests) -> None:
    made = make_campaign(db, size=3, text=TEXT, start=False)
    statement = "select retoma.record_rendering(%s, 1, 1, %s, %s, %s)"
    fault = {"code": "text_empty", "reason": "x", "messages": 1, "first_ordinal": 1}
    for after, through, result in [
        (0, 0, []),
        (-2_147_483_648, 2_147_483_647, []),
        (0, None, []),
        (0, 3, {}),
        (0, 3, [fault | {"code": "Not a code"}]),
        (0, 3, [fault | {"reason": ""}]),
        (0, 3, [fault | {"messages": 0}]),
        (0, 3, [fault | {"messages": 4}]),
        (0, 3, [fault | {"first_ordinal": "first"}]),
        (0, 3, ["x"]),
    ]:
        with (
            subtests.test(after=after, through=through, result=result),
            refused(db, "RT003", "a rendering says"),
        ):
            db.execute(statement, (made, after, through, Jsonb(result)))
    with pytest.raises(psycopg.Error, match="has no content 1"):
        db.execute(statement, (made + 1, 0, 3, Jsonb([])))
