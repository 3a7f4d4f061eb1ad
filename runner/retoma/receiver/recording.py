"""Facts of calls to the database: those that come together in one transaction, and each refused by itself.

Facts of one kind and one channel form groups. There are four lanes, so that none waits for the locks of
another: receipts; failures, which can lock the channel; replies; and reports on the connection, one by one.
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import LiteralString

import psycopg
import structlog

from retoma.receiver.database import Database
from retoma.receiver.together import Overfull, Together
from retoma.transports.base import ConnectionChange, Fact, Inbound, Receipt, Refused, WebhookRefused

log = structlog.get_logger()

GROUP_SIZE = 1_000
"""Facts of one transaction. A call with more is a group of its own."""

ROOM = 20_000
"""Facts of a lane that wait or are being recorded, of all channels. Beyond it, a provider has to call again."""

_BAD_VALUE = "RT003"
_CALL_AGAIN = "too_many_wait"
# What can lie with one value: cardinality, data, constraint, program limit, raise, internal error.
_CLASSES_OF_VALUES = ("21", "22", "23", "54", "P0", "XX")
_LOCKED = "55P03"
# Enough to find the one person of a group whom another session has locked.
_LOCKS_TRIED = 12

_RECEIPTS: LiteralString = "select refused from retoma.record_receipts(%s, %s)"
_REPLIES: LiteralString = (
    "select jsonb_agg(to_jsonb(r) order by r.reply_id) from retoma.record_inbound(%s, %s) as r"
)
_CONNECTED: LiteralString = "select retoma.channel_connected(%s, %s)"
_DISCONNECTED: LiteralString = "select retoma.channel_disconnected(%s, %s, %s)"

_Item = dict[str, str | bool | None]


@dataclass(slots=True)
class _Part:
    """The facts of one kind of one call, and what became of them.

    Args:
        items: as the function of the database takes them.
        reasons: why some are refused.
        error: why some are not recorded, which a repeat may heal.
    """

    items: list[_Item]
    reasons: list[str] = field(default_factory=list)
    error: Exception | None = None


_Entry = tuple[_Part, _Item]
_Lane = Together[_Part, _Part]


class Recorder:
    """Records the facts of calls; each call is done when its facts are committed or refused."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._receipts = _lane(self._halving(self._record_receipts))
        self._failures = _lane(self._halving(self._record_receipts))
        self._replies = _lane(self._halving(self._record_replies, locks_tried=_LOCKS_TRIED))
        self._changes = _lane(self._record_changes)

    async def record(self, channel: str, facts: Sequence[Fact]) -> list[str]:
        """Record all facts of a call.

        Returns:
            Why facts were refused. A repeat heals none of them.

        Raises:
            WebhookRefused: 503, something has no room; call again.
            psycopg.Error: something is not recorded, for a reason that a repeat may heal.
        """
        reasons = [fact.reason for fact in facts if isinstance(fact, Refused)]
        storable = []
        for fact in facts:
            if isinstance(fact, Receipt) and not _is_storable(fact.message_id, fact.provider_id, fact.code):
                reasons.append("A receipt is refused: one of its texts has characters that no text has.")
            elif isinstance(fact, ConnectionChange) and not _is_storable(fact.reason):
                reasons.append("A connection is refused: its reason has characters that no text has.")
            else:
                storable.append(fact)
        receipts = [fact for fact in storable if isinstance(fact, Receipt)]
        for lane, items in (
            (self._receipts, [_receipt_json(fact) for fact in receipts if fact.status != "failed"]),
            (self._failures, [_receipt_json(fact) for fact in receipts if fact.status == "failed"]),
            (self._replies, [_reply_json(fact) for fact in storable if isinstance(fact, Inbound)]),
            (self._changes, [_change_json(fact) for fact in storable if isinstance(fact, ConnectionChange)]),
        ):
            if items:
                reasons += await _take(lane, channel, items)
        return reasons

    def _halving(
        self, record: Callable[[str, Sequence[_Entry]], Awaitable[None]], *, locks_tried: int = 0
    ) -> Callable[[str, Sequence[_Part]], Awaitable[Sequence[_Part]]]:
        """Where the database refuses a group for one of its items, halves find it in few calls.

        Args:
            record: records a group, or raises what the database said.
            locks_tried: how often a group may wait for a lock, each time for a second, before it is given up.
        """

        async def work(channel: str, parts: Sequence[_Part]) -> Sequence[_Part]:
            locks_met = 0

            async def in_halves(entries: Sequence[_Entry]) -> None:
                nonlocal locks_met
                try:
                    await record(channel, entries)
                except psycopg.Error as error:
                    locks_met += error.sqlstate == _LOCKED
                    if len(entries) == 1:
                        _refuse(entries[0][0], error)
                    elif _may_be_one_item(error) and locks_met <= locks_tried:
                        # Each half is a transaction of its own, because one that calls twice could lock rows
                        # in an order that another does not have.
                        middle = len(entries) // 2
                        await in_halves(entries[:middle])
                        await in_halves(entries[middle:])
                    else:
                        for part, _ in entries:
                            part.error = error

            await in_halves([(part, item) for part in parts for item in part.items])
            return parts

        return work

    async def _record_receipts(self, channel: str, entries: Sequence[_Entry]) -> None:
        row = await self._database.run(_RECEIPTS, (channel, _document(entries)))
        for refused in [] if row is None else row[0]:
            part = entries[refused["item"] - 1][0]
            if refused["key"] == _CALL_AGAIN:
                # A repeat heals this one, and does no harm to the others of its call.
                part.error = WebhookRefused("Not recorded; call again.", 503)
            else:
                part.reasons.append(f"A receipt is refused: {refused['reason']}.")

    async def _record_replies(self, channel: str, entries: Sequence[_Entry]) -> None:
        row = await self._database.run(_REPLIES, (channel, _document(entries)))
        for waiting in (row and row[0]) or []:
            log.warning("reply_waits_for_a_person", channel=channel, **waiting)

    async def _record_changes(self, channel: str, parts: Sequence[_Part]) -> Sequence[_Part]:
        for number, part in enumerate(parts):
            try:
                for change in part.items:
                    if change["connected"]:
                        await self._database.run(_CONNECTED, (channel, change["at"]))
                    else:
                        await self._database.run(_DISCONNECTED, (channel, change["reason"], change["at"]))
            except psycopg.Error as error:
                _refuse(part, error)
                if part.error is not None:
                    # A later report must not overtake this one.
                    for later in parts[number:]:
                        later.error = error
                    break
        return parts


