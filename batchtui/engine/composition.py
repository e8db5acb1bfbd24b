"""A batch file over its source: rows, ids and rendered jobs, with everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from batchtui.backends.base import Job
from batchtui.batchfile import check_limits
from batchtui.engine.pool import AnyBackend, Backends
from batchtui.engine.rendering import BadField, Rendering
from batchtui.errors import BatchtuiError
from batchtui.model import BatchSpec, Json, Problem, Row
from batchtui.sources.readers import open_source
from batchtui.sources.source import Source
from batchtui.sources.template import Template, compile_template, expand_sweep, render_id
from batchtui.text import cell

PROBLEMS_SHOWN = 200
"""Problems that are kept word for word; the rest are counted."""
ID_LIMIT = 512


class Composition:
    """A batch file brought together with its source and backend; what is wrong is collected in `problems`."""

    def __init__(
        self, spec: BatchSpec, base: Path, backends: Backends, stdin: BinaryIO | None, where: str
    ) -> None:
        self.spec, self.base, self.backends, self.where = spec, base, backends, where
        self.problems: list[Problem] = []
        self.dropped = 0
        self.source: Source | None = None
        self.backend: AnyBackend | None = None
        self.template: dict[str, Json] = {}
        self.id_template: Template | None = None
        self.combinations: list[dict[str, Json]] = [{}]
        self.renderings: dict[str, Rendering] = {}
        self._open(stdin)

    def add(self, problem: Problem) -> None:
        """Keep a problem; past PROBLEMS_SHOWN they are only counted, and a fatal one is never lost."""
        if len(self.problems) < PROBLEMS_SHOWN or (problem.fatal and not self.stopped):
            self.problems.append(problem)
        else:
            self.dropped += 1

    @property
    def stopped(self) -> bool:
        return any(problem.fatal for problem in self.problems)

    def problem(self, message: str, **place: Json) -> None:
        self.add(Problem(message=message, **place))

    def fault(self, fault: BatchtuiError, row: Row | None = None) -> None:
        key = getattr(fault, "key", None)
        text = getattr(fault, "message", None) or str(fault)
        if row is None:
            self.problem(text, file=self.where, key=key)
        else:
            name = self.source.name if self.source else self.where
            self.problem(text, file=name, line=row.line, row=row.number, key=key)

    def _open(self, stdin: BinaryIO | None) -> None:
        spec, config = self.spec, self.backends.config
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
        name = spec.backend or config.defaults.backend
        job_backend = spec.job.get("backend")
        if name is None and isinstance(job_backend, str) and "{{" not in job_backend:
            name = job_backend
        if name is None:
            known = ", ".join(map(cell, self.backends.names()))
            self.problem(f"no backend is named; set one of: {known}", file=self.where, key="backend")
            return
        try:
            self.backend = self.backends.get(name)
        except BatchtuiError as fault:
            self.problem(str(fault), file=self.where, key="backend")
            return
        fields = {field.encode_name for field in msgspec.structs.fields(self.backend.Work)}
        implied = self.source.default_job if self.source else {}
        defaults = {key: value for key, value in config.defaults.job.items() if key in fields}
        overridden = set(spec.job) & {"prompt", "messages", "body"}
        implied = {} if overridden else {key: value for key, value in implied.items() if key in fields}
        self.template = defaults | implied | spec.job
        self.template.pop("backend", None)
        try:
            self.combinations = expand_sweep(spec.sweep)
            rendering = Rendering(self.template, self.backend.Work)
            rendering.check_static()
            self.renderings[self.backend.name] = rendering
            if spec.source and spec.source.id is not None:
                self.id_template = compile_template(spec.source.id, where="source.id")
        except BatchtuiError as fault:
            self.fault(fault)
            self.backend = None

    def rows(self) -> Iterator[Row]:
        """The usable rows; the others become problems."""
        if not self.spec.source:
            yield Row(number=1, line=None, values={})
            return
        for item in self.source.rows() if self.source else ():
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
        assert self.backend
        work = self.renderings[self.backend.name].work(row.values, sweep)
        return self.backend, Job(index=n, id=job_id, attempt=1, token="", work=work)


def _strings(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _strings(inner)
