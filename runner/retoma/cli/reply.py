"""`retoma reply`: what people answered, and decisions about it."""

import textwrap

import click

from retoma.cli.connection import call, connected
from retoma.cli.output import as_json_option, print_json, print_table

_COLUMNS = ["reply_id", "at", "channel", "campaign", "phone", "address", "text", "state", "code"]
_LONGEST_SHOWN = 200
_NEXT = {
    "opted_out": "no campaign contacts this person any more",
    "outdated": "the person opted in later, so the list stays as it is",
    "settled": "the person stays on the list",
}


@click.group("reply")
def reply() -> None:
    """Read replies, and decide about those that wait for a person.

    \b
    retoma reply list
    retoma reply resolve 17 --as opt_out
    retoma reply resolve 18 --as opt_out --phone +5511955501204
    """


@reply.command("list")
@click.option("--all", "every", is_flag=True, help="Also those that wait for nobody.")
@click.option("--last", type=click.IntRange(min=1), default=100, show_default=True, help="How many at most.")
@as_json_option
def list_command(*, every: bool, last: int, as_json: bool) -> None:
    """List the replies that wait for a person, the last ones first."""
    with connected("reply") as connection:
        rows = connection.execute(
            "select * from retoma.v_reply where %s or state = 'waiting' order by reply_id desc limit %s",
            [every, last],
        ).fetchall()
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            row["text"] = _on_one_line(row["text"] or row["button"] or "")
        print_table(
            _COLUMNS, rows, empty="No reply waits for a person." if not every else "There are no replies."
        )


@reply.command("resolve")
@click.argument("reply_id", type=int)
@click.option(
    "--as",
    "decision",
    type=click.Choice(["opt_out", "no_opt_out"]),
    required=True,
    help="opt_out: the person wants no more messages. no_opt_out: nothing has to be done.",
)
@click.option("--phone", help="The number that the chat shows, with +, where the provider hides it.")
@as_json_option
def resolve_command(reply_id: int, *, decision: str, phone: str | None, as_json: bool) -> None:
    """Decide about the reply REPLY_ID, which a person has read."""
    with connected("reply") as connection:
        query = "select retoma.resolve_reply(%s, %s, %s) as state"
        state = str(call(connection, query, reply_id, decision, phone)["state"])
    if as_json:
        print_json({"reply_id": reply_id, "state": state})
    else:
        click.echo(f"Reply {reply_id}: {state}; {_NEXT[state]}.")


def _on_one_line(text: str) -> str:
    # A stranger wrote it: nothing of it may move the cursor of the terminal.
    printable = "".join(character if character.isprintable() else " " for character in text)
    return textwrap.shorten(printable, _LONGEST_SHOWN, placeholder=" …")