def _lane(work: Callable[[str, Sequence[_Part]], Awaitable[Sequence[_Part]]]) -> _Lane:
    return Together(work, group_size=GROUP_SIZE, room=ROOM)


async def _take(lane: _Lane, channel: str, items: list[_Item]) -> list[str]:
    try:
        part = await lane.add(channel, _Part(items), len(items))
    except Overfull:
        raise WebhookRefused("Too many reports wait; call again.", 503) from None
    if part.error is not None:
        raise part.error
    return part.reasons


def refusal(error: psycopg.Error) -> str | None:
    """Why a value is refused; None when something else went wrong, which a repeat may heal."""
    if error.sqlstate != _BAD_VALUE and not isinstance(error, psycopg.DataError):
        return None
    return f"A value is refused: {error.diag.message_primary or error}."


def _refuse(part: _Part, error: psycopg.Error) -> None:
    reason = refusal(error)
    if reason is None:
        part.error = error
    else:
        part.reasons.append(reason)


def _may_be_one_item(error: psycopg.Error) -> bool:
    """Whether the other items may be recorded; false when the database is away, full, or says no to all."""
    return refusal(error) is not None or (error.sqlstate or "").startswith((*_CLASSES_OF_VALUES, _LOCKED))


def _document(entries: Sequence[_Entry]) -> str:
    return json.dumps([item for _, item in entries])


def _is_storable(*texts: str | None) -> bool:
    # PostgreSQL refuses a document with NUL or half a surrogate pair as a whole.
    text = "".join(text or "" for text in texts)
    return "\0" not in text and (text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text))


def _receipt_json(receipt: Receipt) -> _Item:
    return {
        "message_id": receipt.message_id,
        "provider_id": receipt.provider_id,
        "status": receipt.status,
        "code": receipt.code,
        "at": _time(receipt.at),
    }


def _reply_json(reply: Inbound) -> _Item:
    return {
        "phone": reply.phone,
        "address": reply.address,
        "text": reply.text,
        "button": reply.button,
        "opts_out": reply.opts_out,
        "provider_id": reply.provider_id,
        "at": _time(reply.at),
    }


def _change_json(change: ConnectionChange) -> _Item:
    return {"connected": change.connected, "reason": change.reason, "at": _time(change.at)}


def _time(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat()
