"""error_rule: what operators may declare about an error, and what no declaration can turn into a proof."""

import psycopg
import pytest

from tests.support.campaigns import Db, call, refused

CLASSES = [
    "transient",
    "rate_limited_channel",
    "rate_limited_recipient",
    "permanent_recipient",
    "permanent_message",
    "channel_down",
    "auth",
]


@pytest.mark.parametrize("code", ["timeout", "connection_lost"])
@pytest.mark.parametrize("given", CLASSES)
def test_a_missing_answer_is_never_a_proof(db: Db, code: str, given: str) -> None:
    """Each of these classes would repeat the message, or let it be repeated, as if it had not arrived."""
    with refused(db, "RT003", f"{code} cannot be {given}: no answer came"):
        db.execute("update retoma.error_rule set class = %s where code = %s", (given, code))
    with refused(db, "RT003", f"{code} cannot be {given}: no answer came"):
        db.execute(
            "insert into retoma.error_rule (transport, code, class) values ('webhook', %s, %s)", (code, given)
        )


def test_how_a_missing_answer_is_repeated_can_be_tuned(db: Db) -> None:
    db.execute(
        "update retoma.error_rule set defer_s = 5, note = 'soon' where code in ('timeout', 'connection_lost')"
    )

    assert call(db, "select count(*) from retoma.error_rule where defer_s = 5") == 2


def warnings(db: Db, statement: str) -> list[tuple[str, str]]:
    heard: list[tuple[str, str]] = []
    db.add_notice_handler(lambda d: heard.append((d.message_primary or "", d.message_hint or "")))
    db.execute(statement)
    return heard


@pytest.mark.parametrize(
    "statement",
    [
        "update retoma.error_rule set class = 'transient' where code = 'http_500'",
        "insert into retoma.error_rule (transport, code, class) values ('webhook', 'http_500', 'transient')",
    ],
)
def test_an_answer_that_was_ambiguous_is_declared_otherwise_only_with_a_warning(
    db: Db, statement: str
) -> None:
    ((message, hint),) = warnings(db, statement)

    assert "http_500 counts as not arrived" in message
    assert "people can get it twice" in hint
    assert (
        call(db, "select count(*) from retoma.error_rule where code = 'http_500' and class = 'transient'")
        == 1
    )
    undo = hint.split("To undo: ")[1]
    assert warnings(db, undo) == []


def test_nothing_is_warned_of_where_nothing_can_be_repeated(db: Db) -> None:
    assert warnings(db, "update retoma.error_rule set defer_s = 9 where code = 'http_500'") == []
    update = (
        "update retoma.error_rule set class = 'permanent_message' where transport = '*' and code = 'http_404'"
    )
    assert warnings(db, update) == []


@pytest.mark.parametrize("seconds", [-1, 604_801])
def test_the_wait_of_a_rule_has_bounds(db: Db, seconds: int) -> None:
    with refused(db, "RT003", f"defer_s cannot be {seconds}"):
        db.execute("update retoma.error_rule set defer_s = %s where code = 'http_429'", (seconds,))


def test_a_class_or_a_transport_that_does_not_exist_is_refused(db: Db) -> None:
    with refused(db, "RT003", "'transiant' is not a class"):
        db.execute("insert into retoma.error_rule (transport, code, class) values ('*', 'odd', 'transiant')")
    with refused(db, "RT003", "null is not a class"):
        db.execute("insert into retoma.error_rule (transport, code) values ('*', 'odd')")
    with refused(db, "RT001", "there is no transport 'wahaa'"):
        db.execute("insert into retoma.error_rule (transport, code, class) values ('wahaa', 'odd', 'auth')")


def test_a_rule_can_be_taken_back(db: Db) -> None:
    db.execute("insert into retoma.error_rule (transport, code, class) values ('waha', 'odd', 'auth')")

    db.execute("set role retoma_operator")
    db.execute("select retoma.remove_error_rule('waha', 'odd')")
    db.execute("reset role")

    with refused(db, "RT001", "there is no rule for the error 'odd' of 'waha'"):
        db.execute("select retoma.remove_error_rule('waha', 'odd')")


def test_an_operator_cannot_delete_a_rule_by_hand(db: Db) -> None:
    """DELETE on a table is also the right to lock it."""
    db.execute("set role retoma_operator")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        db.execute("delete from retoma.error_rule")
