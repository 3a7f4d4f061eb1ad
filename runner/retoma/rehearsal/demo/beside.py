"""The campaigns beside the text one: an image through WAHA, and a template through the official API."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from psycopg.types.json import Jsonb

from retoma.errors import RetomaError
from retoma.monitor.drafts import check_contents
from retoma.rehearsal.demo.names import LOOK_S, OFFICIAL, SALES, STALLED_S, Connection, Tell
from retoma.rehearsal.processes import Processes

APP_SECRET = "secret of the demo"  # noqa: S105 (of the sandbox alone)

_MOST = 300
_SHARE = 50
_BATCH = 50
_TEMPLATE, _LANGUAGE = "oferta", "pt_BR"
_LINK = "https://example.com/oferta.png"


def write_templates(path: Path) -> None:
    """Write what the account of the Cloud API at the sandbox has, as Meta lists it."""
    body = {"type": "BODY", "text": "Olá {{1}}! Sua oferta está no app."}
    template = {"id": "1", "name": _TEMPLATE, "language": _LANGUAGE, "status": "APPROVED"}
    listed = [{**template, "category": "MARKETING", "parameter_format": "POSITIONAL", "components": [body]}]
    path.write_text(json.dumps(listed, ensure_ascii=False), encoding="utf-8")


def size(recipients: int) -> int:
    """Recipients of each of these campaigns, for that many of the text campaign."""
    return max(min(recipients // _SHARE, _MOST), 1)


def create(
    connection: Connection, campaign: str, recipients: int, text: str, *, has_names: bool, tell: Tell
) -> list[str]:
    """Create both for the first recipients of the text campaign; returns their names.

    Args:
        campaign: the text campaign, with its recipients.
        recipients: how many it has.
        text: Liquid, the caption of the image.
        has_names: whether each recipient has the variable name.

    Raises:
        RetomaError: the content is refused.
    """
    people = connection.execute(
        "select s.phone, s.variables from retoma.sample_recipients(%s, %s) as s", [campaign, size(recipients)]
    ).fetchall()
    image: dict[str, Any] = {"kind": "image", "media": {"link": _LINK}, "caption": text}
    body = "{{ name }}" if has_names else "cliente"
    template = {"kind": "template", "name": _TEMPLATE, "language": _LANGUAGE, "body": [body]}
    names = [f"{campaign} image", f"{campaign} template"]
    for name, channel, content in zip(names, (SALES, OFFICIAL), (image, template), strict=True):
        _create(connection, name, channel, content)
        connection.execute("select retoma.add_recipients(%s, %s)", [name, Jsonb(people)])
    tell(
        "beside",
        f"the first {len(people):,} also get an image with the text as its caption, through {SALES},",
    )
    tell("", f"and the template {_TEMPLATE}, through {OFFICIAL}: the WhatsApp Cloud API")
    return names


def _create(connection: Connection, name: str, channel: str, content: Mapping[str, Any]) -> None:
    row = connection.execute(
        "select retoma.create_campaign(%s, %s::text, p_batch_size => %s, p_content => %s) as id",
        [name, channel, _BATCH, Jsonb(content)],
    ).fetchone()
    assert row is not None  # noqa: S101 (a function without `setof` returns one row)
    check_contents(connection, row["id"], name)


def wait_for_template(connection: Connection, children: Processes, since: float, tell: Tell) -> None:
    """Wait until a runner has read the templates of the account from the sandbox.

    Args:
        since: Unix seconds by the clock of the database; an older list is that of an earlier demo.

    Raises:
        RetomaError: there is no list in time.
    """
    deadline = time.monotonic() + STALLED_S
    while True:
        row = connection.execute(
            """
            select t.status, t.category, t.fault, extract(epoch from t.read_at) >= %s as is_new
            from retoma.v_template as t where t.channel = %s order by t.template = %s desc nulls last
            """,
            [since, OFFICIAL, _TEMPLATE],
        ).fetchone()
        if row and row["is_new"] and not row["fault"]:
            break
        children.check()
        if time.monotonic() > deadline:
            raise RetomaError(
                f"The templates of {OFFICIAL} were not read: {row['fault'] if row else 'no runner asked'}",
                hint=f"See the logs in {children.directory}",
            )
        time.sleep(LOOK_S)
    tell("template", f"{_TEMPLATE} ({_LANGUAGE}), read from the provider: {row['category']}, {row['status']}")
