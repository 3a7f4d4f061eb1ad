"""`retoma channel pair`: connects the phone of a sender account, with a QR code or a code to type."""

import asyncio
import time
from typing import TYPE_CHECKING

import click

from retoma.cli import names
from retoma.cli.connection import Row, call, connected
from retoma.cli.output import as_json_option, masked, print_json
from retoma.errors import RetomaError

if TYPE_CHECKING:
    import psycopg

    from retoma.transports.base import Description, Pairing, Transport

_POLL_S = 2.0


@click.command()
@click.argument("name", shell_complete=names.channels)
@click.option("--phone", metavar="+NUMBER", help="Of the account: a code for it is shown beside the QR code.")
@click.option(
    "--wait", default=180.0, show_default=True, type=click.FloatRange(1), help="Seconds until it gives up."
)
@as_json_option
def pair(name: str, *, phone: str | None, wait: float, as_json: bool) -> None:
    """Pair the account NAME with its phone: WhatsApp, Linked devices, Link a device.

    A new QR code is shown whenever the old one is over. It needs the secrets of the channel, as a runner
    does, and the rights of retoma_runner.

    \b
    retoma channel pair sales
    retoma channel pair sales --phone +5511955500001
    """
    with connected("channel") as connection:
        transport = _transport(connection, name)
        paired, description = asyncio.run(_pair(transport, name, phone, wait, as_json=as_json))
        # Its interrupted campaigns go on, also where no webhook would report it.
        call(connection, "select retoma.channel_connected(%s)", name)
    if description is not None:
        _warn(name, description)
    if as_json:
        print_json(
            {
                "channel": name,
                "connected": True,
                "phone": paired.phone and masked(paired.phone),
                "server": description and description.server,
            }
        )
        return
    through = f" through {description.server}" if description else ""
    click.echo(f"connected as {masked(paired.phone)}{through}" if paired.phone else f"connected{through}")


def _transport(connection: "psycopg.Connection[Row]", name: str) -> "Transport":
    from psycopg.errors import InsufficientPrivilege  # noqa: PLC0415

    from retoma.transports import registry  # noqa: PLC0415

    try:
        row = call(connection, "select transport, settings from retoma.channel_settings(%s)", name)
    except InsufficientPrivilege as error:
        raise RetomaError(
            "This role may not read the settings of a channel, which hold its secrets.",
            hint="Use the login of a runner, and the environment that holds its secrets.",
        ) from error
    return registry.create(row["transport"], row["settings"])


async def _pair(
    transport: "Transport", name: str, phone: str | None, wait: float, *, as_json: bool
) -> "tuple[Pairing, Description | None]":
    from retoma.transports.base import Describes, Pairs  # noqa: PLC0415

    if not isinstance(transport, Pairs):
        raise RetomaError(f"The transport of channel '{name}' has no phone to pair.")
    session, shown = transport.pair(phone), None
    ends = time.monotonic() + wait
    try:
        while True:
            pairing = await session.look()
            if pairing.connected:
                return pairing, await transport.describe() if isinstance(transport, Describes) else None
            if pairing != shown:
                _show(pairing, as_json=as_json)
                shown = pairing
            if time.monotonic() + _POLL_S > ends:
                raise RetomaError(
                    f"The phone was not paired within {wait:g} seconds: {pairing.state or 'still new'}.",
                    hint=f"Try again: retoma channel pair {name}",
                )
            await asyncio.sleep(_POLL_S)
    finally:
        await transport.aclose()


def _warn(name: str, description: "Description") -> None:
    for key, value in description.contradicts.items():
        click.echo(f"warning: the channel has another {key} than the server: {description.server}", err=True)
        click.echo(f"hint: retoma channel configure {name} --set {key}={value}", err=True)


def _show(pairing: "Pairing", *, as_json: bool) -> None:
    if as_json:
        print_json({"connected": False, "state": pairing.state, "qr": pairing.qr, "code": pairing.code})
        return
    if pairing.qr:
        click.echo(_drawn(pairing.qr))
    if pairing.code:
        click.echo(f"Code to type on the phone: {pairing.code}")
    if not (pairing.qr or pairing.code):
        click.echo(f"Waiting: {pairing.state or 'connecting'}")


def _drawn(text: str) -> str:
    """A QR code for a terminal: two rows of it in one line."""
    import io  # noqa: PLC0415

    import segno  # noqa: PLC0415

    drawing = io.StringIO()
    segno.make_qr(text).terminal(drawing, border=2, compact=True)
    # White on black, whatever the colours of the terminal: not every phone reads an inverted code.
    lines = drawing.getvalue().splitlines()
    return "\n".join(click.style(line, fg="bright_white", bg="black") for line in lines)
