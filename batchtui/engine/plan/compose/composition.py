"""A batch file over its source: rows, ids and rendered jobs, with everything that is wrong with them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from batchtui.backends.base import Job
from batchtui.backends.prompts.work import ChatWork
from batchtui.backends.wire.ids import PLANNED_TOKEN
from batchtui.batchfile import check_limits
from batchtui.causes import Key, cause_of
from batchtui.engine.outputs.result_files import is_taken, output_dir
from batchtui.engine.plan.compose.attaching import FileChecks, beside_source
from batchtui.engine.plan.compose.completing import completed, with_usual_limits
from batchtui.engine.plan.compose.rendering import BadField, Rendering
from batchtui.engine.plan.compose.routing import Routing
from batchtui.engine.plan.compose.schemas import Schemas
from batchtui.engine.shared.pool import AnyBackend, Backends
from batchtui.errors import BatchtuiError, KeyMissing, NotFound, nearest
from batchtui.model import BatchSpec, Json, Problem, Row
from batchtui.results.judging.slow_patterns import slow_patterns
from batchtui.sources.json_forms.talks import is_talk
from batchtui.sources.pace import Pace
from batchtui.sources.readers import open_source
from batchtui.sources.source import Source
from batchtui.sources.templates.template import Template, compile_template, expand_sweep, render_id
from batchtui.text import cell

PROBLEMS_SHOWN = 200
"""Problems that are kept word for word; the rest are counted."""
ID_LIMIT = 512
TICK_SECONDS = 0.1
_PROMPTS = frozenset({"prompt", "messages", "body"})
_OWN_WORK = _PROMPTS | {"command", "call"}
"""Keys of `[job]` that say other work than what a source implies."""


class AlreadyTold(Exception):
    """The job is of a backend whose fault is among the problems already."""


class Composition:
    """A batch file brought together with its source and backend; what is wrong is collected in `problems`."""

    def __init__(
        self,
        spec: BatchSpec,
        base: Path,
        backends: Backends,
        stdin: BinaryIO | None,
        where: str,
        files: Path | None = None,
    ) -> None:
        """`files` is the folder that paths of jobs start from, where it is another than `base`."""
        self.spec, self.base, self.backends, self.where = spec, base, backends, where
        self.problems: list[Problem] = []
        self.dropped = 0
        self._first: dict[Key, int] = {}
        """The place in `problems` of the first one of each cause, and below how many more of it are not there."""
        self._more: Counter[Key] = Counter()
        self.source: Source | None = None
        self.backend: AnyBackend | None = None
        """The backend of all jobs, or of the first one where each has its own."""
        self.template: dict[str, Json] = {}
        """What the jobs of `backend` are rendered from."""
        self.implied: dict[str, Json] = {}
        """The `[job]` that the source brings by its form."""
        self.own_folders: Path | None = None
        """Where the batch gets an output folder of its own, as its source implies; None where that was asked for."""
        self.schemas: Schemas | None = None
        """What answers must fit; None where that cannot be told."""
        self.routing: Routing | None = None
        self.templates: dict[str, dict[str, Json]] = {}
        self.id_template: Template | None = None
        self.combinations: list[dict[str, Json]] = [{}]
        self.renderings: dict[str, Rendering] = {}
        self.folder = files or base
        """Where relative paths in rows and in `[job]` start."""
        self.files = FileChecks(self.folder, beside_source(spec, base), self._warn_of_files)
        self._unusable: set[str] = set()
        self._unkeyed: dict[str, AnyBackend] = {}
        self._wrong: set[str] = set()
        """Keys of `[job]` that are told as wrong, whatever the row."""
        self._open(stdin)

    def add(self, problem: Problem) -> None:
        """Keep a problem; past PROBLEMS_SHOWN they are counted by their cause. A new cause is never lost among them."""
        if self._wrong and problem.row is not None and key_of(problem.key) in self._wrong | {""}:
            return  # follows from a key that is told
        cause = cause_of(problem)
        new = cause not in self._first and len(self._first) < PROBLEMS_SHOWN
        if len(self.problems) < PROBLEMS_SHOWN or new or (problem.fatal and not self.stopped):
            self._first.setdefault(cause, len(self.problems))
            self.problems.append(problem)
        elif cause in self._first:
            self._more[cause] += 1
        else:
            self.dropped += 1

    def counted(self) -> list[Problem]:
        """The problems, the first of each cause with how many are not among them."""
        for cause, count in self._more.items():
            at = self._first[cause]
            self.problems[at] = msgspec.structs.replace(self.problems[at], more=count)
        if self.dropped:
            self.problems.append(Problem(message=f"and {self.dropped:,} more problems", fatal=False))
        return self.problems

    @property
    def stopped(self) -> bool:
        return any(problem.fatal for problem in self.problems)

    def problem(self, message: str, **place: Json) -> None:
        self.add(Problem(message=message, **place))

    def _warn_of_files(self, message: str) -> None:
        self.add(Problem(message=message, file=self.where, key="job.file", fatal=False))

    def _warn_of_patterns(self, schema: Json) -> None:
        for place in slow_patterns(schema):
            message = (
                f"{place}: a slow pattern: a check that takes too long is given up, and the answer is invalid"
            )
            self.add(Problem(message=message, file=self.where, key="job.schema", fatal=False))

    def fault(self, fault: BatchtuiError, row: Row | None = None) -> None:
        key = getattr(fault, "key", None)
        text = getattr(fault, "message", None) or str(fault)
        if row is None:
            file = getattr(fault, "file", None) or self.where
            self.problem(text, file=file, line=getattr(fault, "line", None), key=key)
        else:
            name = self.source.name if self.source else self.where
            self.problem(text, file=name, line=row.line, row=row.number, key=key)

    def _open(self, stdin: BinaryIO | None) -> None:
        spec = self.spec
        for problem in check_limits(spec, self.where):
            self.add(problem)
        if spec.source:
            try:
                with_text = any(
                    "{{" in piece and ("text" in piece or "row" in piece) for piece in _strings(spec.job)
                )
                self.source = open_source(spec.source, self.base, stdin=stdin, with_text=with_text)
            except BatchtuiError as fault:
                self.fault(fault)
        if self.source and self.source.implied.no_jobs and not _OWN_WORK & spec.job.keys():
            self.add(self.source.implied.no_jobs)
            return
        if self.source and not _PROMPTS & spec.job.keys():
            spec = self.spec = completed(spec, self.source.implied, self.backends)
            if spec.output.dir is None and self.source.implied.output is not None:
                self.own_folders = Path.cwd() / self.source.implied.output
            self._tell_unless(self.source)
        spec = self.spec = with_usual_limits(spec, self.backends.config.defaults.limits)
        try:
            given = spec.job.get("schema", self.backends.config.defaults.job.get("schema"))
            self.schemas = Schemas(spec, given, self.base)
            self._warn_of_patterns(self.schemas.fixed)
        except BatchtuiError as fault:
            self.fault(fault)
        if spec.output.dir:
            self._look_at_output(output_dir(spec, self.base))
        implied = self.source.default_job if self.source else {}
        self.implied = {} if _OWN_WORK & spec.job.keys() else implied
        try:
            routing = Routing(spec, self.implied, self.backends)
        except BatchtuiError as fault:
            self.fault(fault)
            return
        if not routing.possible:
            known = ", ".join(map(cell, self.backends.names()))
            self.problem(f"no backend is named; set one of: {known}", file=self.where, key="backend")
            return
        try:
            if routing.fixed is not None:
                self.backend = self._backend_of(routing.fixed)
        except BatchtuiError as fault:
            self.problem(str(fault), file=self.where, key="backend")
            return
        try:
            self.combinations = expand_sweep(spec.sweep)
            if self.backend:
                self._prepare(self.backend)
            own_id = self.source.own_id if self.source else None
            asked_id = own_id if spec.source is None or spec.source.id is None else spec.source.id
            if asked_id is not None:
                self.id_template = compile_template(asked_id, where="source.id")
                self._refuse_bare_column(spec)
        except BatchtuiError as fault:
            self.fault(fault)
            self.backend = None
            return
        self.routing = routing

    def _refuse_bare_column(self, spec: BatchSpec) -> None:
        """A column's name without braces would be the id of every row. Raises BadField."""
        name = spec.source.id if spec.source else None
        if name is None or not self.source or name not in self.source.columns:
            return
        shown = f"{{{{ {name} }}}}" if name.isidentifier() else f"{{{{ row[{json.dumps(name)}] }}}}"
        raise BadField(
            f'"{cell(name)}" is the same for every row; for the column of that name write {cell(shown)}',
            "source.id",
        )

    def _tell_unless(self, source: Source) -> None:
        said = {*self.spec.job, *self.spec.sweep}
        for keys, problem in source.implied.unless:
            if not keys & said:
                self.add(problem)

    def _look_at_output(self, target: Path) -> None:
        if target.exists() and not target.is_dir():
            self.problem(f"{cell(target)} is a file; name a folder", file=self.where, key="output.dir")
        elif is_taken(target):
            text = f"{cell(target)} holds other results; where a name is taken, ours go into a folder in it"
            self.problem(text, file=self.where, key="output.dir", fatal=False)

    def _prepare(self, backend: AnyBackend) -> Rendering:
        """The rendering of jobs for this backend: defaults and the source's own `[job]` as far as its kind knows them.

        Keys of `[job]` that the kind does not take so are all told, and jobs are looked at without them. Raises BadField
        for the first of them where jobs choose their backends, since it may be meant for another one.
        """
        fields = {field.encode_name for field in msgspec.structs.fields(backend.Work)}
        under = self.backends.config.defaults.job, self.implied
        template = {key: value for part in under for key, value in part.items() if key in fields}
        asked = self.spec.limits
        limits = {"concurrency": asked.concurrency, "error_policy": asked.error_policy}
        template |= {key: value for key, value in limits.items() if value is not None and key in fields}
        template |= {key: value for key, value in self.spec.job.items() if key != "backend"}
        if "schema" in fields:
            template.pop("schema", None)
        folders = [self.folder, self.base]
        rendering = Rendering(template, backend.Work, folders)
        if told := rendering.static_faults():
            if self.backend is not backend:
                raise BadField(f"{told[0]} (for {backend.name}, of kind {backend.kind})", told[0].key)
            for fault in told:
                self.fault(fault)
            self._wrong = {key_of(fault.key) for fault in told}
            rendering = rendering.without(self._wrong)
        if self.backend is None or self.backend is backend:
            self.backend, self.template = backend, template
        self.templates[backend.name] = template
        self.renderings[backend.name] = rendering
        return rendering

    @property
    def ready(self) -> bool:
        """Whether jobs can be made at all."""
        return self.routing is not None

    def rows(self, tick: Callable[[int], None] | None = None) -> Iterator[Row]:
        """The usable rows; the others become problems. `tick` gets the number of rows read now and then."""
        if not self.spec.source:
            yield Row(number=1, line=None, values={})
            return
        pace = Pace(TICK_SECONDS)
        for count, item in enumerate(self.source.rows() if self.source else ()):
            if tick and pace.due():
                tick(count)
            if isinstance(item, Row):
                yield item
            else:
                self.add(item)

    def job_id(self, row: Row) -> str:
        """Raises TemplateError, BadField."""
        if not self.spec.source:
            return "1"
        text = render_id(self.id_template, row, self.source.id_column if self.source else None)
        if len(text) > ID_LIMIT:
            raise BadField(f"the id is longer than {ID_LIMIT} characters", "source.id")
        return text

    def job(
        self, row: Row, sweep: dict[str, Json], job_id: str, n: int
    ) -> tuple[AnyBackend, Job[msgspec.Struct]]:
        """The job, and the backend it is for. Raises BatchtuiError, and AlreadyTold for what was a fault before."""
        assert self.routing
        name = self.routing.backend(row, sweep)
        rendering = self.renderings.get(name)
        if rendering is None:
            rendering = self._first_of(name)
        schema = self.schemas.of(row.values, sweep) if self.schemas and rendering.takes_schema else None
        work = rendering.work(row.values, sweep, schema)
        if isinstance(work, ChatWork) and work.prompt is not None and is_talk(work.prompt):
            self.add(Problem(
                message=f"the prompt is sent as it is{rendering.talk_advice}", key="job.prompt", fatal=False,
                file=self.source.name if self.source else self.where, line=row.line, row=row.number,
            ))  # fmt: skip
        return self._backend_of(name), Job(index=n, id=job_id, attempt=1, token=PLANNED_TOKEN, work=work)

    def faults(self, backend: AnyBackend, job: Job[msgspec.Struct]) -> list[tuple[str, str]]:
        """Find its files; what its backend would refuse of it, as (key, message). Raises FileFault."""
        self.files.attach(job)
        return backend.check(job) + self.files.check(backend, job)

    def _backend_of(self, name: str) -> AnyBackend:
        """A key or a table that is missing is told once and stops the batch; what its jobs are and would cost is told
        all the same.

        Raises ConfigError, NotFound.
        """
        if name not in self._unkeyed:
            try:
                return self.backends.get(name)
            except KeyMissing as fault:
                self._plan_without(name, str(fault))
            except NotFound as fault:
                if not self.backends.lacks_table(name):
                    raise
                self._plan_without(
                    name, f"{fault}; `batchtui config add {name}` asks where it is, and adds it"
                )
        return self._unkeyed[name]

    def _plan_without(self, name: str, told: str) -> None:
        self._unkeyed[name] = self.backends.unkeyed(name)
        self.problem(told, file=self.where, key="backend")

    def _first_of(self, name: str) -> Rendering:
        """A backend that a job names is told once where it cannot be used, and with each job where it is unknown."""
        if name in self._unusable:
            raise AlreadyTold
        if name not in self.backends.names() and not self.backends.lacks_table(name):
            known = ", ".join(map(cell, self.backends.names()))
            hint = nearest(name, self.backends.names()) or f"; known are {known}"
            raise BadField(f'no backend "{cell(name, 60)}"{hint}', "job.backend")
        self._unusable.add(name)
        rendering = self._prepare(self._backend_of(name))
        self._unusable.discard(name)
        return rendering


def key_of(path: str | None) -> str:
    """Which key of `[job]` a place is in; empty for none: `file` of `job.file[0]`."""
    head, dot, rest = (path or "").partition(".")
    return re.split(r"[.\[]", rest)[0] if dot and head == "job" else ""


def _strings(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _strings(inner)
