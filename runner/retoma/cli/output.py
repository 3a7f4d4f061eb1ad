"""How commands print: tables and facts for people, JSON for programs."""

import datetime
import decimal
import json
import sys
import uuid
from collections.abc import Iterable, Mapping, Sequence

import click

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def print_json(value: object) -> None:
    """One JSON document on one line; times in ISO 8601, exact numbers as JSON numbers."""
    click.echo(to_json(value))


def to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def print_table(columns: Sequence[str], rows: Iterable[Mapping[str, object]], empty: str) -> None:
    """Rows under their column names; numbers are aligned to the right.

    Args:
        columns: keys of the rows, in the order of the output.
        rows: what to print.
        empty: the message when there are no rows; it says what to do.
    """
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    rows = list(rows)
    if not rows:
        click.echo(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        numeric = all(isinstance(row[column], int | decimal.Decimal | None) for row in rows)
        table.add_column(column.replace("_", " "), justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*(shown(row[column]) for column in columns))
    # Names may hold brackets, which are no markup. A pipe has no width, and a line for grep is not folded.
    width = None if sys.stdout.isatty() else 1000
    Console(markup=False, highlight=False, emoji=False, width=width).print(table)


def print_facts(facts: Mapping[str, object]) -> None:
    """One fact per line: its name, then its value; facts that are None are left out."""
    for name, value in facts.items():
        if value is not None:
            click.echo(f"{name.replace('_', ' '):<20} {shown(value)}")


def shown(value: object) -> str:
    """A value as people read it: thousands separated, times to the second with their zone."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | decimal.Decimal):
        exact = value.normalize() if isinstance(value, decimal.Decimal) else decimal.Decimal(value)
        return f"{exact:,f}"
    if isinstance(value, datetime.datetime):
        return f"{value.astimezone():%Y-%m-%d %H:%M:%S %Z}"
    return ", ".join(map(shown, value)) if isinstance(value, list) else str(value)


def shown_in(moment: datetime.datetime, zone: str | None) -> str:
    """A moment as people of a zone read it.

    Args:
        zone: IANA name; None for that of this machine.
    """
    import zoneinfo  # noqa: PLC0415

    try:
        there = moment.astimezone(zoneinfo.ZoneInfo(zone or ""))
    except (ValueError, OSError):
        # Without a zone, or on a machine that does not know it.
        return shown(moment)
    return f"{there:%Y-%m-%d %H:%M:%S} {zone}"


def masked(phone: str) -> str:
    """A number that is in no view, hidden as retoma_internal.mask_phone does it."""
    length = len(phone)
    first, last = max(min(length - 10, 2), 0), max(min(length - 7, 3), 0)
    stars = "*" * max(min(length - 1, 6), length - 6)
    return f"+{phone[1 : 1 + first]}{stars}{phone[length - last :]}"


def _plain(value: object) -> object:
    match value:
        case decimal.Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case datetime.datetime() | datetime.time():
            return value.isoformat()
        case uuid.UUID():
            return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
