"""Renders contents for all recipients before they are sent, to count those for whom it cannot be done."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import psycopg
import structlog
from psycopg.types.json import Jsonb

from retoma.content.apart import Recipient, render_first
from retoma.content.process import NotTried, RenderProcess
from retoma.content.renderer import Renderer, compile_checked
from retoma.content.results import RenderError
from retoma.content.written import Content, Written
from retoma.runner.calls import Database, Stopped
from retoma.runner.pauses import Pauses
from retoma.transports.base import now

log = structlog.get_logger()

ROUND_S = 1.0
"""After this time a round begins no other page, and cuts the one that it is at."""

PART_S = 0.5
"""What a page has at least after its first message, which may have waited for a process to start."""

_PAGE = "select * from retoma.recipients_to_render(%s)"
_RECORD = "select retoma.record_rendering(%s, %s, %s, %s, %s, %s) as recorded"


async def render_contents(database: Database, told: asyncio.Event, is_sending: Callable[[], bool]) -> None:
    """Render a round whenever there is something, until this is cancelled or the runner stops.

    Args:
        database: not the pool for sending.
        told: set when there may be contents to render.
        is_sending: whether this process sends messages now.
    """
    rendering = Rendering(database, is_sending)
    try:
        while True:
            await told.wait()
            told.clear()
            try:
                if await rendering.round():
                    told.set()
            except Stopped:
                return
            except Exception:
                log.exception("rendering_failed")
    finally:
        await rendering.aclose()


class Rendering:
    """Takes the next recipients of each content in turn; close it with aclose.

    Args:
        database: not the pool for sending.
        is_sending: whether this process sends messages now.
    """

    def __init__(self, database: Database, is_sending: Callable[[], bool]) -> None:
        self._database = database
        self._is_sending = is_sending
        self._process = RenderProcess()
        self._pauses = Pauses()
        # Where the next round goes on: with the campaigns behind this one.
        self._last = 0
        # Whether something was to be done since it began with the first campaign.
        self._tried = False

    async def round(self) -> bool:
        """Render one page of each content in turn, for ROUND_S.

        Returns:
            Whether to go on at once. Where messages are being sent, they go first: there, and for a campaign
            that was started, a round is one page, and the next tick tells of the next one.

        Raises:
            Stopped: the runner stops.
        """
        ends_at = now() + ROUND_S
        while now() < ends_at:
            rows = await self._database.call(_PAGE, (self._last,))
            if rows:
                (row,) = rows
                self._last = row["campaign_id"]
                if self._pauses.is_due(row):
                    self._tried = True
                    await self._try(row, ends_at)
                    if row["sends"] or self._is_sending():
                        return False
            elif self._tried:
                self._last, self._tried = 0, False
            else:
                self._last = 0
                await self._process.aclose()
                return False
        return True

    async def aclose(self) -> None:
        """End the process that renders."""
        await self._process.aclose()

    async def _try(self, row: Mapping[str, Any], ends_at: float) -> None:
        """Render a page and record what came of it. What cannot be done now has a pause."""
        self._pauses.begin(row)
        try:
            recorded = await self._render(row, ends_at)
        except Stopped:
            raise
        except (NotTried, psycopg.errors.LockNotAvailable) as error:
            log.warning("rendering_put_off", campaign_id=row["campaign_id"], error=type(error).__name__)
        except Exception:
            # The others have their turn.
            log.exception("rendering_failed", campaign_id=row["campaign_id"])
        else:
            # Otherwise another runner is at it, and faster: two would do the same work.
            if recorded:
                self._pauses.end(row)

    async def _render(self, row: Mapping[str, Any], ends_at: float) -> bool:
        ordinals = [ordinal for ordinal, _, _ in row["recipients"]]
        recipients = [(phone, variables) for _, phone, variables in row["recipients"]]
        make = compile_checked(Written(row["content"], row["texts"]), self._process)
        results = await self._made(make, recipients, ends_at) if recipients else []
        faults = _faults(zip(ordinals, results, strict=False))
        # Behind the last of this variant there may be recipients of others.
        all_tried = len(results) == len(recipients)
        through = row["through_ordinal"] if all_tried else ordinals[len(results) - 1]
        if faults:
            log.info("cannot_be_made", campaign_id=row["campaign_id"], through=through, faults=faults)
        answer = await self._database.call(
            _RECORD,
            (row["campaign_id"], row["variant"], row["list"], row["after_ordinal"], through, Jsonb(faults)),
            waits_for_locks=False,
        )
        return bool(answer[0]["recorded"])

    async def _made(
        self, make: Renderer, recipients: Sequence[Recipient], ends_at: float
    ) -> list[Content | RenderError]:
        """The results of the first recipients until the time is over, of at least one.

        The first goes alone, then twice as many each time: a text that uses up its budget is blamed at once.
        """
        results = await render_first(make, recipients[:1], None)
        if not results:
            raise NotTried
        ends_at = max(ends_at, now() + PART_S)
        while len(results) < len(recipients) and (left_s := ends_at - now()) > 0:
            some = recipients[len(results) : 2 * len(results)]
            made = await render_first(make, some, left_s)
            results += made
            if len(made) < len(some):
                # It is still at work on the rest, which nobody waits for.
                await self._process.aclose()
                break
        return results


def _faults(results: Iterable[tuple[int, Content | RenderError]]) -> list[dict[str, object]]:
    """What went wrong, counted per reason, as record_rendering takes it."""
    counts: dict[tuple[str, str], int] = {}
    firsts: dict[tuple[str, str], int] = {}
    for ordinal, result in results:
        if isinstance(result, RenderError):
            reason = result.outcome, result.words
            counts[reason] = counts.get(reason, 0) + 1
            firsts.setdefault(reason, ordinal)
    return [
        {"code": code, "reason": words, "messages": count, "first_ordinal": firsts[code, words]}
        for (code, words), count in counts.items()
    ]
