"""Drafts of campaigns, whose contents are checked as soon as they are created."""

from typing import Any

import psycopg

from retoma.content.apart import check_apart
from retoma.content.written import Written
from retoma.errors import RetomaError


def check_contents(connection: psycopg.Connection[dict[str, Any]], campaign_id: int, campaign: str) -> int:
    """Check every content of a new draft at once, and record what it needs. A runner would do it later.

    Args:
        campaign_id: of the draft.
        campaign: its name.

    Returns:
        How many contents it has.

    Raises:
        RetomaError: a content can be sent to nobody, or no process can be had for the check.
        psycopg.Error: the database refused.
    """
    contents = connection.execute("select * from retoma.campaign_content(%s)", [campaign]).fetchall()
    for row in contents:
        try:
            checked = check_apart(Written(row["content"], row["texts"]))
        except RetomaError as error:
            if len(contents) > 1:
                raise RetomaError(f"variant {row['variant']}: {error.message}", error.hint) from error
            raise
        connection.execute(
            "select retoma.record_content_check(%s, %s, %s, null, %s)",
            [campaign_id, row["variant"], checked.required_variables, checked.optional_variables],
        )
    return len(contents)
