"""Facts of calls to the database: those that come together in one transaction, and each refused by itself.

Facts of one kind and one channel form groups. Receipts, replies, aliases of people and changes of the account
(its connection, its templates) have a lane each, so that none waits for the locks of another. Receipts that
can lock the channel, because they are failures, come after the others of their group, in another transaction.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import LiteralString

import psycopg
import structlog

from retoma.receiver.database import Database
from retoma.receiver.together import Overfull, Together
from retoma.transports.base import (
    AccountChanged,
    Alias,
    ConnectionChange,
    Fact,
    Inbound,
    Receipt,
    Refused,
    TemplateReport,
    WebhookRefused,
)

log = structlog.get_logger()

GROUP_SIZE = 1_000
"""Facts of one transaction. A call with more is a group of its own, and takes several."""

ROOM = 50_000
"""Facts of a lane that wait or are being recorded at once, of all channels. More have to come again."""

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
_ALIASES: LiteralString = "select retoma.record_aliases(%s, %s)"
_CONNECTED: LiteralString = "select retoma.channel_connected(%s, %s)"
_TEMPLATE_REPORT: LiteralString = "select retoma.record_template_reports(%s, %s)"
_REFRESH: LiteralString = "select retoma.refresh_channel(%s, 'account')"
_DISCONNECTED: LiteralString = "select retoma.channel_disconnected(%s, %s, %s)"

_CHANGES = (ConnectionChange, TemplateReport, AccountChanged)

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
        self._receipts = _lane(self._record_receipts)
        self._replies = _lane(self._record_replies)
        self._aliases = _lane(self._record_aliases)
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
            elif isinstance(fact, TemplateReport) and not _is_storable(*asdict(fact).values()):
                reasons.append("A report on a template is refused: it has characters that no text has.")
            elif isinstance(fact, Alias) and not _is_storable(fact.address, fact.previous):
                reasons.append("An alias is refused: an address has characters that no text has.")
            else:
                storable.append(fact)
        waiting = [
            _take(lane, channel, items)
            for lane, items in (
                (self._receipts, [_receipt_json(fact) for fact in storable if isinstance(fact, Receipt)]),
                (self._replies, [_reply_json(fact) for fact in storable if isinstance(fact, Inbound)]),
                (self._aliases, _alias_items(storable)),
                (self._changes, [_change_json(fact) for fact in storable if isinstance(fact, _CHANGES)]),
            )
            if items
        ]
        if len(waiting) == 1:
            return reasons + await waiting[0]
        # Each kind is recorded, whatever becomes of the others.
        results = await asyncio.gather(*waiting, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
            reasons += result
        return reasons

    async def _record_receipts(self, channel: str, parts: Sequence[_Part]) -> Sequence[_Part]:
        async def record(entries: Sequence[_Entry]) -> None:
            row = await self._database.run(_RECEIPTS, (channel, _document(entries)))
            for refused in [] if row is None else row[0]:
                part = entries[refused["item"] - 1][0]
                if refused["key"] == _CALL_AGAIN:
                    # A repeat heals this one, and does no harm to the others of its call.
                    part.error = WebhookRefused("Not recorded; call again.", 503)
                else:
                    part.reasons.append(f"A receipt is refused: {refused['reason']}.")

        entries, halves = _entries(parts), _Halves(record, locks_tried=0)
        for failed in (False, True):
            some = [entry for entry in entries if (entry[1]["status"] == "failed") == failed]
            for portion in _portions(some):
                await halves.run(portion)
        return parts

    async def _record_replies(self, channel: str, parts: Sequence[_Part]) -> Sequence[_Part]:
        async def record(entries: Sequence[_Entry]) -> None:
            row = await self._database.run(_REPLIES, (channel, _document(entries)))
            for waiting in (row and row[0]) or []:
                log.warning("reply_waits_for_a_person", channel=channel, **waiting)

        halves = _Halves(record, locks_tried=_LOCKS_TRIED)
        for portion in _portions(_entries(parts)):
            await halves.run(portion)
        return parts

    async def _record_aliases(self, channel: str, parts: Sequence[_Part]) -> Sequence[_Part]:
        async def record(entries: Sequence[_Entry]) -> None:
            row = await self._database.run(_ALIASES, (channel, _document(entries)))
            if row is not None and row[0]:
                log.info("numbers_of_opt_outs_learnt", channel=channel, opt_outs=row[0])

        halves = _Halves(record, locks_tried=_LOCKS_TRIED)
        for portion in _portions(_entries(parts)):
            await halves.run(portion)
        return parts

    async def _record_changes(self, channel: str, parts: Sequence[_Part]) -> Sequence[_Part]:
        for number, (part, change) in enumerate(entries := _entries(parts)):
            try:
                await self._record_change(channel, change)
            except psycopg.Error as error:
                _refuse(part, error)
                if part.error is not None:
                    # A later report must not overtake this one.
                    _fail(entries[number:], error)
                    break
        return parts

    async def _record_change(self, channel: str, change: _Item) -> None:
        if not change:
            await self._database.run(_REFRESH, (channel,))
        elif "connected" not in change:
            await self._database.run(_TEMPLATE_REPORT, (channel, json.dumps([change])))
        elif change["connected"]:
            await self._database.run(_CONNECTED, (channel, change["at"]))
        else:
            await self._database.run(_DISCONNECTED, (channel, change["reason"], change["at"]))


class _Halves:
    """Records a group. If the database refuses it for one of its items, halves find that one in few calls."""

    def __init__(self, record: Callable[[Sequence[_Entry]], Awaitable[None]], *, locks_tried: int) -> None:
        """Begin with no lock met.

        Args:
            record: records some entries in one transaction, or raises what the database said.
            locks_tried: how often it may wait in vain for a lock, a second each time, before it is given up.
        """
        self._record = record
        self._locks_left = locks_tried
        self._gave_up: psycopg.Error | None = None

    async def run(self, entries: Sequence[_Entry]) -> None:
        """Record the entries; their parts say what became of them."""
        if self._gave_up:
            _fail(entries, self._gave_up)
            return
        try:
            await self._record(entries)
        except psycopg.Error as error:
            self._locks_left -= error.sqlstate == _LOCKED
            if len(entries) == 1 and _may_be_one_item(error):
                _refuse(entries[0][0], error)
            elif _may_be_one_item(error) and self._locks_left >= 0:
                # Each half is a transaction of its own, because one that calls twice could lock rows in an
                # order that another does not have.
                middle = len(entries) // 2
                await self.run(entries[:middle])
                await self.run(entries[middle:])
            else:
                self._gave_up = error
                _fail(entries, error)


def _fail(entries: Sequence[_Entry], error: Exception) -> None:
    for part, _ in entries:
        part.error = error


def _entries(parts: Sequence[_Part]) -> list[_Entry]:
    return [(part, item) for part in parts for item in part.items]


def _portions(entries: Sequence[_Entry]) -> Iterator[Sequence[_Entry]]:
    for first in range(0, len(entries), GROUP_SIZE):
        yield entries[first : first + GROUP_SIZE]


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


def _alias_items(facts: Sequence[Fact]) -> list[_Item]:
    # A call can name one person several times, with one status each.
    aliases = dict.fromkeys(fact for fact in facts if isinstance(fact, Alias))
    return [{**asdict(alias), "at": _time(alias.at)} for alias in aliases]


def _change_json(change: ConnectionChange | TemplateReport | AccountChanged) -> _Item:
    if isinstance(change, TemplateReport):
        return asdict(change)
    if isinstance(change, AccountChanged):
        return {}
    return {"connected": change.connected, "reason": change.reason, "at": _time(change.at)}


def _time(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat()
