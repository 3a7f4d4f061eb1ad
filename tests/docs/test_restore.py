"""What the runbook says to do after a restore leaves running only what can be repeated without harm."""

import re
from pathlib import Path

from tests.support.campaigns import Db, lease, make_campaign, make_channel, make_runner, must_lease

PAGE = Path(__file__).resolve().parents[2] / "docs" / "runbook" / "upkeep.md"
URL = "http://127.0.0.1"


def restored_as_the_page_says(db: Db) -> None:
    chapter = re.search(r"^## After a restore$(.*?)^## ", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert chapter is not None
    for statement in re.findall(r"^```sql\n(.*?)^```$", chapter[1], re.MULTILINE | re.DOTALL):
        db.execute(statement)


def test_only_campaigns_with_one_channel_that_dedupes_go_on(db: Db) -> None:
    dedupes = {"url": URL, "idempotent": True}
    safe = make_channel(db, "safe", "webhook", dedupes)
    also_safe = make_channel(db, "also-safe", "webhook", dedupes)
    plain = make_channel(db, "plain", "webhook", {"url": URL})
    make_campaign(db, "one that dedupes", channels=["safe"])
    make_campaign(db, "two that dedupe", channels=["safe", "also-safe"])
    make_campaign(db, "one of two dedupes", channels=["safe", "plain"])
    make_campaign(db, "none dedupes", channels=["plain"])
    make_campaign(db, "later", channels=["plain"], start=False)
    db.execute("select retoma.start_campaign('later', '2999-01-01')")

    restored_as_the_page_says(db)

    runner = make_runner(db)
    must_lease(db, runner, safe)
    states: dict[str, str] = dict(
        db.execute("select campaign, status from retoma.v_campaign_summary").fetchall()
    )
    assert states == {
        "one that dedupes": "running",
        "two that dedupe": "paused",
        "one of two dedupes": "paused",
        "none dedupes": "paused",
        "later": "paused",
    }
    assert lease(db, runner, also_safe) is None
    assert lease(db, runner, plain) is None


def test_a_channel_that_was_paused_before_stays_paused(db: Db) -> None:
    make_channel(db, "resting", "webhook", {"url": URL, "idempotent": True})
    db.execute("select retoma.pause_channel('resting', 'holidays')")

    restored_as_the_page_says(db)

    shown = db.execute("select state, reason from retoma.v_channel").fetchone()
    assert shown == ("paused", "holidays")
