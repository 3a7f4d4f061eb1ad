"""`retoma channel pair` and `retoma channel test` as a user sees them."""

import asyncio
import json
import subprocess
from pathlib import Path

import psycopg
import pytest
from psycopg.types.json import Jsonb

from retoma.cli.output import masked
from tests.support.campaigns import make_channel
from tests.support.command import retoma
from tests.support.gateways import gateway
from tests.support.runners import runners_on
from tests.support.sandbox_process import SandboxProcess
from tests.support.waiting import wait_until

PHONE = "+5511955500001"


def waha_channel(db: psycopg.Connection, url: str, **settings: object) -> None:
    """The channel sales, for the session loja of the server at this address."""
    make_channel(db, transport="waha", settings={"base_url": url, "session": "loja", **settings})


async def run(*arguments: str, database_url: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(retoma, *arguments, database_url=database_url)


async def test_pair_shows_the_codes_and_the_masked_number_and_ends_the_disconnection(
    database: str, db: psycopg.Connection
) -> None:
    async with gateway() as waha:
        waha_channel(db, waha.url)
        db.execute("select retoma.channel_disconnected('sales', 'a new phone')")
        working = {"status": "WORKING", "me": {"id": "5511955500001@c.us"}}
        waha.answer("/api/sessions/loja", {"status": "SCAN_QR_CODE"}, working)
        waha.answer("/api/loja/auth/qr", {"value": "2@one,two,three"})
        waha.answer("/api/loja/auth/request-code", {"code": "ABCD-EFGH"}, status=201)
        waha.answer("/api/server/version", {"version": "2026.8.1", "engine": "GOWS", "tier": "CORE"})

        result = await run("channel", "pair", "sales", "--phone", PHONE, database_url=database)

    assert result.returncode == 0, result.stderr
    assert "█" in result.stdout
    assert "Code to type on the phone: ABCD-EFGH" in result.stdout
    assert result.stdout.endswith("connected as +55********001 through WAHA 2026.8.1, engine GOWS\n")
    # The channel was made without an engine, which means WEBJS.
    assert "warning: the channel has another engine than the server" in result.stderr
    assert "hint: retoma channel configure sales --set engine=GOWS" in result.stderr
    assert PHONE[1:] not in result.stdout + result.stderr
    assert db.execute("select state from retoma.v_channel").fetchall() == [("connected",)]


async def test_pair_as_json_is_one_line_a_change(database: str, db: psycopg.Connection) -> None:
    async with gateway() as waha:
        waha_channel(db, waha.url)
        waha.answer("/api/sessions/loja", {"status": "SCAN_QR_CODE"}, {"status": "WORKING"})
        waha.answer("/api/loja/auth/qr", {"value": "2@one"})

        result = await run("channel", "pair", "sales", "--json", database_url=database)

    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"connected": False, "state": "SCAN_QR_CODE", "qr": "2@one", "code": None},
        {"channel": "sales", "connected": True, "phone": None, "server": None},
    ]


async def test_pair_gives_up_and_says_what_it_was_waiting_for(database: str, db: psycopg.Connection) -> None:
    async with gateway() as waha:
        waha_channel(db, waha.url)
        waha.answer("/api/sessions/loja", {"status": "PASSKEY_REQUIRED"})

        result = await run("channel", "pair", "sales", "--wait", "1", database_url=database)

    assert result.returncode == 1
    assert "error: The phone was not paired within 1 seconds: PASSKEY_REQUIRED." in result.stderr
    assert "hint: " in result.stderr


def test_a_channel_without_a_phone_cannot_be_paired(database: str, db: psycopg.Connection) -> None:
    make_channel(db, "dry")

    result = retoma("channel", "pair", "dry", database_url=database)

    assert (result.returncode, result.stdout) == (1, "")
    assert "has no phone to pair" in result.stderr


@pytest.mark.parametrize("phone", ["+5511955500001", "+1234567", "+12345678", "+12345678901", "+1234567890"])
def test_a_number_is_masked_as_the_database_does_it(db: psycopg.Connection, phone: str) -> None:
    assert db.execute("select retoma_internal.mask_phone(%s)", [phone]).fetchone() == (masked(phone),)


async def test_a_test_message_goes_the_way_of_every_other_and_its_receipts_are_shown(
    database: str, db: psycopg.Connection, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    make_channel(db, "tested", transport="webhook", settings={"url": f"{sandbox.url}/webhook/tested"})
    with runners_on(database, tmp_path) as runners:
        runners.start("one")
        command = asyncio.create_task(run("channel", "test", "tested", PHONE, database_url=database))
        sent = "select message_id from retoma.v_message where state = 'sent'"
        row = await asyncio.to_thread(wait_until, lambda: db.execute(sent).fetchone())
        assert row is not None
        receipt = [{"message_id": row[0], "status": "delivered"}]
        db.execute("select retoma.record_receipts('tested', %s)", [Jsonb(receipt)])
        result = await command

    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("campaign: test of tested ")
    assert result.stdout.endswith("+55********001: sent, delivered\n")
    assert sandbox.figures("webhook", "tested")["accepted"] == 1


def test_a_test_message_to_a_person_who_opted_out_is_skipped(
    database: str, db: psycopg.Connection, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    make_channel(db, "tested", transport="webhook", settings={"url": f"{sandbox.url}/webhook/opted-out"})
    retoma("opt-out", PHONE, database_url=database)
    with runners_on(database, tmp_path) as runners:
        runners.start("one")
        result = retoma("channel", "test", "tested", PHONE, "--json", database_url=database)

    assert result.returncode == 1
    assert json.loads(result.stdout)["state"] == "skipped"
    assert sandbox.figures("webhook", "opted-out")["accepted"] == 0


def test_a_test_message_that_nobody_sends_is_cancelled(database: str, db: psycopg.Connection) -> None:
    make_channel(db, "tested")

    result = retoma("channel", "test", "tested", PHONE, "--wait", "1", database_url=database)

    assert result.returncode == 1
    assert "error: Nothing was sent within 1 seconds: " in result.stderr
    assert db.execute("select status from retoma.v_campaign_summary").fetchall() == [("cancelled",)]


def test_a_test_message_to_no_number_leaves_nothing_behind(database: str, db: psycopg.Connection) -> None:
    make_channel(db, "tested")

    result = retoma("channel", "test", "tested", "11955500001", database_url=database)

    assert result.returncode == 1
    assert "not a number in E.164" in result.stderr
    assert db.execute("select count(*) from retoma.v_campaign_summary").fetchall() == [(0,)]


def test_an_operator_may_not_read_the_secrets_that_pairing_needs(
    database: str, db: psycopg.Connection
) -> None:
    waha_channel(db, "http://127.0.0.1:9", api_key="not-shown")

    operator = f"{database}&options=-crole%3Dretoma_operator"
    result = retoma("channel", "pair", "sales", database_url=operator)

    assert (result.returncode, result.stdout) == (1, "")
    assert "may not read the settings of a channel" in result.stderr
    assert "hint: Use the login of a runner" in result.stderr


def test_pairing_gives_a_secret_only_to_an_address_that_may_have_it(
    database: str, db: psycopg.Connection
) -> None:
    waha_channel(db, "http://127.0.0.1:9", api_key="env:RETOMA_SECRET_LOJA")

    result = retoma("channel", "pair", "sales", database_url=database)

    assert result.returncode == 1
    assert "RETOMA_SECRETS_FOR does not name it" in result.stderr
