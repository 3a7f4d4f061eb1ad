"""Renders contents for all recipients before they are sent, to count those for whom it cannot be done."""

from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
import structlog
from psycopg.types.json import Jsonb

from retoma.content.apart import render_all
from retoma.content.process import NotTried, RenderProcess
from retoma.content.renderer import Renderer, compile_content
from retoma.content.results import RenderError
from retoma.content.written import Content, Written
from retoma.errors import RetomaError
from retoma.runner.calls import Database, Stopped
from retoma.runner.pauses import Pauses

log = structlog.get_logger()

RENDERERS = 16
"""Contents that it remembers compiled."""

_PAGE = "select * from retoma.recipients_to_render(%s)"
_RECORD = "select retoma.record_rendering(%s, %s, %s, %s, %s, %s)"


class Rendering:
    """Takes the next recipients of each content in turn; close it with aclose.

    Args:
        database: not the pool for sending.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._process = RenderProcess()
        self._renderers: dict[str, Renderer] = {}
        self._pauses = Pauses()

    async def pages(self) -> bool:
        """Render one page of each content that has some.

        Returns:
            Whether to go on at once. Where a campaign is being sent, that goes first: it has a page per tick.

        Raises:
            Stopped: the runner stops.
        """
        last, waits, idle = 0, False, True
        while rows := await self._database.call(_PAGE, (last,)):
            (row,) = rows
            last = row["campaign_id"]
            if self._pauses.is_due(row):
                idle = False
                waits |= await self._try(row) and not row["sends"]
        if idle:
            self._renderers.clear()
            await self._process.aclose()
        return waits

    async def aclose(self) -> None:
        """End the process that renders."""
        await self._process.aclose()

    async def _try(self, row: Mapping[str, Any]) -> bool:
        """Render a page and record what came of it; False when it has to be tried again later."""
        self._pauses.begin(row)
        try:
            await self._render(row)
        except Stopped:
            raise
        except (NotTried, RetomaError, psycopg.errors.LockNotAvailable) as error:
            log.warning("rendering_put_off", campaign_id=row["campaign_id"], error=type(error).__name__)
            return False
        except Exception:
            # The others have their turn.
            log.exception("rendering_failed", campaign_id=row["campaign_id"])
            return False
        self._pauses.end(row)
        return True

    async def _render(self, row: Mapping[str, Any]) -> None:
        ordinals = [ordinal for ordinal, _, _ in row["recipients"]]
        recipients = [(phone, variables) for _, phone, variables in row["recipients"]]
        results = await render_all(await self._renderer(row), recipients)
        faults = _faults(zip(ordinals, results, strict=True))
        through = row["through_ordinal"]
        if faults:
            log.info("cannot_be_made", campaign_id=row["campaign_id"], through=through, faults=faults)
        await self._database.call(
            _RECORD,
            (row["campaign_id"], row["variant"], row["list"], row["after_ordinal"], through, Jsonb(faults)),
            waits_for_locks=False,
        )

    async def _renderer(self, row: Mapping[str, Any]) -> Renderer:
        written = Written(row["content"], row["texts"])
        known = self._renderers.get(written.key)
        if known is None:
            known = await compile_content(written, self._process)
            if len(self._renderers) >= RENDERERS:
                self._renderers.clear()
            self._renderers[written.key] = known
        return known


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
