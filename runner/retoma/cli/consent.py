"""`retoma opt-out` and `retoma opt-in`: who must not be contacted, and who agreed again."""

import datetime
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import IO, TYPE_CHECKING, Any, LiteralString, TypeVar

import click

from retoma.cli import parameters
from retoma.cli.connection import connected
from retoma.cli.output import as_json_option, print_json

if TYPE_CHECKING:
    from retoma.importer.numbers import Number

Command = TypeVar("Command", bound=Callable[..., Any])
Record = tuple[LiteralString, tuple[object, ...]]

# A call holds its rows until it is done, and a runner that suppresses one of these numbers would wait.
_NUMBERS_PER_CALL = 1_000
_BAD_SHOWN = 20
_LONGEST_SHOWN = 60
_REASONS = ["opt_out", "complaint", "invalid", "imported"]


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.argument("numbers", nargs=-1, metavar="[NUMBER]..."),
    click.option("--file", type=click.File("rb"), help="CSV, or one number per line (- for standard input)."),
    click.option("--region", type=parameters.region, help="Country of numbers without +, as in BR or US."),
    click.option("--phone-column", help="Title of the phone column of the file."),
    click.option("--at", type=parameters.instant, metavar="TIME", help="When they said so.  [default: now]"),
    as_json_option,
    click.pass_context,
)


def _list_options(command: Command) -> Command:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command("opt-out")
@_list_options
@click.option("--source", default="operator", show_default=True, help="Where they said so, for the record.")
@click.option("--reason", type=click.Choice(_REASONS), default="opt_out", show_default=True)
def opt_out(
    context: click.Context, *, source: str, reason: str, at: datetime.datetime | None, **given: Any
) -> None:
    """Let no campaign contact these numbers any more.

    \b
    retoma opt-out '+5511955501201' --source 'phone call'
    retoma opt-out --file do-not-disturb.csv --region BR --reason imported

    Each number counts by itself: what is not a number is named, and the exit code is 1.
    """
    statement: LiteralString = "select place from retoma.opt_out_list(%s, %s, %s, %s)"
    _record(context, "opted out", (statement, (source, reason, at)), **given)


@click.command("opt-in")
@_list_options
@click.option("--source", required=True, help="Where they agreed, for the record: 'web form, 2026-05-04'.")
def opt_in(context: click.Context, *, source: str, at: datetime.datetime | None, **given: Any) -> None:
    """Record that these numbers agreed to be contacted, and take them off the suppression list.

    \b
    retoma opt-in '+5511955501201' --source 'signed form, 2026-05-04'
    retoma opt-in --file newsletter.csv --region BR --source 'web form' --at 2026-05-04T09:00

    An opt-out after --at stays. What is not a number is named, and the exit code is 1.
    """
    statement: LiteralString = "select place from retoma.opt_in_list(%s, %s, %s)"
    _record(context, "opted in", (statement, (source, at)), **given)


def _record(
    context: click.Context,
    what: str,
    record: Record,
    *,
    numbers: tuple[str, ...],
    file: IO[bytes] | None,
    region: str | None,
    phone_column: str | None,
    as_json: bool,
) -> None:
    from retoma.importer.numbers import numbers_given, numbers_in_file  # noqa: PLC0415

    if bool(numbers) == (file is not None):
        raise click.UsageError("Give either numbers or --file.")
    if file is None:
        found = numbers_given(list(numbers), region)
    else:
        found = numbers_in_file(file, region, phone_column)
    count, bad = _record_all(record, found)
    if as_json:
        named = [{"line": b.line, "given": b.given, "problem": b.problem} for b in bad]
        print_json({"recorded": count, "refused": named})
    else:
        click.echo(f"{count:,} {what}.")
        _name(bad)
    if bad or not count:
        context.exit(1)


def _record_all(record: Record, numbers: "Iterable[Number]") -> "tuple[int, list[Number]]":
    """Records in portions, each for good; returns how many, and what is not a number."""
    statement, arguments = record
    bad: list[Number] = []
    count = 0
    with connected("consent") as connection:
        for portion in _portions(numbers):
            good = [number for number in portion if number.phone is not None]
            bad += [number for number in portion if number.phone is None]
            rows = connection.execute(statement, ([number.phone for number in good], *arguments)).fetchall()
            refused = [good[row["place"] - 1] for row in rows]
            bad += [number._replace(problem="The database refuses it.") for number in refused]
            count += len(good) - len(refused)
    return count, bad


def _portions(numbers: "Iterable[Number]") -> "Iterator[list[Number]]":
    rest = iter(numbers)
    while portion := list(islice(rest, _NUMBERS_PER_CALL)):
        yield portion


def _name(bad: "list[Number]") -> None:
    if bad:
        click.echo(f"{len(bad):,} not, because they are no numbers:", err=True)
    for number in bad[:_BAD_SHOWN]:
        given = number.given if len(number.given) <= _LONGEST_SHOWN else number.given[:_LONGEST_SHOWN] + "…"
        click.echo(f"  line {number.line:,}: {given!r}: {number.problem}", err=True)
    if len(bad) > _BAD_SHOWN:
        click.echo(f"  and {len(bad) - _BAD_SHOWN:,} more; see them all: --json", err=True)
