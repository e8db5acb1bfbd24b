"""Answers judged by the batch's schema, in one warm process a worker that is killed when an answer takes too long."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import msgspec

from batchtui import typed
from batchtui.backends.answers.said import add_note, left_no_room, take_choice
from batchtui.backends.base import Answer, Backend
from batchtui.model import JobState, Json, Outcome
from batchtui.results.judging.judge import Misfit, Verdict
from batchtui.results.judging.stops import Stop, stop_of
from batchtui.store.folder import BatchFolder

SECONDS = 2.0
"""CPU time that the check of one answer may take."""
PATIENCE = 20.0
"""Seconds by the clock after which a check that gives no sign is ended, whatever it waits for."""
AT_ONCE = 100
OVERRUNS = 5
"""Answers to one schema that may take all that time; those after them get a tenth, so that others need not wait."""
_LONGEST_LINE = 1 << 30
_HANDED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")


@dataclass(slots=True)
class _Question:
    id: int
    key: str
    document: str
    text: str
    cut: bool
    verdict: asyncio.Future[Verdict]
    sent: float = 0.0
    strikes: int = 0


@dataclass(slots=True)
class Judge:
    """Answers questions in the order in which they come. Belongs to the worker's loop; starts its process when asked."""

    seconds: float = SECONDS
    _open: dict[int, _Question] = field(default_factory=dict)
    _last_id: int = 0
    _process: Process | None = None
    _known: set[str] = field(default_factory=set)
    _task: asyncio.Task[None] | None = None
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    _overruns: Counter[str] = field(default_factory=Counter)
    _keys: dict[int, tuple[dict[str, Json], str, str]] = field(default_factory=dict)
    restarts: int = -1

    async def verdict(self, schema: dict[str, Json], text: str, *, cut: bool = False) -> Verdict:
        """Whether the answer fits. One that cannot be checked in time does not, and says so.

        `cut`: the model was stopped before it was done.
        """
        async with self._room:
            key, document = self._key(schema)
            self._last_id += 1
            answer: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
            question = _Question(self._last_id, key, document, text, cut, answer)
            self._open[question.id] = question
            if self._process is not None:
                self._send(self._process, question)
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._keep_up())
            try:
                return await answer
            finally:
                self._open.pop(question.id, None)

    def _key(self, schema: dict[str, Json]) -> tuple[str, str]:
        known = self._keys.get(id(schema))
        if known is None or known[0] is not schema:
            document = json.dumps(schema)
            key = hashlib.sha256(document.encode()).hexdigest()[:16]
            if len(self._keys) > AT_ONCE:
                self._keys.clear()
            known = self._keys[id(schema)] = (schema, key, document)
        return known[1], known[2]

    async def _keep_up(self) -> None:
        """Keep a process while there are questions; when it dies, the question it died of is settled."""
        stillborn = 0
        while self._open:
            if stillborn > 1:
                self._give_up("the check could not be started")
                return
            try:
                process = await self._started()
            except OSError as fault:
                self._give_up(f"the check could not be started ({fault.strerror or fault})")
                return
            try:
                with contextlib.suppress(ValueError, LookupError, msgspec.ValidationError):
                    await self._listen(process)
            finally:
                lived, self._process = self._process is not None, None
                await _ended(process)
            stillborn = 0 if lived else stillborn + 1
            if self._open and lived:
                self._blame(next(iter(self._open.values())), process.returncode)

    def _give_up(self, why: str) -> None:
        for question in self._open.values():
            _settle(question, f"it could not be checked: {why}")
        self._open.clear()

    async def _started(self) -> Process:
        environment = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if os.path.isabs(path))
        # fmt: off
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "batchtui.results.judging.judge",
            stdin=PIPE, stdout=PIPE, stderr=DEVNULL, cwd="/", env=environment,
            start_new_session=True, limit=_LONGEST_LINE,
        )
        # fmt: on
        self.restarts += 1
        self._known.clear()
        return process

    async def _listen(self, process: Process) -> None:
        """Hand out verdicts until the process ends, or gives no sign for too long."""
        assert process.stdout
        if not await self._line(process):
            return
        self._process = process
        for question in self._open.values():
            self._send(process, question)
        while line := await self._line(process):
            answer = json.loads(line)
            question_ = self._open.pop(answer.pop("id"), None)
            if question_ and not question_.verdict.done():
                question_.verdict.set_result(typed.convert(answer, Verdict))

    async def _line(self, process: Process) -> bytes:
        assert process.stdout
        heard = time.monotonic()
        while True:
            try:
                async with asyncio.timeout(PATIENCE):
                    return await process.stdout.readline()
            except TimeoutError:
                head = next(iter(self._open.values()), None)
                if head and time.monotonic() - max(heard, head.sent) > PATIENCE:
                    return b""

    def _send(self, process: Process, question: _Question) -> None:
        assert process.stdin
        question.sent = time.monotonic()
        if question.key not in self._known:
            self._known.add(question.key)
            head = json.dumps({"schema": question.key})[:-1]
            process.stdin.write(f'{head}, "document": {question.document}}}\n'.encode())
        asked = {"id": question.id, "schema": question.key, "text": question.text, "cut": question.cut}
        line = json.dumps(asked | {"seconds": self._limit(question)})
        process.stdin.write(line.encode() + b"\n")

    def _limit(self, question: _Question) -> float:
        return self.seconds / 10 if self._overruns[question.key] >= OVERRUNS else self.seconds

    def _blame(self, question: _Question, code: int | None) -> None:
        """What is first in the queue was being checked when the process ended."""
        question.strikes += 1
        if code == -signal.SIGPROF:
            self._open.pop(question.id)
            _settle(question, f"checking it took more than {self._limit(question):g} s")
            self._overruns[question.key] += 1
        elif question.strikes > 1:
            self._open.pop(question.id)
            _settle(question, "it could not be checked: the check ended without an answer")

    async def close(self) -> None:
        for question in self._open.values():
            question.verdict.cancel()
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


