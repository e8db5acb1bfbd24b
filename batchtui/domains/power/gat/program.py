"""One call of `gat batch` on a chunk of scenarios: in a fresh folder, watched, and ended where it hangs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from batchtui.domains.power.gat.answers import GatAnswer, read_answers
from batchtui.domains.power.gat.settings import COMMANDS, GatSettings, expanded
from batchtui.model import Json
from batchtui.work.programs.output import take_output
from batchtui.work.programs.process import Process, uninterrupted
from batchtui.work.programs.slots import Slot, Slots
from batchtui.work.programs.survivors import end_escaped, trace_of

RESULT: Final = "result.parquet"
PANIC: Final = 101
"""The exit code of a Rust program that panicked."""
_TIME_SLICE = "2025-01-01T00:00:00Z"
_NO_LIMIT = 3600.0


@dataclass(slots=True)
class Ran:
    """How a call ended. `answers` is None where gat left no manifest of it.

    `code` is minus the signal's number where one ended it; `stalled`: nothing came within the time limit.
    """

    code: int
    answers: dict[str, GatAnswer] | None
    last_words: str
    stalled: bool = False


class GatCall:
    """A chunk's folder: what gat is told, and where it writes. Scenarios carry names of ours, never the jobs' ids."""

    def __init__(self, parent: Path, settings: GatSettings, task: str, threads: int) -> None:
        """Raises OSError where the folder cannot be made."""
        self._settings, self._threads = settings, threads
        self._command, mode = COMMANDS[task]
        self._mode = mode
        self.task = f"{self._command}-{mode}"
        self.folder = Path(tempfile.mkdtemp(prefix="gat-", dir=parent))
        self.out = self.folder / "out"

    def name(self, place: int) -> str:
        return f"s{place}"

    def result(self, place: int) -> Path:
        """Where gat leaves the scenario's table: it puts a colon into the folder's name."""
        return self.out / f"{self.task}:{self.name(place)}" / RESULT

    def argv(self) -> list[str]:
        settings = self._settings
        options: dict[str, str | int | float | None] = {
            "--mode": self._mode,
            "--solver": settings.solver,
            "--threads": settings.threads,
            "--max-jobs": self._threads,
            "--tol": settings.tol,
            "--max-iter": settings.max_iter,
        }
        if self._command == "opf":
            files = settings.files()
            options |= {
                "--lp-solver": settings.lp_solver,
                "--cost": files.get("cost_file"),
                "--limits": files.get("limits_file"),
                "--branch-limits": files.get("branch_limits_file"),
                "--piecewise": files.get("piecewise_file"),
            }
        given = [text for key, value in options.items() if value is not None for text in (key, str(value))]
        program = [expanded(settings.binary or ""), "batch", self._command]
        return [*program, "--manifest", str(self._manifest), "-o", str(self.out), *given]

    @property
    def _manifest(self) -> Path:
        return self.folder / "scenarios.json"

    async def run(
        self,
        grids: Sequence[str],
        slots: Slots,
        limit: float | None,
        note: Callable[[dict[str, Json]], None],
    ) -> Ran:
        """Run gat over these Arrow folders, in their order. `limit`: seconds that may pass without a further result.

        Raises OSError where it cannot be started, ValueError for a manifest of gat's that cannot be read. Cancelled,
        it ends the program first.
        """
        artifacts = [_artifact(self.name(place), grid) for place, grid in enumerate(grids)]
        self._manifest.write_text(json.dumps(artifacts), "utf-8")
        since = self._manifest.stat().st_mtime_ns
        slot = slots.take()
        try:
            process = Process(self.argv(), {}, str(self.folder), None, slot)
            try:
                note(trace_of(process.pid, slot))
                stalled = not await self._ended(process, slot, limit)
                if stalled or process.left_some():
                    await process.end()
                code = await process.exited()
            except BaseException:
                await uninterrupted(_end(process, slot))
                raise
            stdout, stderr = take_output(slot.file("stdout")), take_output(slot.file("stderr"))
        finally:
            slot.release()
        answers = None if stalled else read_answers(self.out, task=self.task, since_ns=since)
        return Ran(code, answers, stderr.last_line or stdout.last_line, stalled)

    async def _ended(self, process: Process, slot: Slot, limit: float | None) -> bool:
        """Whether it ended before it stalled.

        A chunk has as many limits as scenarios, but one that hangs must not cost them all: a scenario that is
        within its own limit shows up within one.
        """
        ended = asyncio.ensure_future(process.exited())
        begun = time.time()
        try:
            while True:
                left = _NO_LIMIT if limit is None else limit - (time.time() - self._last_sign(slot, begun))
                if left <= 0:
                    return False
                done, _ = await asyncio.wait([ended], timeout=left)
                if done:
                    return True
        finally:
            ended.cancel()

    def _last_sign(self, slot: Slot, begun: float) -> float:
        """Unix seconds at which gat last wrote a line or a result."""
        signs = [begun, _written(slot.file("stdout"))]
        with contextlib.suppress(OSError):
            signs += (entry.stat().st_mtime for entry in os.scandir(self.out))
        return min(max(signs), time.time())

    def came(self, place: int) -> bool:
        """Whether a result of the scenario lies there, though gat has not said that it is whole."""
        return self.result(place).is_file()

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


async def version_of(binary: str, slots: Slots, limit: float = 10.0) -> str:
    """What `--version` prints. Raises OSError where it cannot be started, TimeoutError where it says nothing."""
    slot = slots.take()
    try:
        process = Process([expanded(binary), "--version"], {}, None, None, slot)
        try:
            async with asyncio.timeout(limit):
                await process.exited()
        except BaseException:
            await uninterrupted(_end(process, slot))
            raise
        return take_output(slot.file("stdout")).text.strip()
    finally:
        slot.release()


def _artifact(name: str, grid: str) -> dict[str, Json]:
    """A scenario as gat takes it. The scales are part of the grid by then; gat requires and ignores them."""
    return {
        "scenario_id": name,
        "description": None,
        "grid_file": os.path.abspath(grid),
        "time_slices": [_TIME_SLICE],
        "load_scale": 1.0,
        "renewable_scale": 1.0,
        "weight": 1.0,
        "tags": [],
        "metadata": {},
    }


async def _end(process: Process, slot: Slot) -> None:
    await process.end()
    await end_escaped(slot)


def _written(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0
