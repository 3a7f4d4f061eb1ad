"""`retoma receive`: the webhook receiver."""

import click


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8081,
    show_default=True,
    type=click.IntRange(0, 65_535),
    help="Port to listen on; 0 takes a free one.",
)
def receive(host: str, port: int) -> None:
    """Take receipts, connection changes and opt-outs from providers at POST /hooks/CHANNEL.

    Put a reverse proxy with TLS before it, and set a secret on every channel. Without one, anyone who
    reaches the address can report anything.
    """
    # Imported here, so that `retoma --help` stays fast.
    import uvloop  # noqa: PLC0415

    from retoma.database.url import database_url  # noqa: PLC0415
    from retoma.receiver.app import serve  # noqa: PLC0415

    def announce(address: str) -> None:
        click.echo(f"Listening on {address}/hooks/CHANNEL; stop with Ctrl-C.")

    uvloop.run(serve(database_url(), host, port, announce))
