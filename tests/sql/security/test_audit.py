"""The audit is append-only for operators and runners too: by no clock, no retention and no clean-up."""

import psycopg
import pytest

from tests.support.campaigns import (
    Db,
    call,
    make_campaign,
    make_channel,
    make_runner,
    move_clock,
    refused,
    send_all,
)


def as_role(db: Db, role: str, statement: str) -> None:
    db.execute(f"set role {role}")
    try:
        db.execute(statement)
    finally:
        db.execute("reset role")


def events(db: Db) -> int:
    return int(call(db, "select count(*) from retoma_internal.event"))


@pytest.mark.parametrize(
    "column", ["clock_shift = '10 years'", "audit_retention = '100 years'", "only_row = true"]
)
def test_an_operator_changes_neither_the_clock_nor_how_long_the_audit_is_kept(db: Db, column: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role(db, "retoma_operator", f"update retoma.setting set {column}")


def test_no_operator_can_shorten_the_audit(db: Db) -> None:
    make_channel(db)
    move_clock(db, "364 days")
    before = events(db)

    as_role(db, "retoma_operator", "update retoma.setting set retention = '1 day'")
    as_role(db, "retoma_operator", "select retoma.cleanup('1 day')")
    as_role(db, "retoma_operator", "select retoma.cleanup()")

    assert events(db) == before > 0


def test_the_audit_is_kept_for_its_own_retention(db: Db) -> None:
    make_channel(db)
    move_clock(db, "366 days")

    assert call(db, "select events from retoma.cleanup()") == 1

    assert events(db) == 0


def test_the_owner_keeps_the_audit_for_90_days_at_least(db: Db) -> None:
    make_channel(db)
    with refused(db, "RT003", "audit_retention cannot be"):
        db.execute("update retoma.setting set audit_retention = '89 days'")
    db.execute("update retoma.setting set audit_retention = '90 days'")
    move_clock(db, "89 days")
    with refused(db, "RT011", "append-only"):
        db.execute("delete from retoma_internal.event")


def test_a_runner_cleans_up_only_as_the_setting_says(db: Db) -> None:
    channel = make_channel(db)
    make_campaign(db)
    send_all(db, make_runner(db), channel)
    move_clock(db, "2 days")

    as_role(db, "retoma_runner", "select retoma.cleanup()")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role(db, "retoma_runner", "select retoma.cleanup('1 day')")

    assert call(db, "select count(*) from retoma_internal.message") == 3


@pytest.mark.parametrize("name", ["lease_duration", "lookup_after", "retention", "audit_retention"])
@pytest.mark.parametrize(
    "value",
    ["0 s", "-1 day", "101 years", "infinity", "-infinity", "-1000 months 30001 days", "1 month -1 s", None],
)
def test_every_setting_has_bounds(db: Db, name: str, value: str | None) -> None:
    if value and "infinity" in value and db.info.server_version < 170000:
        pytest.skip("this server has no infinite interval")

    with refused(db, "RT003", f"{name} cannot be"):
        db.execute(f"update retoma.setting set {name} = %s", (value,))


@pytest.mark.parametrize(
    ("name", "shortest", "longest"),
    [
        ("lease_duration", "1 s", "1 hour"),
        ("lookup_after", "1 s", "1 day"),
        ("retention", "1 day", "100 years"),
        ("audit_retention", "90 days", "100 years"),
    ],
)
def test_a_setting_can_have_the_value_of_its_bounds(db: Db, name: str, shortest: str, longest: str) -> None:
    for value in (shortest, longest):
        db.execute(f"update retoma.setting set {name} = %s", (value,))


@pytest.mark.parametrize("retention", ["23 hours", "-1000 months 30001 days", "101 years", None])
def test_a_retention_of_a_clean_up_has_bounds_too(db: Db, retention: str | None) -> None:
    with refused(db, "RT003", "a retention cannot be"):
        db.execute("select retoma.cleanup(%s)", (retention,))


@pytest.mark.parametrize("value", ["infinity", "101 years", "-101 years"])
def test_even_the_owner_shifts_the_clock_within_bounds(db: Db, value: str) -> None:
    if value == "infinity" and db.info.server_version < 170000:
        pytest.skip("this server has no infinite interval")
    with pytest.raises(psycopg.errors.CheckViolation):
        db.execute("update retoma.setting set clock_shift = %s", (value,))
