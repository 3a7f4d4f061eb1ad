"""The books of campaigns against the ledger of the sandbox, message by message."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import tuple_row


@dataclass(frozen=True, slots=True)
class Audit:
    """The books beside the deliveries.

    Args:
        states: number of messages by their state in the database.
        sent: messages that the database calls sent, and that the sandbox delivered.
        delivered: different messages that the sandbox delivered.
        lost: messages that the database calls sent, or never tried, and that the sandbox did not deliver.
        duplicated: deliveries of one campaign to the same person beyond the first.
        misjudged: messages that were delivered, but are called neither sent nor in doubt.
        repeats: requests with an id that the sandbox had seen, which a provider that dedupes does not show.
    """

    states: Counter[str]
    sent: int
    delivered: int
    lost: int
    duplicated: int
    misjudged: int
    repeats: int

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.duplicated or self.misjudged)


def audit(connection: psycopg.Connection[Any], campaigns: Sequence[str], ledger: Path) -> Audit:
    """Compare campaigns that are over with everything that the sandbox took of them.

    Args:
        campaigns: their names.
        ledger: ledger.jsonl of the sandbox. A request without our id, as providers get it that take none, is
            the message of its recipient; that is certain only with a single campaign.
    """
    with connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(
            "select message_id, campaign, state, phone from retoma.message_state where campaign = any(%s)",
            [list(campaigns)],
        )
        messages: dict[str, tuple[str, str]] = {}
        ids: dict[str, str] = {}
        for message_id, campaign, state, phone in cursor:
            messages[message_id], ids[phone] = (campaign, state), message_id
    delivered: set[str] = set()
    people: Counter[tuple[str, str]] = Counter()
    repeats = 0
    with ledger.open("rb") as lines:
        # The last line may be one that is being written.
        for entry in (json.loads(line) for line in lines if line.endswith(b"\n")):
            message_id = entry["message_id"] or ids.get(entry["to"], "")
            if message_id not in messages or entry["kind"] in ("refused", "withdrawn"):
                continue
            if entry["kind"] == "repeat":
                repeats += 1
                continue
            campaign, _ = messages[message_id]
            delivered.add(message_id)
            people[campaign, entry["to"]] += 1
    states = {message_id: state for message_id, (_, state) in messages.items()}
    sent = sum(state == "sent" and message_id in delivered for message_id, state in states.items())
    return Audit(
        states=Counter(states.values()),
        sent=sent,
        delivered=len(delivered),
        lost=sum(
            state in ("sent", "pending", "sending") and message_id not in delivered
            for message_id, state in states.items()
        ),
        duplicated=sum(count - 1 for count in people.values()),
        misjudged=sum(states[message_id] not in ("sent", "in_doubt") for message_id in delivered),
        repeats=repeats,
    )
