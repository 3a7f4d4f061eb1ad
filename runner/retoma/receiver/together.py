"""Group commit: what comes while a group is worked on forms the next group."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Overfull(Exception):
    """More waits than there is room for."""


class _Waiting(NamedTuple, Generic[Item, Answer]):
    item: Item
    size: int
    answer: "asyncio.Future[Answer]"


class Together(Generic[Item, Answer]):
    """Items with the same key are worked on in groups, one after the other, in the order in which they came.

    Nothing is delayed to make a group larger: an item waits for the group that is worked on when it comes,
    and for those before it that did not fit into the next one. Keys do not wait for each other.
    """

    def __init__(
        self,
        work: Callable[[str, Sequence[Item]], Awaitable[Sequence[Answer]]],
        *,
        group_size: int,
        room: int,
    ) -> None:
        """Begin with no items.

        Args:
            work: gets a key and a group; returns an answer for each of its items. All get what it raises.
            group_size: the sum of the sizes of a group. An item that alone is larger is a group of its own.
            room: the sum of the sizes of all items that wait or are worked on. One that alone is larger is
                taken when nothing else is there.
        """
        self._work = work
        self._group_size = group_size
        self._room = room
        self._taken = 0
        self._lines: dict[str, deque[_Waiting[Item, Answer]]] = {}
        self._at_work: set[asyncio.Task[None]] = set()

    async def add(self, key: str, item: Item, size: int = 1) -> Answer:
        """The answer to this item, when its group is done.

        Raises:
            Overfull: there is no room; nothing was done.
            Exception: what the work raised.
        """
        if self._taken and self._taken + size > self._room:
            raise Overfull
        self._taken += size
        waiting = _Waiting(item, size, asyncio.get_running_loop().create_future())
        if (line := self._lines.get(key)) is not None:
            line.append(waiting)
        else:
            self._lines[key] = deque([waiting])
            task = asyncio.create_task(self._serve(key))
            self._at_work.add(task)  # the loop itself would forget it
            task.add_done_callback(self._at_work.discard)
        answer: Answer = await waiting.answer
        return answer

    async def _serve(self, key: str) -> None:
        line = self._lines[key]
        while line:
            group = self._next_group(line)
            try:
                await self._answer(key, group)
            finally:
                self._taken -= sum(waiting.size for waiting in group)
        del self._lines[key]

    def _next_group(self, line: deque[_Waiting[Item, Answer]]) -> list[_Waiting[Item, Answer]]:
        group = [line.popleft()]
        size = group[0].size
        while line and size + line[0].size <= self._group_size:
            size += line[0].size
            group.append(line.popleft())
        return group

    async def _answer(self, key: str, group: list[_Waiting[Item, Answer]]) -> None:
        try:
            answers = await self._work(key, [waiting.item for waiting in group])
            for waiting, answer in zip(group, answers, strict=True):
                if not waiting.answer.done():
                    waiting.answer.set_result(answer)
        except Exception as error:
            for waiting in group:
                if not waiting.answer.done():
                    waiting.answer.set_exception(error)
