"""Drafts of campaigns, whose content is checked as soon as they are created."""

from typing import Any

import psycopg

from retoma.content.apart import check_apart
from retoma.content.written import Written


def check_content(connection: psycopg.Connection[dict[str, Any]], campaign_id: int, campaign: str) -> None:
    """Check the content of a new draft at once, and record what it needs. A runner would do it later.

    Args:
        campaign_id: of the draft.
        campaign: its name.

    Raises:
        RetomaError: the content can be sent to nobody, or no process can be had for the check.
        psycopg.Error: the database refused.
    """
    written = connection.execute("select * from retoma.campaign_content(%s)", [campaign]).fetchone()
    assert written is not None  # noqa: S101 (it was just created)
    checked = check_apart(Written(written["content"], written["texts"]))
    connection.execute(
        "select retoma.record_content_check(%s, 1, %s, null, %s)",
        [campaign_id, checked.required_variables, checked.optional_variables],
    )
