"""A monitor sees no number of a person: neither a short one, nor in the texts of people and providers."""

import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    accepted,
    advance,
    call,
    error,
    make_campaign,
    make_channel,
    make_runner,
    must_lease,
)

NUMBER = "+5511955501203"


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+5511955501203", "+55********203"),
        ("+15555550123", "+15******123"),
        ("+3545550123", "+3******123"),
        ("+298555012", "+******012"),
        ("+29055501", "+******01"),
        ("+2905550", "+******0"),
        ("+123", "+***"),
    ],
)
def test_at_least_six_digits_of_a_number_are_hidden(db: Db, number: str, shown: str) -> None:
    assert call(db, "select retoma_internal.mask_phone(%s)", number) == shown


def masked(db: Db, text: str) -> str:
    return str(call(db, "select retoma_internal.mask_numbers(%s)", text))


@pytest.mark.parametrize(
    "number",
    [
        "+5511955501203",
        "5511955501203",
        "+55 (11) 95550-1203",
        "(11) 95550-1203",
        "11 95550 1203",
        "+55-11-95550-1203",
        "06.12.34.56.78",
        "+33 6 12 34 56 78",
        "555-0123",
        "+1\u00a0555\u2011555\u20110123",
        "2905550",
        "11.955.501.203",
    ],
)
@pytest.mark.parametrize(
    "around", ["{}", "to {} failed", "no account: {}@c.us", "true_{}@c.us_3EB0AB12CD", '"{}", again']
)
def test_a_number_in_a_text_is_hidden_however_it_is_written(db: Db, number: str, around: str) -> None:
    shown = masked(db, around.format(number))

    assert shown.replace("(", "").replace("+", "") == around.format("***").replace("(", "")


@pytest.mark.parametrize(
    "text",
    [
        "http_400",
        "server_463",
        "131026",
        "closed until 2026-03-02 12:00 UTC",
        "from 2026-03-02 12:00:00+00 to 2026-12-31T09:00",
        "cannot reach 192.168.100.200:8080",
        "5 messages in a row were refused for their content (http_422)",
        "logged out",
        "",
    ],
)
def test_what_is_no_number_stays(db: Db, text: str) -> None:
    assert masked(db, text) == text


def everything_that_a_monitor_sees(db: Db) -> str:
    views = db.execute(
        "select relname::text from pg_class where relnamespace = 'retoma'::regnamespace"
        " and relkind in ('v', 'r') and has_table_privilege(oid, 'select') order by 1"
    ).fetchall()
    return " ".join(str(db.execute(f"select * from retoma.{view}").fetchall()) for (view,) in views)


def test_no_text_that_a_monitor_reads_shows_a_number(db: Db) -> None:
    """Each text holds the number of the first recipient, as people and providers would write it there."""
    channel = make_channel(db)
    make_campaign(db, size=5)
    number = call(db, "select phone from retoma.message_state where ordinal = 1")
    leased = must_lease(db, make_runner(db), channel)
    step = advance(db, leased, want=4)
    advance(
        db,
        leased,
        [
            *accepted(1),
            error(2, f"blocked {number[1:]}"),
            error(3, f"refused {number}", written=False),
            {"ordinal": 4, "status": "accepted", "provider_id": f"true_{number[1:]}@c.us_3EB0"},
        ],
    )
    receipt = {"message_id": step.messages[0][1], "status": "failed", "code": f"no account {number}"}
    db.execute("select retoma.record_receipts('sales', %s)", (Jsonb([receipt]),))
    db.execute(
        "insert into retoma.error_rule (transport, code, class) values ('*', %s, 'rate_limited_channel')",
        (number,),
    )
    advance(db, leased, [error(advance(db, leased, want=1).ordinals[0], number)])
    db.execute("select retoma.pause_channel('sales', %s)", (f"the phone {number} is being replaced",))

    shown = everything_that_a_monitor_sees(db)
    db.execute("set role retoma_operator")
    operators = str(db.execute("table retoma.v_event").fetchall())
    db.execute("set role retoma_monitor")
    monitors = everything_that_a_monitor_sees(db)

    assert shown.count(number[1:]) > 8
    assert number in operators
    assert number[1:] not in monitors
    assert "the phone *** is being replaced" in monitors


def test_the_forecast_of_a_campaign_hides_numbers_from_everybody(db: Db) -> None:
    """It runs as the owner of the functions, so it cannot tell who reads it."""
    make_channel(db)
    make_campaign(db)
    db.execute("select retoma.channel_disconnected('sales', %s)", (f"{NUMBER} logged out",))

    assert (
        call(db, "select note from retoma.forecast('natal')")
        == "channel sales is disconnected: *** logged out"
    )
