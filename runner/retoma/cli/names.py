"""Names of the database for the completion of a shell."""

import os
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from typing import LiteralString

_MOST = 200


def campaigns(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Campaigns whose names begin like this, the newest first."""
    return _names(
        "select campaign as name, status as help from retoma.v_campaign_summary"
        " where starts_with(campaign, %s) order by campaign_id desc limit %s",
        incomplete,
    )


def channels(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Channels whose names begin like this."""
    return _names(
        "select channel as name, state as help from retoma.v_channel"
        " where starts_with(channel, %s) order by channel limit %s",
        incomplete,
    )


def media(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Stored files whose names begin like this."""
    return _names(
        "select distinct medium as name, mimetype as help from retoma.v_medium"
        " where starts_with(medium, %s) order by medium limit %s",
        incomplete,
    )


def groups(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Groups of channels whose names begin like this."""
    return _names(
        "select channel_group as name, string_agg(channel, ', ' order by channel) as help"
        " from retoma.v_channel where starts_with(channel_group, %s) group by 1 order by 1 limit %s",
        incomplete,
    )


def subjects(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of what the scope before them says."""
    complete = {"campaign": campaigns, "channel": channels, "channel_group": groups}.get(
        context.params.get("scope", "")
    )
    return complete(context, parameter, incomplete) if complete else []


def _names(query: "LiteralString", incomplete: str) -> list[CompletionItem]:
    """What a query finds; nothing where the database is down, because a shell only asks in passing."""
    # The script for bash would cut a name at its blanks.
    is_bash = os.environ.get("_RETOMA_COMPLETE", "").startswith("bash")
    try:
        rows = _found(query, incomplete)
    except Exception:
        return []
    return [
        CompletionItem(name, help=words) for name, words in rows if not (is_bash and len(name.split()) > 1)
    ]


def _found(query: "LiteralString", incomplete: str) -> list[tuple[str, str]]:
    import psycopg  # noqa: PLC0415

    from retoma import config  # noqa: PLC0415
    from retoma.database import embedded  # noqa: PLC0415

    url = config.external_database_url()
    if url is None:
        if embedded.status(config.home()) != "running":
            return []
        url = embedded.url(config.home())
    with psycopg.connect(url, connect_timeout=2, options="-c statement_timeout=2s") as connection:
        return connection.execute(query, [incomplete, _MOST]).fetchall()
