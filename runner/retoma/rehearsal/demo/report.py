"""The report at the end of the demo: the books, the ledger, and whether they agree."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from retoma.rehearsal.audit import audit
from retoma.rehearsal.demo.names import OFFICIAL, SALES, SUPPORT, Connection, Tell

_PARTS = ("sent", "failed", "skipped", "in_doubt", "cancelled", "open")


def report(connection: Connection, campaigns: Sequence[str], directory: Path, tell: Tell) -> bool:
    """Tell what the database and the ledger say; True when nothing is lost or duplicated and both agree.

    Args:
        campaigns: their names, that of the text campaign first.
        directory: holds ledger/ledger.jsonl.
        tell: takes a label and a line.
    """
    found = audit(connection, campaigns, directory / "ledger" / "ledger.jsonl")
    books = [_books(connection, name) for name in campaigns]
    for number, (name, row) in enumerate(zip(campaigns, books, strict=True)):
        kind = f"{name.removeprefix(campaigns[0]).strip()}: " if number else ""
        tell("" if number else "books", f"{kind}{row['total']:,} recipients = {_parts(row)}")
    tell("ledger", f"the sandbox delivered {found.delivered:,} different messages")
    if found.repeats:
        tell("", f"{found.repeats:,} came to {SALES} a second time under the same id, and were shown once")
    _tell_settled(connection, campaigns, tell)
    in_doubt = sum(row["in_doubt"] for row in books)
    if in_doubt:
        tell("", f"{in_doubt:,} in doubt: a runner asks about them, or you decide: retoma campaign resolve")
    balanced = all(row["total"] == sum(row[part] for part in _PARTS) for row in books)
    open_ones = [row["status"] for row in books if row["status"] != "completed"]
    clean = found.is_clean and balanced and not open_ones
    tell("", "")
    tell(
        "PASS" if clean else "FAIL",
        f"lost {found.lost:,}, duplicated {found.duplicated:,}, in doubt {in_doubt:,}"
        + (f", wrongly recorded {found.misjudged:,}" if found.misjudged else "")
        + ("" if balanced else ", and the books do not balance")
        + (f", and a campaign is {open_ones[0]}" if open_ones else ""),
    )
    return clean


def _books(connection: Connection, campaign: str) -> dict[str, Any]:
    row = connection.execute(
        """
        select
          s.status, s.total, s.sent, s.failed, s.skipped, s.in_doubt, s.cancelled,
          s.pending + s.sending as open
        from retoma.v_campaign_summary as s where s.campaign = %s
        """,
        [campaign],
    ).fetchone()
    assert row is not None  # noqa: S101 (the campaign was just followed)
    return row


def _parts(row: dict[str, Any]) -> str:
    return " + ".join(f"{row[part]:,} {part.replace('_', ' ')}" for part in _PARTS)


def _tell_settled(connection: Connection, campaigns: Sequence[str], tell: Tell) -> None:
    """The messages that were in doubt, and what settled them."""
    row = connection.execute(
        """
        with mine as (
          select h.name as channel, d.outcome, d.code from retoma_internal.delivery as d
          inner join retoma_internal.campaign as c on d.campaign_id = c.id
          inner join retoma_internal.channel as h on d.channel_id = h.id
          where c.name = any(%(campaigns)s)
        )

        select
          count(*) filter (where m.channel = %(support)s and m.code = 'lookup') as found,
          count(*) filter (
            where m.channel = %(support)s and m.code = 'runner_gone' and m.outcome = 'requeued'
          ) as absent,
          -- A sent message keeps the reason for which it was in doubt.
          count(*) filter (
            where m.channel = %(official)s and m.code in ('runner_gone', 'receipt') and m.outcome = 'sent'
          ) as reported
        from mine as m
        """,
        {"campaigns": list(campaigns), "support": SUPPORT, "official": OFFICIAL},
    ).fetchone()
    assert row is not None  # noqa: S101 (counts)
    if row["found"] or row["absent"]:
        tell(
            "",
            f"{row['found'] + row['absent']:,} were in doubt on {SUPPORT}: lookup found {row['found']:,}; "
            f"{row['absent']:,} had never arrived and were sent again",
        )
    if row["reported"]:
        tell("", f"{row['reported']:,} were in doubt on {OFFICIAL}, until the webhook reported them as sent")
