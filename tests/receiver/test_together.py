"""What comes while a group is worked on forms the next group; nobody's answer is lost or exchanged."""

import asyncio
from collections.abc import Sequence

import pytest

from retoma.receiver.together import Overfull, Together

GROUP_SIZE = 10
ROOM = 100


class Work:
    """Answers each item with its double, as soon as the test allows a group to be worked on."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self._allowed = asyncio.Semaphore(0)
        self.together = Together(self._do, group_size=GROUP_SIZE, room=ROOM)

    def allow(self, groups: int = 1_000) -> None:
        for _ in range(groups):
            self._allowed.release()

    async def _do(self, key: str, items: Sequence[int]) -> Sequence[int]:
        self.groups.append(list(items))
        await self._allowed.acquire()
        if "bad" in key:
            raise ValueError(key)
        return [2 * item for item in items]

    async def come(self, *items: int, key: str = "sales", size: int = 1) -> list["asyncio.Task[int]"]:
        """These items arrive, each in a task of its own; none has an answer yet."""
        tasks = [asyncio.create_task(self.together.add(key, item, size)) for item in items]
        for _ in range(3):  # each task adds its item, and a group begins
            await asyncio.sleep(0)
        return tasks


@pytest.fixture
async def work() -> Work:
    return Work()


async def test_what_comes_while_a_group_is_worked_on_forms_the_next_in_order(work: Work) -> None:
    tasks = await work.come(1)
    for item in range(2, 7):
        tasks += await work.come(item)
    assert work.groups == [[1]]

    work.allow()

    assert await asyncio.gather(*tasks) == [2, 4, 6, 8, 10, 12]
    assert work.groups == [[1], [2, 3, 4, 5, 6]]


async def test_items_that_come_at_once_are_one_group_and_wait_for_no_more(work: Work) -> None:
    work.allow()

    assert await asyncio.gather(*await work.come(1, 2, 3)) == [2, 4, 6]
    assert work.groups == [[1, 2, 3]]


async def test_a_group_has_its_size_at_most_and_a_larger_item_is_one_by_itself(work: Work) -> None:
    tasks = await work.come(0)
    tasks += await work.come(1, 2, 3, size=4)
    tasks += await work.come(4, size=GROUP_SIZE + 1)
    tasks += await work.come(5)
    work.allow()
    await asyncio.gather(*tasks)

    assert work.groups == [[0], [1, 2], [3], [4], [5]]


async def test_keys_do_not_wait_for_each_other(work: Work) -> None:
    await work.come(1, key="sales")
    await work.come(2, key="support")

    assert work.groups == [[1], [2]]
    work.allow()


async def test_what_has_no_room_is_refused_and_there_is_room_again_afterwards(work: Work) -> None:
    tasks = await work.come(1, size=ROOM + 1)  # alone, anything is taken
    with pytest.raises(Overfull):
        await work.together.add("support", 2)
    work.allow()
    await asyncio.gather(*tasks)

    assert await work.together.add("support", 2, ROOM) == 4


async def test_all_of_a_group_hear_of_its_failure_and_the_next_group_is_worked_on(work: Work) -> None:
    tasks = await work.come(1, key="bad")
    tasks += await work.come(2, 3, key="bad")
    work.allow()

    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(result) for result in results] == [ValueError] * 3
    assert work.groups == [[1], [2, 3]]
    assert await work.together.add("sales", 4, ROOM) == 8


async def test_who_does_not_wait_any_more_takes_nothing_from_the_others(work: Work) -> None:
    tasks = await work.come(1, 2)
    tasks[0].cancel()
    work.allow()

    assert await tasks[1] == 4
    assert work.groups == [[1, 2]]