def _settle(question: _Question, why: str) -> None:
    if not question.verdict.done():
        question.verdict.set_result(Verdict(fits=False, errors=[Misfit("", why)]))


async def _ended(process: Process) -> None:
    """Await its exit code where it ends by itself; a signal sent to a dying process would lose it."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.2):
            await process.wait()
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


# ---- outcomes


def judges(folder: BatchFolder, backend: Backend[msgspec.Struct]) -> bool:
    """Whether any of this backend's answers must fit a schema."""
    given = folder.header.answer_schema is not None or bool(folder.header.answer_schemas)
    return given and "schema" in backend.Work.__struct_fields__


def schema_of(folder: BatchFolder, backend: Backend[msgspec.Struct], n: int) -> dict[str, Json] | None:
    """What the answer of job `n` must fit; None: anything will do."""
    if not judges(folder, backend):
        return None
    header = folder.header
    return header.schema_for(folder.jobs.record(n)) if header.answer_schemas else header.answer_schema


async def judge_outcome(judge: Judge, schema: dict[str, Json], outcome: Outcome) -> None:
    """Keep the parsed value of an answer; one that does not fit becomes `invalid`, with what is wrong.

    Of several answers each is judged, and the first that fits is the job's own, which is said. One that was cut before
    it began is `invalid` as well: its words, all of them thinking, fit no schema.
    """
    if left_no_room(outcome):
        outcome.state, outcome.error_kind = JobState.INVALID, "schema"
    if outcome.state is not JobState.COMPLETED:
        return
    text = outcome.raw_response
    if text is None and outcome.parsed_response is not None:
        text = json.dumps(outcome.parsed_response)
    stop = stop_of(outcome.finish_reason)
    if text is None:
        verdict = Verdict(fits=False, errors=[Misfit("", "the answer holds no text")])
    else:
        verdict = await judge.verdict(schema, text, cut=stop is not Stop.DONE)
    outcome.parsed_response, outcome.repaired = verdict.value, verdict.repaired
    if not verdict.fits:
        outcome.state, outcome.error, outcome.error_kind = JobState.INVALID, verdict.error, "schema"
        if stop is Stop.LENGTH:
            outcome.error = f"{outcome.error}; it was cut off at its token limit: raise max_tokens"
    if outcome.choices:
        await _judge_choices(judge, schema, outcome, outcome.choices)


async def _judge_choices(
    judge: Judge, schema: dict[str, Json], outcome: Outcome, choices: list[dict[str, Json]]
) -> None:
    """Read each; where the one that was taken does not fit, another that does was paid for as well."""
    fitting: list[tuple[int, Verdict]] = []
    for number, choice in enumerate(choices, 1):
        if choice["text"] is None or "error" in choice:
            continue
        cut = stop_of(choice["finish_reason"]) is not Stop.DONE
        verdict = await judge.verdict(schema, choice["text"], cut=cut)
        choice["parsed_response"] = verdict.value
        if verdict.fits:
            fitting.append((number, verdict))
        else:
            choice["error"], choice["error_kind"] = verdict.error, "schema"
    if fitting and outcome.state is JobState.INVALID:
        number, verdict = fitting[0]
        take_choice(outcome, choices[number - 1])
        outcome.parsed_response, outcome.repaired = verdict.value, verdict.repaired
        add_note(outcome, f"answer {number} of {len(choices)}, the first that fits the schema")
    elif outcome.state is JobState.COMPLETED and len(fitting) < len(choices):
        one = "1 of them fits" if len(fitting) == 1 else f"{len(fitting)} of them fit"
        add_note(outcome, f"{len(choices)} answers were given, and {one} the schema")


async def judged(
    judge: Judge,
    wanted: Callable[[Answer], dict[str, Json] | None] | None,
    answers: AsyncIterator[Answer],
) -> AsyncIterator[Answer]:
    """The answers, judged many at a time by what `wanted` says of each; None where none is to be judged.

    What came before a fault is handed on before the fault.
    """
    if wanted is None:
        async for answer in answers:
            yield answer
        return
    group: list[Answer] = []
    fault: Exception | None = None
    while fault is None:
        try:
            group.append(await anext(answers))
        except Exception as reason:  # the end of the answers is one as well
            fault = reason
        if len(group) == AT_ONCE or fault:
            asked = ((answer, wanted(answer)) for answer in group)
            await asyncio.gather(*(judge_outcome(judge, s, one.outcome) for one, s in asked if s is not None))
            for answer in group:
                yield answer
            group.clear()
    if not isinstance(fault, StopAsyncIteration):
        raise fault
