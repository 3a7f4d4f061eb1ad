"""The durable record of everything that the sandbox took or refused: the judge of every drill.

One JSON object per line, appended before the answer leaves. The kernel has the line when os.write returns, so
it survives a SIGKILL of the sandbox. Texts are not kept, only their SHA-256.
"""

import fcntl
import json
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from retoma.errors import RetomaError

Kind = Literal["accepted", "repeat", "duplicate", "refused", "withdrawn"]
"""repeat: seen before and suppressed. duplicate: seen before and delivered once more. withdrawn: answered as
accepted, never delivered, and reported as failed later."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request to send, as it was read.

    Args:
        at: Unix seconds when the request had been read.
        dialect: waha, evolution, evolution_go, whatsapp_cloud or webhook.
        channel: the WAHA session, the instance, the id of the phone number, or the path of the webhook.
        message_id: our id (32 hexadecimal digits), whatever other id came, or None.
        to: the recipient, E.164 with +.
        sha256: of the text, in hexadecimal.
        dedupes: whether this provider suppresses a repeated id.
        takes_id: whether it uses our id; otherwise it gives the message one of its own.
    """

    at: float
    dialect: str
    channel: str
    message_id: str | None
    to: str
    sha256: str
    dedupes: bool
    takes_id: bool = True

    @property
    def identity(self) -> str:
        """The identity of a message; without an id, it is the text and the recipient."""
        return self.message_id or f"{self.to} {self.sha256}"


class Ledger:
    """The ledger file and the index over it. One process at a time.

    Args:
        directory: where ledger.jsonl is or will be; what is in it is counted first.

    Raises:
        RetomaError: another process uses the directory.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.path = directory / "ledger.jsonl"
        self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RetomaError(
                "Another sandbox uses this ledger.", hint="Stop it, or give --ledger another directory."
            ) from error
        self._seq = 0
        self._seen: dict[tuple[str, str], set[str]] = {}
        self._counts: dict[tuple[str, str], Counter[Kind]] = {}
        self._load()

    def accept(self, delivery: Delivery) -> Kind:
        """Record a delivery as accepted, repeat or duplicate, and return which."""
        if not self.contains(delivery.dialect, delivery.channel, delivery.identity):
            return self._append(delivery, "accepted", None)
        return self._append(delivery, "repeat" if delivery.dedupes else "duplicate", None)

    def refuse(self, delivery: Delivery, code: str) -> None:
        """Record a delivery that was answered with an error and not taken."""
        self._append(delivery, "refused", code)

    def withdraw(self, delivery: Delivery, code: str) -> None:
        """Record a delivery that was answered as accepted, and is not delivered."""
        self._append(delivery, "withdrawn", code)

    def contains(self, dialect: str, channel: str, identity: str) -> bool:
        """Whether a message with this identity was accepted on the channel."""
        return identity in self._seen.get((dialect, channel), ())

    def summary(self) -> dict[str, object]:
        """The counts of the whole ledger and, under channels, of each one ("waha/default")."""
        total: Counter[Kind] = sum(self._counts.values(), Counter())
        channels = {f"{dialect}/{channel}": _figures(c) for (dialect, channel), c in self._counts.items()}
        return {**_figures(total), "channels": channels}

    def close(self) -> None:
        os.close(self._file)

    def _append(self, delivery: Delivery, kind: Kind, code: str | None) -> Kind:
        entry = {
            "seq": self._seq + 1,
            "at": delivery.at,
            "dialect": delivery.dialect,
            "channel": delivery.channel,
            "message_id": delivery.message_id,
            "to": delivery.to,
            "sha256": delivery.sha256,
            "kind": kind,
            "code": code,
        }
        line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        if os.write(self._file, line) != len(line):
            raise OSError("the ledger could not be written whole")
        self._index(delivery.dialect, delivery.channel, delivery.identity, kind)
        return kind

    def _index(self, dialect: str, channel: str, identity: str, kind: Kind) -> None:
        self._seq += 1
        self._counts.setdefault((dialect, channel), Counter())[kind] += 1
        if kind == "accepted":
            self._seen.setdefault((dialect, channel), set()).add(identity)

    def _load(self) -> None:
        whole = 0
        with self.path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                e = json.loads(line)
                identity = e["message_id"] or f"{e['to']} {e['sha256']}"
                self._index(e["dialect"], e["channel"], identity, e["kind"])
        # A line without its end was never answered.
        os.ftruncate(self._file, whole)


def _figures(counts: Counter[Kind]) -> dict[str, int]:
    return {
        # All deliveries, the different messages among them, and the repeated ones.
        "accepted": counts["accepted"] + counts["duplicate"],
        "unique": counts["accepted"],
        "duplicates": counts["duplicate"],
        "repeats": counts["repeat"],
        "refused": counts["refused"],
        "withdrawn": counts["withdrawn"],
    }
