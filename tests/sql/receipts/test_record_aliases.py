"""record_aliases: a person whom a provider names in two ways is found by either, whatever comes first."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.support.campaigns import (
    Db,
    call,
    freeze_clock,
    make_campaign,
    make_channel,
    move_clock,
    phone,
    refused,
    send_all,
)
from tests.support.concurrency import sessions, wait_patiently, waits
from tests.support.waiting import wait_until

LID = "4639135154355@lid"
WAHA = {"base_url": "http://127.0.0.1:1", "session": "S", "check_numbers": False}
CLOUD = {"access_token": "t", "phone_number_id": "1"}


@pytest.fixture
def channel(db: Db) -> int:
    return make_channel(db, transport="waha", settings=WAHA, gap_min_s=0, batch_gap_min_s=0)


def learn(db: Db, *aliases: dict[str, Any], channel: str = "sales") -> int:
    return int(call(db, "select retoma.record_aliases(%s, %s)", channel, Jsonb(list(aliases))))


def link(number: int = 1, address: str = LID, **facts: Any) -> dict[str, Any]:
    return {"address": address, "phone": phone(number)} | facts


def say(db: Db, text: str = "SAIR", channel: str = "sales", **facts: Any) -> list[tuple[str, ...]]:
    """A message of the person behind LID, without a number; returns whether it waits, and why."""
    reply = {"address": LID, "text": text} | facts
    return db.execute("select code from retoma.record_inbound(%s, %s)", (channel, Jsonb([reply]))).fetchall()


def suppressed(db: Db) -> list[str]:
    return [row[0] for row in db.execute("select phone from retoma.v_suppression order by 1")]


def replies(db: Db) -> list[tuple[Any, ...]]:
    return db.execute(
        "select phone, state, code, settled_by from retoma.v_reply order by reply_id"
    ).fetchall()


@pytest.mark.usefixtures("channel")
def test_an_opt_out_by_a_known_address_is_one_of_the_number(db: Db) -> None:
    assert learn(db, link()) == 0

    assert say(db) == []

    assert suppressed(db) == [phone(1)]
    assert replies(db) == [(phone(1), "opted_out", None, None)]


@pytest.mark.usefixtures("channel")
def test_an_opt_out_that_waited_for_the_number_is_settled_when_the_provider_names_it(db: Db) -> None:
    assert say(db) == [("no_number",)]
    assert say(db, address="999@lid") == [("no_number",)]

    assert learn(db, link()) == 1

    assert suppressed(db) == [phone(1)]
    assert replies(db) == [
        (phone(1), "opted_out", "no_number", "number learnt"),
        (None, "waiting", "no_number", None),
    ]


@pytest.mark.usefixtures("channel")
def test_a_reply_with_number_and_address_teaches_as_well(db: Db) -> None:
    say(db)

    assert say(db, "oi", phone=phone(1)) == []

    assert suppressed(db) == [phone(1)]
    assert say(db, "obrigado") == []
    assert [row[0] for row in replies(db)] == [phone(1)] * 3


@pytest.mark.usefixtures("channel")
def test_what_a_person_has_to_read_waits_on_but_with_its_number(db: Db) -> None:
    assert say(db, "SAI") == [("near_miss",)]

    assert learn(db, link()) == 0

    assert replies(db) == [(phone(1), "waiting", "near_miss", None)]
    assert call(db, "select retoma.resolve_reply(reply_id, 'opt_out') from retoma.v_reply") == "opted_out"
    assert suppressed(db) == [phone(1)]


@pytest.mark.usefixtures("channel")
def test_a_reply_that_was_only_kept_shows_the_number_later(db: Db) -> None:
    say(db, "oi")
    assert replies(db) == [(None, "no_action", None, None)]

    learn(db, link())

    assert replies(db) == [(phone(1), "no_action", None, None)]


@pytest.mark.usefixtures("channel")
def test_an_address_that_holds_the_number_is_no_alias(db: Db) -> None:
    say(db, "oi", phone=phone(1), address=f"{phone(1)[1:]}@c.us")

    assert call(db, "select count(*) from retoma_internal.alias") == 0


def test_a_reply_by_an_address_is_attributed_to_its_campaign(db: Db, channel: int, runner: UUID) -> None:
    make_campaign(db, size=2)
    send_all(db, runner, channel)
    say(db)
    learn(db, link(2))
    say(db, "oi")

    campaigns = db.execute("select campaign from retoma.v_reply order by reply_id").fetchall()
    assert campaigns == [("natal",), ("natal",)]


def test_the_recipient_of_our_message_is_the_person_behind_the_address(
    db: Db, channel: int, runner: UUID
) -> None:
    make_campaign(db, size=2)
    send_all(db, runner, channel)
    ours = call(db, "select message_id from retoma.v_message where ordinal = 2")
    say(db)

    assert learn(db, {"address": LID, "message_id": ours.upper()}) == 1
    for stranger in ("0" * 32, "no id", ours[:24] + "f" * 8, ""):
        assert learn(db, {"address": "999@lid", "message_id": stranger}) == 0
    make_channel(db, "other", "waha", WAHA)
    assert learn(db, {"address": "999@lid", "message_id": ours}, channel="other") == 0

    assert suppressed(db) == [phone(2)]
    assert call(db, "select count(*) from retoma_internal.alias") == 1


@pytest.mark.usefixtures("channel")
def test_the_newest_link_counts_and_a_replay_changes_nothing(db: Db) -> None:
    freeze_clock(db)
    learn(db, link(2, at="2026-03-01T12:00:00Z"))
    learn(db, link(1, at="2026-02-01T12:00:00Z"))
    say(db)
    assert suppressed(db) == [phone(2)]

    learn(db, link(3, at="2026-03-01T13:00:00Z"), link(1, at="2026-02-01T12:00:00Z"))
    say(db, "Parar")

    assert suppressed(db) == [phone(2), phone(3)]


@pytest.mark.usefixtures("channel")
def test_a_reply_that_hides_the_number_makes_a_link_no_newer(db: Db) -> None:
    freeze_clock(db)
    learn(db, link(2, at="2026-01-01T12:00:00Z"))
    say(db, "oi", at="2026-02-20T12:00:00Z")

    learn(db, link(1, at="2026-02-10T12:00:00Z"))
    say(db)

    assert suppressed(db) == [phone(1)]


@pytest.mark.usefixtures("channel")
def test_an_address_that_is_replaced_leaves_its_number_to_the_new_one(db: Db) -> None:
    learn(db, link(1, "BR.old"))
    assert learn(db, {"address": "BR.new", "previous": "BR.old"}) == 0
    assert learn(db, {"address": "BR.other", "previous": "BR.unknown"}) == 0

    say(db, address="BR.new")
    assert say(db, address="BR.other") == [("no_number",)]

    assert suppressed(db) == [phone(1)]


@pytest.mark.usefixtures("channel")
def test_a_person_who_changed_the_number_is_found_by_the_new_one(db: Db) -> None:
    learn(db, link(1, "BR.old"))

    learn(db, link(2, "BR.new", previous="BR.old"))
    say(db, address="BR.new")
    say(db, address="BR.old")

    assert suppressed(db) == [phone(2)]


@pytest.mark.usefixtures("channel")
def test_a_link_that_is_known_is_not_written_again_within_a_week(db: Db) -> None:
    freeze_clock(db)
    number = "+5511955510001"
    learn(db, {"address": LID, "phone": number})
    written = "select xmin::text || phone from retoma_internal.alias"
    first = call(db, written)

    move_clock(db, "6 days")
    learn(db, {"address": LID, "phone": number}, {"address": LID, "phone": "+551155510001"})
    say(db, "oi")
    assert call(db, written) == first

    move_clock(db, "2 days")
    learn(db, {"address": LID, "phone": number})
    assert call(db, written) != first


def test_a_hidden_address_is_the_same_person_on_every_gateway_and_an_id_of_meta_only_in_its_account(
    db: Db,
) -> None:
    for name, settings in (("g1", WAHA), ("g2", WAHA)):
        make_channel(db, name, "waha", settings)
    make_channel(db, "g3", "evolution", {"base_url": "http://127.0.0.1:1", "instance": "i"})
    for name, more in (
        ("m1", {"waba_id": "1"}),
        ("m2", {"waba_id": "1"}),
        ("m3", {"waba_id": "2"}),
        ("m4", {}),
    ):
        make_channel(db, name, "whatsapp_cloud", CLOUD | more)
    make_channel(db, "h1", "null")
    learn(db, link(1), channel="g1")
    learn(db, link(2), channel="m1")

    found = {name: say(db, channel=name) == [] for name in ("g1", "g2", "g3", "m1", "m2", "m3", "m4", "h1")}

    assert [name for name, is_known in found.items() if is_known] == ["g1", "g2", "g3", "m1", "m2"]
    assert suppressed(db) == [phone(1), phone(2)]
    assert learn(db, link(4), channel="m4") == 1
    assert suppressed(db) == [phone(1), phone(2), phone(4)]


WORDS = ("learn", "out by address", "out by number", "in")


def orders() -> Iterator[tuple[str, ...]]:
    for length in range(2, 5):
        yield from itertools.permutations(WORDS, length)
    yield from itertools.product(("learn", "out by address", "in"), repeat=3)


@pytest.mark.usefixtures("channel")
def test_in_whatever_order_things_come_the_last_word_of_the_person_counts(
    db: Db, subtests: pytest.Subtests
) -> None:
    """Also where a report comes late: the time at which the person spoke decides, not that of the report."""
    freeze_clock(db)
    for number, order in enumerate(orders()):
        for late in (False, True):
            person = {"phone": phone(2 * number + late), "address": f"{number}{late:d}@lid"}
            at = [f"2026-03-02T11:{minute:02}:00Z" for minute in range(len(order))]
            steps = list(zip(order, at, strict=True))
            for word, moment in reversed(steps) if late else steps:
                said = {"text": "SAIR", "at": moment}
                match word:
                    case "learn":
                        learn(db, {**person, "at": moment})
                    case "out by address":
                        say(db, **said, address=person["address"])
                    case "out by number":
                        say(db, **said, **person)
                    case _:
                        db.execute("select retoma.opt_in(%s, 'form', %s)", (person["phone"], moment))

            # The address alone says nothing as long as nobody has named the number.
            is_known = bool({"learn", "out by number"} & set(order))
            words = [word for word in order if word != "learn" and (is_known or word != "out by address")]
            with subtests.test(order=order, late=late):
                ended = bool(words) and words[-1] != "in"
                assert (person["phone"] in suppressed(db)) is ended
                left = "select count(*) from retoma.v_reply where state = 'waiting' and address = %s"
                assert call(db, left, person["address"]) == (0 if is_known else order.count("out by address"))


@pytest.mark.usefixtures("channel")
def test_an_opt_out_and_its_number_that_come_at_once_find_each_other(db: Db, database: str) -> None:
    wait_patiently(db)
    out = ("select * from retoma.record_inbound('sales', %s)", Jsonb([{"address": LID, "text": "SAIR"}]))
    named = ("select retoma.record_aliases('sales', %s)", Jsonb([link()]))
    for first, second in ((out, named), (named, out), (out, out)):
        with sessions(database, 2) as (early, late), ThreadPoolExecutor(1) as pool:
            early.execute("begin")
            early.execute(first[0], (first[1],))
            waiting = pool.submit(late.execute, second[0], (second[1],))
            wait_until(lambda: waiting.done() or waits(db, late))  # noqa: B023
            early.execute("commit")
            waiting.result(timeout=60)
        if named in (first, second):
            assert suppressed(db) == [phone(1)]
        db.execute("delete from retoma_internal.suppression")
        db.execute("delete from retoma_internal.alias")
        db.execute("delete from retoma_internal.reply")


@pytest.mark.usefixtures("channel")
def test_a_session_that_was_left_open_holds_links_up_for_a_second(db: Db, database: str) -> None:
    with psycopg.connect(database) as other:
        other.execute("select retoma.record_aliases('sales', %s)", (Jsonb([link()]),))

        with pytest.raises(psycopg.errors.LockNotAvailable):
            learn(db, link())
        learn(db, link(2, "999@lid"))
        other.rollback()


@pytest.mark.usefixtures("channel")
def test_clean_up_erases_links_that_nobody_has_seen_for_the_retention(db: Db) -> None:
    freeze_clock(db)
    learn(db, link(1))
    say(db, "oi", address="999@lid")
    move_clock(db, "89 days")
    learn(db, link(2, "888@lid"))

    db.execute("select * from retoma.cleanup('1 day')")
    assert call(db, "select count(*) from retoma_internal.alias") == 3

    move_clock(db, "2 days")
    db.execute("select * from retoma.cleanup('1 day')")
    assert db.execute("select address from retoma_internal.alias").fetchall() == [("888@lid",)]


@pytest.mark.usefixtures("channel")
def test_what_cannot_be_a_link_is_refused(db: Db) -> None:
    cases: list[tuple[object, str]] = [
        ({}, "JSON array"),
        ([1], "JSON array"),
        ([{"phone": phone(1)}], "JSON array"),
        ([{"address": LID}], "JSON array"),
        ([link(address="")], "JSON array"),
        ([link(address="x" * 201)], "JSON array"),
        ([link(previous="x" * 201)], "JSON array"),
        ([{"address": LID, "phone": "11955510001"}], "not an E.164 number"),
        ([link(at="yesterday or so")], "is not a time"),
        ([link(at="infinity")], "is not a time"),
    ]
    for document, words in cases:
        with refused(db, "RT003", words):
            db.execute("select retoma.record_aliases('sales', %s)", (Jsonb(document),))
    with refused(db, "RT001", "no channel"):
        db.execute("select retoma.record_aliases('nobody', '[]')")
