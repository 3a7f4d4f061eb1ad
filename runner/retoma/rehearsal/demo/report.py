"""The report at the end of the demo: the books, the ledger, and whether they agree."""

from pathlib import Path

from retoma.rehearsal.audit import audit
from retoma.rehearsal.demo.names import SALES, SUPPORT, Connection, Tell


def report(connection: Connection, campaign: str, directory: Path, tell: Tell) -> bool:
    """Tell what the database and the ledger say; True when nothing is lost or duplicated and both agree.

    Args:
        directory: holds ledger/ledger.jsonl.
        tell: takes a label and a line.
    """
    found = audit(connection, [campaign], directory / "ledger" / "ledger.jsonl")
    row = connection.execute(
        """
        with mine as (
          select d.outcome, d.code from retoma_internal.delivery as d
          inner join retoma_internal.campaign as c on d.campaign_id = c.id
          inner join retoma_internal.channel as h on d.channel_id = h.id
          where c.name = %s and h.name = %s
        )
        select
          s.status, s.total, s.sent, s.failed, s.skipped, s.in_doubt, s.cancelled,
          s.pending + s.sending as open,
          (select count(*) from mine where mine.code = 'lookup') as found,
          (select count(*) from mine where mine.code = 'runner_gone' and mine.outcome = 'requeued') as absent
        from retoma.v_campaign_summary as s where s.campaign = %s
        """,
        [campaign, SUPPORT, campaign],
    ).fetchone()
    assert row is not None  # noqa: S101 (the campaign was just followed)
    names = ("sent", "failed", "skipped", "in_doubt", "cancelled", "open")
    balanced = row["total"] == sum(row[name] for name in names)
    tell(
        "books",
        f"{row['total']:,} recipients = "
        + " + ".join(f"{row[name]:,} {name.replace('_', ' ')}" for name in names),
    )
    tell("ledger", f"the sandbox delivered {found.delivered:,} different messages")
    if found.repeats:
        tell("", f"{found.repeats:,} came to {SALES} a second time under the same id, and were shown once")
    if row["found"] or row["absent"]:
        tell(
            "",
            f"{row['found'] + row['absent']:,} were in doubt on {SUPPORT}: lookup found {row['found']:,}; "
            f"{row['absent']:,} had never arrived and were sent again",
        )
    if row["in_doubt"]:
        tell(
            "",
            f"{row['in_doubt']:,} in doubt: a runner asks about them, or you decide: retoma campaign resolve",
        )
    clean = found.is_clean and balanced and row["status"] == "completed"
    tell("", "")
    tell(
        "PASS" if clean else "FAIL",
        f"lost {found.lost:,}, duplicated {found.duplicated:,}, in doubt {row['in_doubt']:,}"
        + (f", wrongly recorded {found.misjudged:,}" if found.misjudged else "")
        + ("" if balanced else ", and the books do not balance")
        + ("" if row["status"] == "completed" else f", and the campaign is {row['status']}"),
    )
    return clean
