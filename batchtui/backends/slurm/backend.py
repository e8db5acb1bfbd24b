"""Kind `slurm`: commands, calls and tasks on a cluster, one array a submission, by Slurm's own commands."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import os
import shlex
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import ClassVar

import msgspec

from batchtui.backends.base import (
    DOING,
    LOGS,
    Answer,
    BackendSettings,
    Forgotten,
    Found,
    Job,
    KindLimits,
    Note,
    Probe,
    Progress,
    Refused,
    Remote,
    RemoteBatch,
    RemoteJob,
    Setup,
    Submission,
    Transient,
    TryLater,
)
from batchtui.backends.environment import references
from batchtui.backends.program_words import PATH_FIELDS, RUN_FIELDS, described, unusable_text
from batchtui.backends.settings import limits_of
from batchtui.backends.slurm import planning
from batchtui.backends.slurm.card import CARD
from batchtui.backends.slurm.facts import MAX_ARRAY
from batchtui.backends.slurm.folder import RunFolder, Seen, folder_of, work_of
from batchtui.backends.slurm.nodes import Nodes
from batchtui.backends.slurm.progress import Watcher
from batchtui.backends.slurm.results import STATES, TRANSIENT, all_answers, early_answers
from batchtui.backends.slurm.settings import SlurmSettings
from batchtui.backends.slurm.site import Site
from batchtui.backends.slurm.states import Queue, listed
from batchtui.backends.wire.ids import ADOPTED_TOKEN
from batchtui.model import Json, LimitsSpec, seconds
from batchtui.work.job import ProgramWork, form_of
from batchtui.work.tasks import task_notices

PREFIX = "bt-"
"""Job names are this and the submission's token."""
GROUP = 500
"""Jobs written between two looks at what else there is to do."""
CALL_RETRIES = 2
ENDING = (0.5, 1.0, 2.0, 4.0)
"""Seconds between looks at elements that are about to end."""


