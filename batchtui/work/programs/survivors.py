"""Find what programs of a run folder left running, after a crash or outside their process group, and end it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterable, Iterator, Sequence

from batchtui.model import Json
from batchtui.work.programs.proc import carriers, has_open, identity, stat_of
from batchtui.work.programs.process import GRACE, end_group
from batchtui.work.programs.slots import SLOT_VARIABLE, Slot, Slots, watched

_LONGEST_PAUSE = 0.5


def trace_of(pid: int, slot: Slot) -> dict[str, Json]:
    """What the journal keeps of a program: enough to know it again."""
    return {"pid": pid, "start": identity(pid), "slot": slot.number}


async def end_survivors(slots: Slots, traces: Sequence[dict[str, Json]], grace: float = GRACE) -> None:
    """Returns when every slot is free and nothing lives in the process groups that the traces name.

    What cannot be found or may not be ended is awaited. Programs that this process watches are left alone.
    """
    pause = 0.005
    while True:
        held = slots.held()
        groups = await asyncio.to_thread(_groups, slots, held, traces) if held or traces else set()
        if not held and not groups:
            return
        await _end(groups, grace)
        await asyncio.sleep(pause)
        pause = min(_LONGEST_PAUSE, pause * 2)


async def end_escaped(slot: Slot, grace: float = GRACE) -> None:
    """End what left the program's process group but still holds its slot, as far as it can be found."""
    if slot.held():
        await _end(await asyncio.to_thread(_holders, slot), grace)


async def _end(groups: Iterable[int], grace: float) -> None:
    await asyncio.gather(*(end_group(group, grace) for group in groups))


def _groups(slots: Slots, held: dict[int, str], traces: Sequence[dict[str, Json]]) -> set[int]:
    """The process groups that have to go."""
    groups, named = set(), set()
    for trace in traces:
        pid, start = trace.get("pid"), trace.get("start")
        if not isinstance(pid, int) or pid <= 1:
            continue
        named.add(pid)
        now = identity(pid)
        lives = now is not None and now == start
        # without a leader: a pid is not given out again while its group has members
        leaderless = now is None and sys.platform != "linux" and trace.get("slot") in held
        if lives or leaderless:
            groups.add(pid)
    for pid, group, path in _marked(f"{slots.folder}/slot-"):
        if not watched(path) and (group in named or has_open(pid, path)):
            groups.add(group)
    return groups - {os.getpgrp()}


def _holders(slot: Slot) -> set[int]:
    return {group for pid, group, path in _marked(slot.path) if has_open(pid, path)} - {os.getpgrp()}


def _marked(prefix: str) -> Iterator[tuple[int, int, str]]:
    """Pid, process group and slot path of the living processes that were started in such a slot (Linux)."""
    for pid, path in carriers(SLOT_VARIABLE, prefix):
        stat = stat_of(pid)
        if stat and not stat.ended:
            yield pid, stat.group, path
