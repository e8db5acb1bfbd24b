"""Jobs gathered into chunks: full ones at once, others after a moment, groups apart, one chunk at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from batchtui.work.calls.gathering import Gathering, Waiting


class Kitchen:
    """Answers each job with itself doubled, once the door is open; remembers its chunks."""

    def __init__(self) -> None:
        self.chunks: list[list[int]] = []
        self.begun = asyncio.Event()
        self.door = asyncio.Event()
        self.ended: list[str] = []

    async def work(self, chunk: Sequence[Waiting[int, int]]) -> None:
        self.chunks.append([one.job for one in chunk])
        self.begun.set()
        try:
            await self.door.wait()
        except asyncio.CancelledError:
            self.ended.append("cancelled")
            raise
        for one in chunk:
            if one.job == 13:
                one.fail(ValueError("thirteen"))
            elif one.job != 99:
                one.answer(one.job * 2)


async def test_full_chunks_begin_in_order_and_one_at_a_time() -> None:
    kitchen = Kitchen()
    gathering = Gathering(kitchen.work, most=3)
    tasks = [asyncio.create_task(gathering.do("a", n)) for n in range(7)]
    await kitchen.begun.wait()
    assert kitchen.chunks == [[0, 1, 2]]
    kitchen.door.set()
    assert await asyncio.gather(*tasks) == [0, 2, 4, 6, 8, 10, 12]
    assert kitchen.chunks == [[0, 1, 2], [3, 4, 5], [6]]


async def test_groups_never_share_a_chunk() -> None:
    kitchen = Kitchen()
    kitchen.door.set()
    gathering = Gathering(kitchen.work, most=10, patience=0.0)
    await asyncio.gather(*(gathering.do("ab"[n % 2], n) for n in range(6)))
    assert kitchen.chunks == [[0, 2, 4], [1, 3, 5]]


async def test_a_job_fails_alone_and_none_is_forgotten() -> None:
    kitchen = Kitchen()
    kitchen.door.set()
    gathering = Gathering(kitchen.work, most=3, patience=0.0)
    found = await asyncio.gather(*(gathering.do("a", n) for n in (1, 13, 99)), return_exceptions=True)
    assert found[0] == 2
    assert [str(fault) for fault in found[1:]] == [
        "thirteen",
        "the chunk ended without an answer for this job",
    ]


async def test_a_chunk_ends_with_its_last_job_and_the_next_begins() -> None:
    kitchen = Kitchen()
    gathering = Gathering(kitchen.work, most=2, patience=0.0)
    first = [asyncio.create_task(gathering.do("a", n)) for n in (1, 2)]
    later = asyncio.create_task(gathering.do("a", 3))
    await kitchen.begun.wait()
    first[0].cancel()
    await asyncio.wait(first[:1])
    assert kitchen.ended == []
    first[1].cancel()
    with pytest.raises(asyncio.CancelledError):
        await first[1]
    assert kitchen.ended == ["cancelled"]
    kitchen.door.set()
    assert await later == 6


async def test_a_job_given_up_while_it_waits_is_not_worked_on() -> None:
    kitchen = Kitchen()
    gathering = Gathering(kitchen.work, most=2, patience=0.0)
    tasks = [asyncio.create_task(gathering.do("a", n)) for n in range(4)]
    await kitchen.begun.wait()
    tasks[2].cancel()
    await asyncio.wait(tasks[2:3])
    kitchen.door.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert kitchen.chunks == [[0, 1], [3]]
