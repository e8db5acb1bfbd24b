"""`jobs.jsonl` and the manifest of a batch of scenarios while it runs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from batchtui.model import JobState, Outcome
from batchtui.results.scenarios.files import JOURNAL, MANIFEST
from batchtui.results.scenarios.manifest import SEPARATOR, Tally, head, line, tail
from batchtui.results.scenarios.rows import Entry, Finished, entry, finished, milliseconds_of, value_of
from batchtui.results.scenarios.tables import put
from batchtui.store.disk import clock
from batchtui.store.folder import BatchFolder
from batchtui.work.scenarios.tasks import Tasks

SECONDS = 0.5
"""Between two manifests, at least."""
SHARE = 20
"""Writing the manifest may take one part in this many of the time."""
MOST = 20_000
"""In a larger batch the manifest is written at the end only."""
_JOURNALED = (
    "scenario_id",
    "status",
    "error_kind",
    "error",
    "attempts",
    "duration_ms",
    "input_hash",
    "reused",
)


class ScenarioProgress:
    """Belongs to the worker's loop. What cannot be written is told once; the scenarios go on."""

    def __init__(self, folder: BatchFolder, place: Path, failed: Callable[[OSError], None]) -> None:
        self.place = place
        self._folder, self._failed = folder, failed
        self._entries: dict[int, bytes] = {}
        self._tally = Tally()
        self._tasks: set[str] = set()
        self._journal = -1
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None
        self._rest_until = 0.0
        self._broken = False
        self._begin()

    def _begin(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        try:
            self._journal = os.open(self.place / JOURNAL, flags, 0o666)
            opening = {"schema": 1, "file": "scenarios", "batch": self._folder.id, "time": clock.now()}
            os.write(self._journal, json.dumps(opening).encode() + b"\n")
        except OSError as fault:
            self._give_up(fault)

    def restore(self, numbers: Iterable[int], tasks: Tasks) -> None:
        """Take in what ended before this run. Reads their results."""
        if self._folder.progress.total > MOST:
            return
        for n in numbers:
            task = tasks.of(n)
            self._keep(n, task, entry(finished(self._folder.result(n), task)))

    def took(self, n: int, task: str, tries: int, outcome: Outcome) -> None:
        """Scenario `n` has its last word."""
        if self._broken:
            return
        ok = outcome.state is JobState.COMPLETED
        found = entry(
            Finished(
                self._folder.jobs.ids[n], task, outcome.state, tries,
                error_kind=outcome.error_kind, error=outcome.error,
                value=value_of(outcome.output, outcome.parsed_response) if ok else None,
                milliseconds=milliseconds_of(outcome.output),
            )
        )  # fmt: skip
        told = {key: found[key] for key in _JOURNALED if found.get(key) is not None}
        try:
            os.write(self._journal, json.dumps({**told, "time": clock.now()}).encode() + b"\n")
        except OSError as fault:
            self._give_up(fault)
            return
        if self._folder.progress.total <= MOST:
            self._keep(n, task, found)
            self._plan()

    def _keep(self, n: int, task: str, found: Entry) -> None:
        self._entries[n] = line(found)
        self._tasks.add(task)
        self._tally.add(found)

    def _plan(self) -> None:
        if self._timer is None and (self._writing is None or self._writing.done()):
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, self._rest_until - time.monotonic()), self._write_soon)

    def _write_soon(self) -> None:
        self._timer = None
        self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        begin, count = time.monotonic(), self._tally.count
        try:
            await asyncio.to_thread(self._put)
        except OSError as fault:
            self._give_up(fault)
        now = time.monotonic()
        self._rest_until = now + max(SECONDS, (now - begin) * SHARE)
        if self._tally.count != count and not self._broken and self._journal >= 0:
            self._writing = None
            self._plan()

    def _put(self) -> None:
        put(self.place / MANIFEST, self._text(dict(self._entries)))

    def _text(self, by_number: dict[int, bytes]) -> bytes:
        """Jobs that were retried after they had ended stand with their last word, and with each of their times."""
        task = next(iter(self._tasks)) if len(self._tasks) == 1 else "mixed"
        entries = [by_number[n] for n in sorted(by_number)]
        ok = sum(b'"status": "ok"' in one for one in entries)
        first = head(task, self._folder.header.created, len(entries), ok)
        return first + SEPARATOR.join(entries) + tail(self._tally)

    async def close(self) -> None:
        """No more is written."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        journal, self._journal = self._journal, -1
        self._broken = True
        if self._writing:
            await self._writing
        if journal >= 0:
            with contextlib.suppress(OSError):
                os.close(journal)

    def _give_up(self, fault: OSError) -> None:
        if not self._broken:
            self._broken = True
            self._failed(fault)
