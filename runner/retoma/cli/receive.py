"""`retoma receive`: the webhook receiver."""

import click

from retoma.cli.logs import log_format_option, log_level_option, logging_to_stderr


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8081,
    show_default=True,
    type=click.IntRange(0, 65_535),
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--connections", default=400, show_default=True, type=click.IntRange(1, 10_000),
    help="Open connections in all; a caller beyond that gets 503.",
)  # fmt: skip
@click.option(
    "--connections-per-address", default=200, show_default=True, type=click.IntRange(1, 10_000),
    help="Open connections from one address. Behind a reverse proxy all have its address.",
)  # fmt: skip
@click.option(
    "--head-timeout", default=20.0, show_default=True, type=click.FloatRange(0.1, 600),
    help="Seconds that a caller has for the head of a call.",
)  # fmt: skip
@click.option(
    "--body-timeout", default=20.0, show_default=True, type=click.FloatRange(0.1, 600),
    help="Seconds that a caller has for the body of a call.",
)  # fmt: skip
@log_format_option
@log_level_option
def receive(
    *,
    host: str,
    port: int,
    connections: int,
    connections_per_address: int,
    head_timeout: float,
    body_timeout: float,
    log_format: str,
    log_level: str,
) -> None:
    """Take receipts, connection changes and replies from providers at POST /hooks/CHANNEL.

    Put a reverse proxy with TLS before it, and set a secret on every channel. Without one, anyone who
    reaches the address can report anything.
    """
    # Imported here, so that `retoma --help` stays fast.
    import uvloop  # noqa: PLC0415

    from retoma.database.url import database_url  # noqa: PLC0415
    from retoma.receiver.app import serve  # noqa: PLC0415
    from retoma.receiver.door import Limits  # noqa: PLC0415

    def announce(address: str) -> None:
        click.echo(f"Listening on {address}/hooks/CHANNEL; stop with Ctrl-C.")

    limits = Limits(connections, connections_per_address, head_timeout, body_timeout)
    with logging_to_stderr(log_format, log_level):
        uvloop.run(serve(database_url(), host, port, limits, announce))
