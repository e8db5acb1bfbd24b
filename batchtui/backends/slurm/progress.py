"""How far submissions are: their result files, beside what Slurm says of their elements."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import msgspec

from batchtui.backends.base import DOING, Progress, Submission, Transient
from batchtui.backends.slurm.folder import RunFolder, Seen
from batchtui.backends.slurm.results import STATES
from batchtui.backends.slurm.states import ENDED, LIVE, MAY_BE_OVER, Queue, indices, listed
from batchtui.model import Json, SubmissionState


class Watcher:
    """Remembers what was read of every run folder, and since when nothing of it has lived."""

    def __init__(self, place: Path, lag: float) -> None:
        """`place`: where run folders are; `lag`: seconds that results may take to show on the shared file system."""
        self._place, self._lag = place, lag
        self._seen: dict[Path, Seen] = {}
        self._quiet: dict[Path, float] = {}
        self._taken: dict[Path, dict[str, int]] = {}

    def taken(self, folder: RunFolder) -> dict[str, int]:
        """Up to where the answers in its files were handed on."""
        return self._taken.setdefault(folder.path, {})

    async def progress(self, one: Submission, folder: RunFolder, queue: Queue) -> Progress | None:
        """None: nothing of it lives, and what is written is all that will come. Raises Transient."""
        seen = self._seen.setdefault(folder.path, Seen())
        try:
            await asyncio.to_thread(folder.look, seen)
            tasks = (await asyncio.to_thread(folder.plan)).tasks
        except (OSError, msgspec.MsgspecError):
            if self._place.is_dir() and not folder.path.exists():
                return Progress(SubmissionState.ENDED, ended_as="forgotten")
            raise Transient(f"the run folder {folder.path} cannot be read", kind="folder") from None
        told = self._told(one, seen, queue, tasks)
        if len(seen.tasks) >= tasks:
            return self._ended(folder, told, "completed")
        if queue.live:
            self._quiet.pop(folder.path, None)
            if "all" in await asyncio.to_thread(folder.cancelled):
                told.state = SubmissionState.CANCELLING
            elif not queue.running and not seen.tasks:
                told.state = SubmissionState.SUBMITTED
            told.facts[DOING] = queue.words()
            return told
        if time.monotonic() - self._quiet.setdefault(folder.path, time.monotonic()) < self._lag:
            told.facts[DOING] = "over; waiting for the last results to show"
            return told
        return None

    async def over(self, one: Submission, folder: RunFolder, queue: Queue) -> Progress:
        """It has ended with results missing; `queue` is what the accounting has of it."""
        told = self._told(one, self._seen.setdefault(folder.path, Seen()), queue)
        marks = await asyncio.to_thread(folder.cancelled)
        return self._ended(folder, told, "cancelled" if "all" in marks else "completed")

    def _told(self, one: Submission, seen: Seen, queue: Queue, tasks: int | None = None) -> Progress:
        failed = len(seen.tasks) - seen.completed
        told = Progress(SubmissionState.PROCESSING, seen.completed, failed, total=tasks)
        told.facts = _states(one, queue)
        return told

    def _ended(self, folder: RunFolder, told: Progress, how: str) -> Progress:
        self._quiet.pop(folder.path, None)
        self._seen.pop(folder.path, None)
        self._taken.pop(folder.path, None)
        told.state, told.ended_as = SubmissionState.ENDED, how
        told.facts[DOING] = ""
        return told


def _states(one: Submission, queue: Queue) -> dict[str, Json]:
    """States of elements that neither live nor completed, beside those that are known already."""
    before = one.facts.get(STATES) or {}
    known = {element: state for state, text in before.items() for element in indices(str(text))}
    for element, state in queue.states.items():
        if state in ENDED | MAY_BE_OVER and state != "COMPLETED":
            known[element] = state
        elif state in LIVE or state == "COMPLETED":
            known.pop(element, None)
    by_state: dict[str, list[int]] = {}
    for element, state in known.items():
        by_state.setdefault(state, []).append(element)
    told = {state: listed(found) for state, found in sorted(by_state.items())}
    return {STATES: told} if told or before else {}