class SlurmBackend(Remote[ProgramWork]):
    """The truth about a job is its line in the run folder; Slurm is asked what runs, and what became of the rest."""

    card = CARD
    Settings: ClassVar[type[BackendSettings]] = SlurmSettings
    Work: ClassVar[type[msgspec.Struct]] = ProgramWork
    path_fields = PATH_FIELDS
    run_fields = RUN_FIELDS
    early = True
    cancels_jobs = True
    leaves_files = True
    defaults = KindLimits(
        jobs_per_submission=100_000,
        bytes_per_submission=1_000_000_000,
        submissions_at_once=10,
        sends_at_once=1,
        poll_interval=5.0,
        poll_interval_max=60.0,
        settle=30.0,
        timeout=None,
        retries=0,
    )

    def __init__(self, setup: Setup[BackendSettings]) -> None:
        super().__init__(setup)
        assert isinstance(setup.settings, SlurmSettings)
        self.settings = setup.settings
        self._limits = limits_of(setup.settings, self.defaults)
        self._site = Site(self.settings)
        self._nodes = Nodes(self.settings)
        self._watcher = Watcher(self.settings.place, seconds(self.settings.lag))
        self._adopted: dict[str, Path] = {}

    @property
    def limits(self) -> KindLimits:
        """Where the table says how many jobs an element does, no more of them go together than one array may have."""
        own, chunk = self._limits, self.settings.chunk
        if chunk is None:
            return own
        return replace(own, jobs_per_submission=min(own.jobs_per_submission, chunk * self._most_elements))

    @property
    def _most_elements(self) -> int:
        return self._site.known.most_elements if self._site.known else MAX_ARRAY

    def limits_of(self, template: dict[str, Json]) -> KindLimits:
        """Calls and tasks are tried again where a failure may pass, commands where they name exit codes."""
        again = form_of(template) != "command" or template.get("retry_exit_codes")
        return replace(self.limits, retries=CALL_RETRIES) if again else self.limits

    async def learn(self) -> None:
        await asyncio.to_thread(self._site.learn)

    def account(self) -> str:
        text = "\0".join((self.kind, str(self.settings.place), self.settings.cluster or ""))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    # ---- jobs

    def check(self, job: Job[ProgramWork]) -> list[tuple[str, str]]:
        stay = "keys stay on this machine: `export` of the backend's table names variables that jobs may see"
        if wrong := unusable_text(job.work) or [(f"env.{name}", stay) for name in references(job.work)]:
            return wrong
        self._site.learn()
        if self._site.known and (wrong_place := self._site.known.no_partition(self._site.partition)):
            return [("backend", self._about_partition(wrong_place))]
        return self._nodes.faults(job.work)

    def _about_partition(self, wrong: str) -> str:
        return f"{wrong}; name one as `partition` of backends.{self.name}"

    def needs(self, job: Job[ProgramWork]) -> list[str]:
        return [*self._nodes.needs(job.work), f"to read and write run folders in {self.settings.place}"]

    def sent_as(self, job: Job[ProgramWork], jobs: int, submissions: int) -> str:
        silent, facts = self._site.learn(), self._site.known
        chunk = self.settings.chunk_of(jobs, job.work, self._most_elements)
        return planning.arrays(math.ceil(jobs / chunk), chunk, submissions, facts, silent)

    def notices(self, job: Job[ProgramWork]) -> list[tuple[str, str]]:
        return task_notices(job.work)

    def describe(self, job: Job[ProgramWork]) -> Json:
        return described(job.work)

    def at_once(self, limits: LimitsSpec) -> str:
        return planning.at_once(self.name, self.settings, limits.concurrency)

    def group(self, job: Job[ProgramWork]) -> str:
        return ""

    def line(self, job: Job[ProgramWork]) -> bytes:
        return json.dumps(msgspec.to_builtins(job.work)).encode() + b"\n"

    async def probe(self) -> Probe:
        try:
            facts = await self._site.facts()
            wrong = await self._site.no_partition()
        except (Transient, Refused) as fault:
            return Probe(ok=False, message=fault.message)
        if wrong:
            return Probe(ok=False, message=self._about_partition(wrong))
        return Probe(ok=True, message=planning.site(facts, self._site.partition, self.settings))

    # ---- sending

    async def submit(self, submission: Submission, jobs: Iterable[Job[ProgramWork]], note: Note) -> str:
        """Write the run folder, then submit one array over it. Only `sbatch` can be unsure."""
        rest = iter(jobs)
        first = next(rest, None)
        if first is None:
            raise Refused("a submission without jobs", "empty")
        try:
            wrong, facts = await self._site.no_partition(), await self._site.facts()
        except Transient as fault:
            raise TryLater(fault.message, kind=fault.kind) from None
        if wrong:
            raise Refused(self._about_partition(wrong), "slurm")
        folder, settings = self._folder(submission), self.settings
        chunk = settings.chunk_of(submission.jobs, first.work, facts.most_elements)
        try:
            await self._write(folder, submission, chain([first], rest), chunk)
            elements = folder.plan().elements
        except OSError as fault:
            message = f"cannot write the run folder {folder.path}: {fault.strerror or fault}"
            hint = f"`folder` of backends.{self.name} names a place that the nodes share"
            raise TryLater(f"{message}; {hint}", kind="folder") from None
        note({"folder": str(folder.path), LOGS: str(folder.path / "logs"), DOING: ""})
        limit = settings.minutes(
            chunk,
            first.work,
            submission.timeout,
            submission.retries,
            facts.most_seconds(self._site.partition),
        )
        most = settings.elements_at_once(submission.concurrency)
        options = [
            f"--job-name={PREFIX}{submission.token}",
            f"--array=0-{elements - 1}" + (f"%{most}" if most else ""),
            "--requeue",
            "--open-mode=append",
            f"--output={str(folder.path).replace('%', '%%')}/logs/%a.out",
            "--export=ALL",  # of the few variables that sbatch itself is given
            *([f"--time={limit}"] if limit else []),
        ]
        return await self._site.sbatch(options, f"{folder.path}/run.sh")

    async def _write(
        self, folder: RunFolder, submission: Submission, jobs: Iterator[Job[ProgramWork]], chunk: int
    ) -> None:
        groups = iter(lambda: list(islice(jobs, GROUP)), [])
        given = os.environ.get("LC_ALL")  # sbatch itself is called in another language
        language = "unset LC_ALL\n" if given is None else f"export LC_ALL={shlex.quote(given)}\n"
        for _ in folder.write(submission, groups, chunk, self.settings.interpreter, language):
            await asyncio.sleep(0)

    async def find(self, submission: Submission) -> Found:
        """By its name, in the queue and in the accounting; an array that has started left its id in the folder."""
        name = self._name(submission)
        queue = (await self._site.queued([name])).get(name)
        if queue is None:
            queue = (await self._site.accounted([name], submission.created)).get(name)
        array = queue.array if queue else await asyncio.to_thread(self._folder(submission).claimed)
        return Found(remote_id=array) if array else Found(absent=True)

    # ---- looking

    async def poll(self, submissions: Sequence[Submission]) -> dict[int, Progress]:
        """One `squeue` for all of them, then the result files of each."""
        names = {self._name(one): one for one in submissions}
        queued = await self._site.queued(list(names))
        answers: dict[int, Progress] = {}
        over: dict[str, Submission] = {}
        for name, one in names.items():
            progress = await self._watcher.progress(one, self._folder(one), queued.get(name, Queue()))
            if progress is None:
                over[name] = one
            else:
                answers[one.id] = progress
        if over:
            since = min(one.created for one in over.values())
            known = await self._site.accounted(list(over), since)
            for name, one in over.items():
                answers[one.id] = await self._watcher.over(one, self._folder(one), known.get(name, Queue()))
        return answers

    async def cancel(self, submission: Submission) -> None:
        """The mark keeps elements that Slurm starts again from doing anything."""
        await asyncio.to_thread(self._folder(submission).cancel)
        await self._site.scancel(submission.remote_id or "")

    async def cancel_jobs(self, submission: Submission, numbers: Sequence[int]) -> None:
        """By marks, which the runner heeds at once; elements with nothing left to do are cancelled in Slurm too."""
        folder, name = self._folder(submission), self._name(submission)

        def marked() -> list[int]:
            folder.cancel(numbers)
            seen = Seen()
            folder.look(seen)
            return folder.idle_elements(seen, numbers)

        idle = await asyncio.to_thread(marked)
        queue = (await self._site.queued([name])).get(name, Queue())
        if waiting := [element for element in idle if queue.states.get(element) == "PENDING"]:
            await self._site.scancel(f"{submission.remote_id}_[{listed(waiting)}]")

    # ---- collecting

    async def results(
        self, submission: Submission, keep: Callable[[str, bytes], None] | None
    ) -> AsyncGenerator[Answer, None]:
        folder, array = self._folder(submission), submission.remote_id or ""
        if not folder.path.exists() and self.settings.place.is_dir():
            raise Forgotten(f"the run folder {folder.path} was deleted")
        if submission.early:
            groups = early_answers(folder, array, self._watcher.taken(folder))
        else:
            groups = all_answers(folder, array, submission.facts.get(STATES) or {})
        try:
            while (group := await asyncio.to_thread(next, groups, None)) is not None:
                for answer in group:
                    yield answer
        except (OSError, msgspec.MsgspecError) as fault:
            raise Transient(f"the run folder cannot be read: {fault}", kind="folder") from None

    # ---- what it leaves

    async def tidy(self, submission: Submission) -> None:
        if self.settings.delete_folders:
            await self.discard(submission)

    async def discard(self, submission: Submission) -> str:
        """Never while an element may still write, nor a folder that is not the submission's own."""
        folder = self._folder(submission)
        if folder.path != self.settings.place / submission.token or not folder.path.is_dir():
            return ""
        left = f"the run folder {folder.path} stays"
        lost = {state for state in submission.facts.get(STATES) or {} if state in TRANSIENT}
        if lost:
            return f"{left}: an element may still run on a node that Slurm lost"
        try:
            live = await self._lives(submission)
        except (Transient, Refused) as fault:
            return f"{left}: {fault.message}"
        if live:
            return f"{left}: elements of it still run or wait"
        return await asyncio.to_thread(folder.delete, submission.token) or ""

    async def _lives(self, submission: Submission) -> bool:
        """Whether Slurm still runs any of it; elements that have just written their last result are given a moment."""
        name = self._name(submission)
        for pause in (0.0, *ENDING):
            await asyncio.sleep(pause)
            queue = (await self._site.queued([name])).get(name)
            if queue is None or not queue.live:
                return False
            if queue.waiting:
                return True
        return True

    # ---- what lives there

    async def list(self) -> Sequence[RemoteBatch]:
        """Arrays of this user's whose run folder is here."""
        found = []
        for name, queue in (await self._site.all_queued()).items():
            token = name.removeprefix(PREFIX)
            folder = RunFolder(self.settings.place / token)
            if token != name and queue.array and folder.path.is_dir():
                jobs = (await asyncio.to_thread(folder.plan)).tasks
                found.append(RemoteBatch(queue.array, queue.words() or "over", jobs=jobs, token=token))
        return found

    async def jobs(self, submission: Submission) -> AsyncGenerator[RemoteJob, None]:
        """The tasks of the run folder."""
        folder = self._folder(submission)
        try:
            groups = folder.tasks()
            while (group := await asyncio.to_thread(next, groups, None)) is not None:
                for task in group:
                    yield RemoteJob(wire_id=task["id"], work=work_of(task))
        except OSError:
            raise Forgotten(f"there is no run folder {folder.path}") from None

    # ---- run folders

    def _folder(self, submission: Submission) -> RunFolder:
        """Of an adopted submission only the array is known, which left its id in its folder."""
        noted = submission.facts.get("folder")
        path = Path(noted) if isinstance(noted, str) else self.settings.place / submission.token
        if submission.token == ADOPTED_TOKEN and submission.remote_id:
            array = submission.remote_id
            if array not in self._adopted and (found := folder_of(self.settings.place, array)):
                self._adopted[array] = found.path
            path = self._adopted.get(array, path)
        return RunFolder(path)

    def _name(self, submission: Submission) -> str:
        """What its array is called in Slurm: folders bear the token that it was made with."""
        return PREFIX + self._folder(submission).path.name
