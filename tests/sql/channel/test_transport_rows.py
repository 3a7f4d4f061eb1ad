"""A transport that an operator writes is rows: its settings, its kinds of content, what it can do."""

from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    advance,
    books,
    call,
    error,
    make_campaign,
    make_channel,
    move_clock,
    must_lease,
    refused,
    send_all,
)

CARRIER: dict[str, object] = {"base_url": "http://127.0.0.1:1"}


@pytest.fixture(autouse=True)
def carrier(db: Db) -> None:
    """The transport carrier: dedupes on the plan exact, keeps an archive that proves nothing by absence."""
    db.execute(
        """
        insert into retoma.transport (name, pacing, looks_up_when, note)
        values ('carrier', '{"rate_per_s": 10, "max_in_flight": 4}', '[{"archive": true}]', 'a carrier');
        insert into retoma.transport_setting (transport, key, kind, required, choices, default_value, note)
        values
        ('carrier', 'base_url', 'url', true, null, null, 'address'),
        ('carrier', 'plan', 'choice', false, '{basic,exact}', '"basic"', 'contract'),
        ('carrier', 'archive', 'flag', false, null, null, 'keeps what it sent');
        insert into retoma.transport_kind (transport, kind, dedupes_when)
        values ('carrier', 'text', '[{"plan": "exact"}]');
        """
    )


def test_a_channel_gets_the_pacing_and_the_defaults_of_its_transport(db: Db) -> None:
    make_channel(db, "sms", "carrier", CARRIER, max_leases=2)

    row = db.execute(
        "select rate_per_s, burst, max_in_flight, max_leases, dedupes, looks_up from retoma.v_channel"
    ).fetchone()
    assert row == (10, 10, 4, 2, [], False)
    assert call(db, "select settings from retoma.channel_settings('sms')") == CARRIER | {"plan": "basic"}


def test_its_settings_are_checked(db: Db) -> None:
    with refused(db, "RT003", "transport 'carrier' needs these settings: base_url"):
        make_channel(db, "sms", "carrier", {"plan": "exact"})
    with refused(db, "RT003", "plan cannot be 'precise'"):
        make_channel(db, "sms", "carrier", CARRIER | {"plan": "precise"})
    with refused(db, "RT003", "settings of carrier have no key engine"):
        make_channel(db, "sms", "carrier", CARRIER | {"engine": "NOWEB"})


def test_what_may_have_arrived_is_sent_again_where_it_dedupes(db: Db, runner: UUID) -> None:
    channel = make_channel(db, "sms", "carrier", CARRIER | {"plan": "exact"})
    make_campaign(db, size=1, channels=["sms"])
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)

    advance(db, leased, [error(1, "timeout", written=True)])

    assert books(db) == {"pending": 1}
    move_clock(db, "1 hour")
    assert send_all(db, runner, channel) == [1]


@pytest.mark.parametrize(("proves", "then"), [(False, {"in_doubt": 1}), (True, {"pending": 1})])
def test_invariant_4_what_absent_proves_is_said_by_the_transport(
    db: Db, runner: UUID, proves: bool, then: dict[str, int]
) -> None:
    db.execute("update retoma.transport set absent_proves = %s where name = 'carrier'", (proves,))
    channel = make_channel(db, "sms", "carrier", CARRIER | {"archive": True})
    make_campaign(db, size=1, channels=["sms"])
    leased = must_lease(db, runner, channel)
    advance(db, leased, want=1)
    advance(db, leased, [error(1, "timeout", written=True)])
    move_clock(db, "61 s")
    asked = db.execute("select message_id, attempt from retoma.due_lookups(%s)", (channel,)).fetchone()
    assert asked is not None

    results = Jsonb([{"message_id": asked[0], "attempt": asked[1], "result": "absent"}])
    db.execute("select retoma.record_lookups(%s, %s)", (channel, results))

    assert books(db) == then


def test_new_rows_count_when_the_channel_is_configured_next(db: Db) -> None:
    make_channel(db, "sms", "carrier", CARRIER)
    db.execute("update retoma.transport_kind set dedupes_when = '[{}]' where transport = 'carrier'")
    assert call(db, "select dedupes from retoma.v_channel") == []

    db.execute("select retoma.configure_channel('sms')")

    assert call(db, "select dedupes from retoma.v_channel") == ["text"]


@pytest.mark.parametrize("patterns", ["{}", '["idempotent"]', "true"])
def test_patterns_are_a_list_of_objects(db: Db, patterns: str) -> None:
    for statement in (
        "update retoma.transport set looks_up_when = %s where name = 'carrier'",
        "update retoma.transport_kind set dedupes_when = %s where transport = 'carrier'",
    ):
        with pytest.raises(psycopg.errors.CheckViolation):
            db.execute(statement, (patterns,))
