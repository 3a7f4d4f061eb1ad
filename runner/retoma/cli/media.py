"""`retoma media`: files that contents name, in the database."""

from pathlib import Path

import click

from retoma.cli import names
from retoma.cli.connection import call, connected
from retoma.cli.output import as_json_option, print_json, print_table
from retoma.errors import RetomaError

_COLUMNS = ["medium", "mimetype", "bytes", "campaigns", "channel", "expires_at", "fault"]
# The database knows the limit of each type. More than this is not even read.
_MOST_BYTES = 256 * 2**20


@click.group("media")
def media() -> None:
    """Store, list and remove files that contents name.

    \b
    retoma media add offer.jpg
    retoma campaign create may --channel sales --content '{"kind": "image", "media": {"file": "offer.jpg"}}'
    retoma media list
    """


@media.command("add")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", help="Name for contents.  [default: the name of the file]")
@as_json_option
def add_command(file: Path, *, name: str | None, as_json: bool) -> None:
    """Store a FILE under its name. Its bytes decide what it is, and whether a provider would take it."""
    if file.stat().st_size > _MOST_BYTES:
        raise RetomaError(f"{file.name} is larger than any file that can be sent.", "Make it smaller.")
    data, name = file.read_bytes(), name or file.name
    with connected("media") as connection:
        row = call(connection, "select retoma.media_add(%s, %s) as mimetype", name, data)
    if as_json:
        print_json({"medium": name, "mimetype": row["mimetype"], "bytes": len(data)})
    else:
        click.echo(f"Stored {name} ({row['mimetype']}, {len(data):,} bytes).")


@media.command("list")
@as_json_option
def list_command(*, as_json: bool) -> None:
    """List the stored files, and where they were uploaded."""
    with connected("media") as connection:
        rows = connection.execute("select * from retoma.v_medium order by medium, channel").fetchall()
    if as_json:
        print_json(rows)
    else:
        print_table(_COLUMNS, rows, empty="There are no files. Store one: retoma media add FILE")


@media.command("remove")
@click.argument("name", shell_complete=names.media)
@as_json_option
def remove_command(name: str, *, as_json: bool) -> None:
    """Remove the file NAME; refused while a campaign that is not over names it."""
    with connected("media") as connection:
        call(connection, "select retoma.media_remove(%s)", name)
    if as_json:
        print_json({"medium": name, "removed": True})
    else:
        click.echo(f"Removed {name}.")
