"""Kind `local`: a program, a Python call or a task for every job, on this machine."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from importlib.machinery import PathFinder
from pathlib import Path
from typing import ClassVar

import msgspec

from batchtui.backends.base import (
    BackendSettings,
    Direct,
    Job,
    KindLimits,
    Note,
    Probe,
    Setup,
    Transient,
)
from batchtui.backends.environment import filled_in, handed_over, unset_variables, without_keys
from batchtui.backends.local.card import CARD
from batchtui.backends.local.outcomes import (
    not_started,
    outcome_at_timeout,
    outcome_of_call,
    outcome_of_lost,
    outcome_of_program,
    reason,
    unusable,
)
from batchtui.backends.program_words import PATH_FIELDS, RUN_FIELDS, described, unusable_text
from batchtui.model import Json, Outcome
from batchtui.results.scenarios.files import folder_name
from batchtui.work.calls.pool import Lost, NotStarted, Order, Pool
from batchtui.work.calls.warm import package_folder
from batchtui.work.job import ProgramWork, form_of
from batchtui.work.programs.output import take_output
from batchtui.work.programs.process import Process, uninterrupted
from batchtui.work.programs.slots import Slot, Slots
from batchtui.work.programs.survivors import end_escaped, end_survivors, trace_of
from batchtui.work.tasks import missing_libraries, task_notices


class LocalSettings(BackendSettings, kw_only=True):
    """This machine needs no address and no key."""

    export: list[str] = []
    """Variables that programs, calls and tasks see although they hold keys."""


class LocalBackend(Direct[ProgramWork]):
    """Runs every job's program in a process group of its own; calls and tasks go to warm workers that live as long.

    What a program leaves running ends with it.
    """

    card = CARD
    Settings: ClassVar[type[BackendSettings]] = LocalSettings
    Work: ClassVar[type[msgspec.Struct]] = ProgramWork
    path_fields = PATH_FIELDS
    run_fields = RUN_FIELDS

    run_dir: Path | None = None
    """Where slot and output files go; a temporary folder where it is not set."""

    def __init__(self, setup: Setup[BackendSettings]) -> None:
        super().__init__(setup)
        self._open_slots: Slots | None = None
        self._temporary: str | None = None
        self._pool = Pool(self._slots)
        self._output: Path | None = None
        self._earlier: list[str] = []
        self._found: set[tuple[str, str | None, str | None]] = set()
        self._packages: set[tuple[str, ...]] = set()
        assert isinstance(setup.settings, LocalSettings)
        self._environment = without_keys(setup.key_variables, setup.settings.export)
        self._places: dict[tuple[str, str | None], str | None] = {}

    @property
    def limits(self) -> KindLimits:
        return KindLimits(concurrency=os.cpu_count() or 1, timeout=None, retries=0)

    def limits_of(self, template: dict[str, Json]) -> KindLimits:
        """Calls and tasks have three attempts; a command only where the user says which exit codes are worth it."""
        again = form_of(template) != "command" or template.get("retry_exit_codes")
        return replace(self.limits, retries=2) if again else self.limits

    times_itself = True

    def hands_over(self, concurrency: int) -> int:
        """Once calls turn out to be quick, as many as make chunks for every worker."""
        self._pool.workers = concurrency
        return self._pool.window

    def notes_first(self, template: dict[str, Json]) -> bool:
        return form_of(template) != "command"

    def use_output(self, folder: Path | None, earlier: Sequence[Path] = ()) -> None:
        self._output, self._earlier = folder, [str(place) for place in earlier]

    def use_run_dir(self, path: Path) -> None:
        """Keep slot and output files here, so that what runs is found again after a crash. Call before use."""
        self.run_dir = path
        self._open_slots = None

    def check(self, job: Job[ProgramWork]) -> list[tuple[str, str]]:
        work = job.work
        if work.form != "command":
            return self._check_call(work) if work.form == "call" else missing_libraries(work)
        if problems := unusable_text(work) or unset_variables(work):
            return problems
        if work.cwd is not None and not os.path.isdir(work.cwd):
            return [("cwd", f"there is no folder {work.cwd}")]
        return self._check_program(work)

    def _check_call(self, work: ProgramWork) -> list[tuple[str, str]]:
        """Only whether its package is there: to look further would be to import it."""
        package = (work.call or "").partition(":")[0].partition(".")[0]
        key = (package, *work.python_path)
        if key not in self._packages:
            there = PathFinder.find_spec(package, work.python_path) or importlib.util.find_spec(package)
            if there is None:
                places = ", ".join(work.python_path) or "what is installed"
                return [
                    (
                        "call",
                        f"there is no module {package} in {places}, nor is one installed; python_path names folders",
                    )
                ]
            self._packages.add(key)
        return []

    def _check_program(self, work: ProgramWork) -> list[tuple[str, str]]:
        program, path = work.argv[0], work.variables.get("PATH")
        if (program, path, work.cwd) in self._found:
            return []
        if os.sep in program:
            place = os.path.join(work.cwd or "", program)
            if not os.path.isfile(place):
                return [("command", f"there is no program {place}")]
            if not os.access(place, os.X_OK):
                return [("command", f"{place} is not executable (chmod +x makes it so)")]
        elif shutil.which(program, path=path) is None:
            return [("command", f"there is no program {program} on the PATH")]
        self._found.add((program, path, work.cwd))
        return []

    def notices(self, job: Job[ProgramWork]) -> list[tuple[str, str]]:
        return task_notices(job.work)

    def handed_over(self, work: ProgramWork) -> list[str]:
        return handed_over(work)

    def describe(self, job: Job[ProgramWork]) -> Json:
        return described(job.work)

    async def run(self, job: Job[ProgramWork], note: Note) -> Outcome:
        if job.work.form != "command":
            return await self._call(job, note)
        outcome = await self._program(job, note)
        if outcome.error_kind == "timeout":
            raise Transient(outcome.error or "", kind="timeout", maybe_done=True, outcome=outcome)
        code = outcome.output["exit_code"] if outcome.output else None
        if code in job.work.retry_exit_codes:
            raise Transient(
                outcome.error or f"exit {code}", kind=outcome.error_kind or "exit", outcome=outcome
            )
        return outcome

    async def _call(self, job: Job[ProgramWork], note: Note) -> Outcome:
        work, task = job.work, job.work.form == "task"
        folder = str(self._output / folder_name(job.id)) if task and self._output else None
        order = Order(
            function=work.function,
            path=(package_folder(),) if task else tuple(work.python_path),
            chunk=work.takes_chunk,
            group=work.group,
            most=work.chunk,
            timeout=job.timeout,
        )
        try:
            table = work.table(job.id, job.attempt, folder)
            if folder and self._earlier:
                table["earlier"] = self._earlier
            done = await self._pool.do(order, table, note)
        except Lost as fault:
            lost = outcome_of_lost(fault)
            raise Transient(fault.message, kind=fault.kind, maybe_done=True, outcome=lost) from None
        except NotStarted as fault:
            raise Transient(str(fault), kind="start") from None
        outcome = outcome_of_call(done, task=task)
        if done.fault and done.fault.get("transient"):
            raise Transient(outcome.error or "", kind=outcome.error_kind or "", outcome=outcome)
        return outcome

    async def _program(self, job: Job[ProgramWork], note: Note) -> Outcome:
        work = job.work
        if not work.argv:
            return not_started("the command is empty: name a program")
        try:
            slot = self._slots().take()
        except OSError as fault:
            return unusable(fault)
        try:
            begin = time.monotonic()
            try:
                process = Process(
                    work.argv,
                    filled_in(work.variables),
                    work.cwd,
                    work.input,
                    slot,
                    executable=self._place(work.argv[0], work.variables.get("PATH")),
                )
            except (OSError, ValueError) as fault:
                return not_started(f"cannot start {work.argv[0]}: {reason(fault)}")
            try:
                note(trace_of(process.pid, slot))
                code = await self._ending(process, slot, job.timeout)
                seconds = time.monotonic() - begin
                if code is not None and process.left_some():
                    await process.end()
            except BaseException:
                await uninterrupted(_end(process, slot))
                raise
            try:
                stdout, stderr = take_output(slot.file("stdout")), take_output(slot.file("stderr"))
            except OSError as fault:
                return unusable(fault)
            if code is None:
                return outcome_at_timeout(f"no answer within {job.timeout:g} s", seconds, stdout, stderr)
            places = (os.path.dirname(slot.path), work.cwd or os.curdir)
            return outcome_of_program(code, seconds, stdout, stderr, places)
        finally:
            slot.release()

    async def _ending(self, process: Process, slot: Slot, timeout: float | None) -> int | None:
        """How the program ended; None where its time ran out and it was ended."""
        try:
            async with asyncio.timeout(timeout):
                return await process.exited()
        except TimeoutError:
            await uninterrupted(_end(process, slot))
            return None

    def _place(self, program: str, path: str | None) -> str | None:
        """Where a program on the PATH lies, looked up once; None: it is left to the system to find and to say why not."""
        if os.sep in program:
            return None
        if (program, path) not in self._places:
            found = shutil.which(program, path=path)
            self._places[program, path] = found if found and os.path.isabs(found) else None
        return self._places[program, path]

    async def settle(self, traces: Sequence[dict[str, Json]]) -> None:
        await end_survivors(self._slots(), traces)

    async def probe(self) -> Probe:
        return Probe(ok=True, message=f"ready, {self.limits.concurrency} processors")

    async def close(self) -> None:
        await self._pool.close()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = self._open_slots = None

    def _slots(self) -> Slots:
        if self._open_slots is None:
            folder = self.run_dir
            if folder is None:
                self._temporary = tempfile.mkdtemp(prefix="batchtui-run-")
                folder = Path(self._temporary)
            self._open_slots = Slots(folder, self._environment)
        return self._open_slots


async def _end(process: Process, slot: Slot) -> None:
    await process.end()
    await end_escaped(slot)
