"""From a stored job to one ready to send: the batch's template over its row, decoded as its kind's work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from batchtui.backends.base import Job
from batchtui.decode import explain
from batchtui.engine.pool import AnyBackend, Backends
from batchtui.errors import BadInput, nearest
from batchtui.model import JobRecord, Json
from batchtui.sources.template import Template, compile_template
from batchtui.store.folder import BatchFolder


class BadField(BadInput):
    """A field of `[job]` that cannot be used. `key` is its path, such as `job.max_tokens`."""

    def __init__(self, message: str, key: str | None = None) -> None:
        super().__init__(message)
        self.key = key


def with_sweep(template: dict[str, Json], sweep: dict[str, Json]) -> dict[str, Json]:
    """The template with one combination of `[sweep]` in it; `input.gcr` reaches into a table."""
    if not sweep:
        return template
    merged = dict(template)
    for path, value in sweep.items():
        *tables, last = path.split(".")
        place = merged
        for table in tables:
            place[table] = dict(place.get(table) or {})
            place = place[table]
        place[last] = value
    return merged


class Rendering:
    """The template of one batch for one kind, compiled once for each combination of `[sweep]`."""

    def __init__(self, template: dict[str, Json], work: type[msgspec.Struct]) -> None:
        self._template = template
        self._work = work
        self._compiled: dict[str, Template] = {}

    def check_static(self) -> None:
        """Refuse unknown keys and wrong types of what holds no template. Raises BadField."""
        fields = {field.encode_name: field for field in msgspec.structs.fields(self._work)}
        for key, value in self._template.items():
            if key not in fields:
                raise BadField(f"unknown key{nearest(key, fields)}", f"job.{key}")
            if not _has_template(value):
                try:
                    msgspec.convert(value, fields[key].type)
                except msgspec.ValidationError as fault:
                    text = explain(str(fault), fields[key].type, f"job.{key}")
                    path, _, message = text.partition(": ")
                    raise BadField(message, path) from None

    def work(self, row: dict[str, Json], sweep: dict[str, Json]) -> msgspec.Struct:
        """Raises TemplateError, BadField. Text from a table's cell may stand for a number."""
        name = repr(sweep) if sweep else ""
        template = self._compiled.get(name)
        if template is None:
            template = compile_template(with_sweep(self._template, sweep), where="job")
            self._compiled[name] = template
        rendered = template.render(row)
        try:
            return msgspec.convert(rendered, self._work, strict=False)
        except msgspec.ValidationError as fault:
            path, _, message = explain(str(fault), self._work, "job").partition(": ")
            raise BadField(message, path) from None


def _has_template(value: Json) -> bool:
    if isinstance(value, str):
        return "{{" in value
    if isinstance(value, dict):
        return any(_has_template(inner) for inner in value.values())
    return isinstance(value, list) and any(_has_template(inner) for inner in value)


class Renderer:
    """Renders the jobs of a stored batch."""

    def __init__(self, folder: BatchFolder, backends: Backends) -> None:
        self._folder = folder
        self._backends = backends
        self._renderings: dict[str, Rendering] = {}

    def backend_name(self, record: JobRecord) -> str:
        return record.backend or self._folder.header.backend

    def job(self, n: int, attempt: int, token: str) -> tuple[AnyBackend, Job[msgspec.Struct]]:
        """Job `n`, ready to send as this attempt. Raises BadInput where it no longer renders, ConfigError."""
        record = self._folder.jobs.record(n)
        name = self.backend_name(record)
        backend = self._backends.get(name)
        rendering = self._renderings.get(name)
        if rendering is None:
            rendering = Rendering(self._folder.header.template, backend.Work)
            self._renderings[name] = rendering
        work = rendering.work(record.row, record.sweep)
        return backend, Job(index=n, id=record.id, attempt=attempt, token=token, work=work)

    def jobs(
        self, numbers: Iterable[int], tries: dict[int, int], token: str, unusable: dict[int, str]
    ) -> Iterator[Job[msgspec.Struct]]:
        """The jobs, ready to send; one that no longer renders is left out and told in `unusable`."""
        for n in numbers:
            try:
                yield self.job(n, tries[n], token)[1]
            except BadInput as fault:
                unusable[n] = str(fault)
