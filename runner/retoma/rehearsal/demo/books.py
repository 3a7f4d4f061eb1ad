"""The books of a campaign against the ledger of the sandbox, message by message."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import tuple_row


@dataclass(frozen=True, slots=True)
class Audit:
    """What was promised and what arrived.

    Args:
        delivered: different messages that the sandbox delivered.
        lost: messages that the database calls sent, or never tried, and that the sandbox did not deliver.
        duplicated: deliveries beyond the first, to the same person.
        misjudged: messages that were delivered, but are called failed, skipped or cancelled.
        repeats: requests with an id that the sandbox had seen, which a provider that dedupes does not show.
    """

    delivered: int
    lost: int
    duplicated: int
    misjudged: int
    repeats: int

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.duplicated or self.misjudged)


def audit(connection: psycopg.Connection[Any], campaign: str, ledger: Path) -> Audit:
    """Compare a campaign that is over with everything that the sandbox took.

    Args:
        ledger: ledger.jsonl of the sandbox.
    """
    with connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(
            "select message_id, phone, state from retoma.message_state where campaign = %s", [campaign]
        )
        messages = {message_id: (phone, state) for message_id, phone, state in cursor}
    deliveries: Counter[str] = Counter()
    people: Counter[str] = Counter()
    repeats = 0
    with ledger.open("rb") as lines:
        for entry in map(json.loads, lines):
            if entry["message_id"] not in messages or entry["kind"] == "refused":
                continue
            if entry["kind"] == "repeat":
                repeats += 1
                continue
            deliveries[entry["message_id"]] += 1
            people[entry["to"]] += 1
    states = {message_id: state for message_id, (_, state) in messages.items()}
    return Audit(
        delivered=len(deliveries),
        lost=sum(
            state in ("sent", "pending", "sending") and message_id not in deliveries
            for message_id, state in states.items()
        ),
        duplicated=sum(count - 1 for count in people.values()),
        misjudged=sum(states[message_id] in ("failed", "skipped", "cancelled") for message_id in deliveries),
        repeats=repeats,
    )
