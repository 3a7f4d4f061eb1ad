"""`retoma channel test`: one message on the way of every other, and what comes of it.

It is a campaign with one recipient. So a suppressed number is skipped, limits and windows of the channel
hold, and a runner sends it.
"""

import datetime
import time
from typing import TYPE_CHECKING

import click

from retoma.cli import names
from retoma.cli.connection import Row, call, connected
from retoma.cli.output import as_json_option, print_json
from retoma.errors import RetomaError

if TYPE_CHECKING:
    import psycopg

_POLL_S = 0.5
_ENDED = ("failed", "skipped", "in_doubt", "cancelled")


@click.command("test")
@click.argument("name", shell_complete=names.channels)
@click.argument("phone", metavar="+NUMBER")
@click.option("--text", default="Retoma: it works.", show_default=True, help="A Liquid text.")
@click.option(
    "--wait",
    default=120.0,
    show_default=True,
    type=click.FloatRange(1),
    help="Seconds to wait for what comes of it; what was not sent by then is cancelled.",
)
@as_json_option
def channel_test(name: str, phone: str, *, text: str, wait: float, as_json: bool) -> None:
    """Send one message through NAME to a number, and show what comes of it, receipts included.

    It is a campaign of its own with one recipient: opt-outs, limits and windows hold, and a runner sends it.

    \b
    retoma channel test sales +5511955500001
    """
    with connected("channel") as connection:
        campaign = _start(connection, name, phone, text)
        if not as_json:
            click.echo(f"campaign: {campaign}")
        message = _follow(connection, campaign, time.monotonic() + wait, as_json=as_json)
        if message["state"] == "pending":
            reason = _why_not(connection, campaign)
            call(connection, "select retoma.cancel_campaign(%s) as status", campaign)
            raise RetomaError(
                f"Nothing was sent within {wait:g} seconds: {reason}. The message is cancelled.",
                hint=f"See retoma channel show {name}, and whether a runner is alive.",
            )
    if as_json:
        print_json({"campaign": campaign, **_facts(message)})
    if message["state"] != "sent":
        raise SystemExit(1)


def _start(connection: "psycopg.Connection[Row]", name: str, phone: str, text: str) -> str:
    from psycopg.types.json import Jsonb  # noqa: PLC0415

    from retoma.monitor.drafts import check_contents  # noqa: PLC0415

    content = {"kind": "text", "text": text}
    campaign = f"test of {name} {datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M:%S.%f}"
    with connection.transaction():
        number = call(
            connection,
            "select retoma.create_campaign(%s, %s::text[], p_content => %s) as id",
            campaign, [name], Jsonb(content),
        )["id"]  # fmt: skip
        check_contents(connection, number, campaign)
        added = call(
            connection, "select * from retoma.add_recipients(%s, %s)", campaign, Jsonb([{"phone": phone}])
        )
        if not added["accepted"]:
            raise RetomaError("This is not a number in E.164.", hint="Write it like +5511955500001.")
        call(connection, "select retoma.start_campaign(%s) as status", campaign)
    return campaign


def _follow(connection: "psycopg.Connection[Row]", campaign: str, ends: float, *, as_json: bool) -> Row:
    """Show each change until it is over: delivered, read, failed, or no more time."""
    shown: dict[str, object] = {}
    while True:
        message = call(
            connection, "select * from retoma.v_message where campaign = %s and ordinal = 1", campaign
        )
        if not as_json and _facts(message) != shown:
            click.echo(_in_words(message))
        shown = _facts(message)
        done = message["receipt"] in ("delivered", "read", "failed") or message["state"] in _ENDED
        if done or time.monotonic() > ends:
            return message
        time.sleep(_POLL_S)


def _facts(message: Row) -> dict[str, object]:
    return {key: message[key] for key in ("phone", "state", "code", "receipt")}


def _in_words(message: Row) -> str:
    code = f" ({message['code']})" if message["code"] else ""
    receipt = f", {message['receipt']}" if message["receipt"] else ""
    return f"{message['phone']}: {message['state']}{code}{receipt}"


def _why_not(connection: "psycopg.Connection[Row]", campaign: str) -> str:
    summary = call(
        connection, "select status, reason from retoma.v_campaign_summary where campaign = %s", campaign
    )
    return str(summary["reason"] or f"the campaign is {summary['status']}")
