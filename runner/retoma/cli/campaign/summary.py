"""What several commands read of a campaign."""

import datetime
from typing import TYPE_CHECKING

from retoma.cli.connection import Row
from retoma.cli.output import shown_in
from retoma.errors import RetomaError

if TYPE_CHECKING:
    import psycopg

_EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]


def find(connection: "psycopg.Connection[Row]", name: str) -> Row:
    """The row of v_campaign_summary.

    Raises:
        RetomaError: there is no such campaign.
    """
    row = connection.execute("select * from retoma.v_campaign_summary where campaign = %s", [name]).fetchone()
    if row is None:
        raise RetomaError(f"There is no campaign '{name[:200]}'.", hint="See them all: retoma campaign list")
    return row


def starts_at(summary: Row) -> str:
    """When a campaign starts, in its own zone.

    Args:
        summary: its row, which has a time.
    """
    return shown_in(summary["starts_at"], summary["time_zone"])


def windows_of(connection: "psycopg.Connection[Row]", name: str) -> list[str]:
    """The windows of a campaign, as they are typed."""
    rows = connection.execute(
        "select days, left(opens::text, 5) as opens, left(closes::text, 5) as closes"
        " from retoma.v_window where campaign = %s order by v_window.opens, window_id",
        [name],
    )
    return [_in_words(window) for window in rows]


def moment_of(
    connection: "psycopg.Connection[Row]", at: datetime.datetime | None, zone: str | None
) -> datetime.datetime | None:
    """The moment of a time that was typed, in the campaign's zone or else this machine's.

    Args:
        at: the time, which may have an offset of its own; None for none.
        zone: of the campaign; None where it has none.
    """
    if at is None or at.tzinfo is not None:
        return at
    if zone is None:
        return at.astimezone()
    row = connection.execute(
        "select %s::timestamp at time zone z.name as at from pg_timezone_names as z where z.name = %s",
        [at, zone],
    ).fetchone()
    # The database refuses a zone that it does not know, in its own words.
    return None if row is None else row["at"]


def _in_words(window: Row) -> str:
    days = "" if window["days"] == _EVERY_DAY else "/" + ",".join(map(str, window["days"]))
    return f"{window['opens']}-{window['closes']}{days}"
