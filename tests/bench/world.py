"""What the benches send: campaigns of any size, made by SQL in seconds, and a long suppression list.

Messages are inserted directly and not through load_staged, which has a bench of its own. Their numbers begin
with +999, which no country has.
"""

import json
from collections.abc import Mapping

import psycopg

TEXT = "Olá {{ name }}, seu pedido {{ order }} chegou. Responda SAIR para não receber mais."

_MESSAGES = """
insert into retoma_internal.message (campaign_id, ordinal, phone, variables)
select %(id)s, g, '+999' || lpad(g::text, 9, '0'), jsonb_build_object('name', 'Ana ' || g, 'order', g)
from generate_series(1, %(size)s) as g
"""


def suppress(connection: psycopg.Connection, size: int) -> None:
    """Put that many other numbers onto the suppression list."""
    connection.execute(
        "insert into retoma_internal.suppression (suppression_key, phone, reason)"
        " select '998' || lpad(g::text, 9, '0'), '+998' || lpad(g::text, 9, '0'), 'imported'"
        " from generate_series(1, %s) as g",
        (size,),
    )
    connection.execute("vacuum analyze retoma_internal.suppression")


def make_channel(
    connection: psycopg.Connection,
    name: str,
    transport: str = "null",
    settings: Mapping[str, object] | None = None,
    *,
    window: int | None = 300,
    leases: int = 1,
) -> int:
    """Make a channel without gaps; returns its id.

    Args:
        window: messages under way at once, for each lease; None for the defaults of the transport.
        leases: batches that may be leased at once.
    """
    pacing = {} if window is None else {"max_in_flight": window, "max_leases": leases}
    row = connection.execute(
        "select retoma.create_channel(%s, %s, %s, %s)",
        (
            name,
            transport,
            json.dumps(settings or {}),
            json.dumps(pacing),
        ),
    ).fetchone()
    assert row is not None
    return int(row[0])


def make_campaign(
    connection: psycopg.Connection, name: str, channels: list[str], size: int, *, batch_size: int = 300
) -> int:
    """Make a draft with that many messages; returns its id."""
    row = connection.execute(
        "select retoma.create_campaign(%s, %s::text[], %s, p_batch_size => %s)",
        (name, channels, TEXT, batch_size),
    ).fetchone()
    assert row is not None
    campaign_id = int(row[0])
    connection.execute("select retoma.record_content_check(%s, 1, '{name,order}')", (campaign_id,))
    connection.execute(_MESSAGES, {"id": campaign_id, "size": size})
    connection.execute("update retoma_internal.campaign set total = %s where id = %s", (size, campaign_id))
    connection.execute("vacuum analyze retoma_internal.message")
    return campaign_id


def start(connection: psycopg.Connection, name: str) -> None:
    """Start a draft."""
    connection.execute("select retoma.start_campaign(%s)", (name,))
