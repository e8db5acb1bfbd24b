"""Kind `gat`: scenarios through a `gat` program that the user installed, a chunk of them in a call.

What `gat batch` lacks is made up for here: progress, time limits, retries, resuming, and a failure that is one.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import msgspec

from batchtui.backends.base import BackendSettings, Direct, Job, KindLimits, Note, Probe, Setup
from batchtui.backends.environment import without_keys
from batchtui.backends.program_words import PATH_FIELDS
from batchtui.domains.power.checks import notices
from batchtui.domains.power.gat.card import CARD
from batchtui.domains.power.gat.chunks import Chunk, Order
from batchtui.domains.power.gat.program import version_of
from batchtui.domains.power.gat.settings import LICENCE_NOTE, LINEAR, GatSettings, GatWork, expanded
from batchtui.domains.power.readers.arrow_folder import is_arrow_folder
from batchtui.errors import ConfigError
from batchtui.model import JobState, Json, Outcome
from batchtui.text import cell
from batchtui.work.calls.gathering import Gathering, Waiting
from batchtui.work.calls.pool import Pool
from batchtui.work.programs.slots import Slots
from batchtui.work.programs.survivors import end_survivors

_CHUNK = "gat-"
"""How the folders of chunks begin; what a crash left of them is removed."""
TRIED_VERSION = "0.5"
"""The versions of gat whose quirks are known."""
_VERSION = re.compile(r"\bgat(?:-cli)?\s+v?(\d+\.\d+(?:\.\d+)?[\w.+-]*)", re.IGNORECASE)


class GatBackend(Direct[GatWork]):
    """`gat batch` over chunks of scenarios, one call at a time; gat spreads a chunk over the batch's concurrency."""

    card = CARD
    Settings: ClassVar[type[BackendSettings]] = GatSettings
    Work: ClassVar[type[msgspec.Struct]] = GatWork
    path_fields = PATH_FIELDS
    times_itself = True

    def __init__(self, setup: Setup[BackendSettings]) -> None:
        super().__init__(setup)
        assert isinstance(setup.settings, GatSettings)
        self._settings = setup.settings
        if fault := self._settings.fault():
            raise ConfigError(f"config: backends.{setup.name}.{fault[0]}: {fault[1]}")
        self._binary = expanded(self._settings.binary or "")
        self._threads = self.limits.concurrency
        self._environment = without_keys(setup.key_variables)
        self._gathering = Gathering(self._do_chunk, most=self._settings.chunk)
        self._pool = Pool(self._slots)
        self._run_dir: Path | None = None
        self._temporary: Path | None = None
        self._output: Path | None = None
        self._earlier: list[str] = []
        self._version: str | None = None
        self._told = False

    @property
    def limits(self) -> KindLimits:
        return KindLimits(concurrency=os.cpu_count() or 1, timeout=60.0, retries=2)

    def hands_over(self, concurrency: int) -> int:
        """A chunk in work and the next one; gat is told to use `concurrency` threads."""
        self._threads = concurrency
        return max(2 * self._settings.chunk, concurrency)

    def use_run_dir(self, path: Path) -> None:
        self._run_dir = path

    def use_output(self, folder: Path | None, earlier: Sequence[Path] = ()) -> None:
        self._output, self._earlier = folder, [str(place) for place in earlier]

    # ---- before anything runs

    def check(self, job: Job[GatWork]) -> list[tuple[str, str]]:
        if fault := self._binary_fault():
            return [("backend", fault)]
        if find_spec("pyarrow") is None:
            return [("backend", "gat's grids and tables need pyarrow: pip install 'batchtui[power]'")]
        task, files = job.work.task or "", self._settings.files()
        if not task.endswith("opf"):
            return []
        for key in () if task == "acopf" else ("cost_file", "limits_file"):
            if key not in files:
                return [("task", f"{task} needs {key} in [backends.{self.name}] of the config")]
        missing = next(((key, file) for key, file in files.items() if not os.path.isfile(file)), None)
        return (
            [("task", f"backends.{self.name}.{missing[0]}: there is no file {missing[1]}")] if missing else []
        )

    def notices(self, job: Job[GatWork]) -> list[tuple[str, str]]:
        work, found = job.work, []
        if not self._told:
            self._told = True
            found.append(("backend", LICENCE_NOTE))
            if work.task != "dc":
                found.append(("task", f"gat batch has no true {work.task}: its results are {LINEAR}"))
        grid = work.grid or ""
        if not os.path.isdir(grid):
            found.append(("grid", f"will fail: there is no folder {grid}; gat takes Arrow grid folders only"))
        elif not is_arrow_folder(grid):
            found.append(("grid", f"will fail: {grid} is no Arrow grid folder: it has no manifest.json"))
        else:
            found += notices(work)
        return found

    def describe(self, job: Job[GatWork]) -> Json:
        shown: dict[str, Json] = msgspec.to_builtins(job.work)
        if job.work.task != "dc":
            shown["method"] = LINEAR
        return shown

    def _binary_fault(self) -> str | None:
        if not os.path.isfile(self._binary):
            return f"backends.{self.name}.binary: there is no program {self._binary}"
        if not os.access(self._binary, os.X_OK):
            return f"backends.{self.name}.binary: {self._binary} is not executable (chmod +x makes it so)"
        return None

    async def probe(self) -> Probe:
        if fault := self._binary_fault():
            return Probe(ok=False, message=fault)
        try:
            said = await version_of(self._binary, self._slots())
        except TimeoutError:
            return Probe(ok=False, message=f"{self._binary} --version does not answer")
        except OSError as refused:
            return Probe(ok=False, message=f"cannot start {self._binary}: {refused.strerror or refused}")
        found = _VERSION.search(said)
        if found is None:
            first = cell(said.partition("\n")[0], 60) or "nothing"
            return Probe(ok=False, message=f"{self._binary} --version says {first}: this is no gat")
        known = "" if found[1].startswith(TRIED_VERSION) else f" (written for {TRIED_VERSION}: look twice)"
        return Probe(
            ok=True, message=f"gat {found[1]}{known}, {self.limits.concurrency} threads. {LICENCE_NOTE}"
        )

    # ---- running

    async def run(self, job: Job[GatWork], note: Note) -> Outcome:
        return await self._gathering.do(job.work.task or "", Order(job, note))

    async def settle(self, traces: Sequence[dict[str, Json]]) -> None:
        await end_survivors(self._slots(), traces)
        if self._run_dir is not None:
            for left in self._run_dir.glob(f"{_CHUNK}*"):
                await asyncio.to_thread(shutil.rmtree, left, ignore_errors=True)

    async def close(self) -> None:
        await self._pool.close()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = None

    def _slots(self) -> Slots:
        return Slots(self._folder(), self._environment)

    def _folder(self) -> Path:
        if self._run_dir is not None:
            return self._run_dir
        if self._temporary is None:
            self._temporary = Path(tempfile.mkdtemp(prefix="batchtui-gat-"))
        return self._temporary

    async def _do_chunk(self, waiting: Sequence[Waiting[Order, Outcome]]) -> None:
        """Every job of the chunk is answered or failed."""
        parent = self._folder()
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=_CHUNK, dir=parent))
        try:
            slots = self._slots()
            chunk = Chunk(
                waiting, self._settings, self._threads, slots, self._pool, folder, self._output, self._earlier
            )
            await chunk.go(await self._known_version())
        except (OSError, ValueError) as fault:
            message = f"{self._binary}: {cell(str(fault), 200)}"
            for one in waiting:
                one.answer(Outcome(state=JobState.FAILED, error=message, error_kind="start"))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def _known_version(self) -> str:
        if self._version is None:
            try:
                self._version = cell(await version_of(self._binary, self._slots()), 80)
            except TimeoutError:
                raise OSError("--version does not answer") from None
        return self._version
