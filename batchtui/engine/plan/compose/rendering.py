"""From a stored job to one ready to send: the batch's template over its row, decoded as its kind's work."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from batchtui import typed
from batchtui.backends.base import Job
from batchtui.backends.prompts.work import ChatWork, with_correction
from batchtui.decode import explain, faults
from batchtui.engine.plan.compose.attaching import check_again, files_folder, named, read
from batchtui.engine.shared.pool import AnyBackend, Backends
from batchtui.errors import BadInput, near, nearest
from batchtui.model import LIVE_JOB_STATES, JobRecord, Json
from batchtui.sources.json_forms.talks import TalkFault, as_messages, is_talk
from batchtui.sources.templates.template import Template, compile_template
from batchtui.store.folder import BatchFolder
from batchtui.work.job import ProgramWork

_CORRECTION_BYTES = 500
"""What the turns of a correction take beside the answer and its errors, in any protocol."""


class BadField(BadInput):
    """A field of `[job]` that cannot be used. `key` is its path, such as `job.max_tokens`."""

    def __init__(self, message: str, key: str | None = None) -> None:
        super().__init__(message)
        self.key = key


def with_sweep(template: dict[str, Json], sweep: dict[str, Json]) -> dict[str, Json]:
    """The template with one combination of `[sweep]` in it; `input.blocks.0.layout.gcr` reaches into tables and lists.

    Raises BadField for a path that leads nowhere.
    """
    if not sweep:
        return template
    merged = dict(template)
    for path, value in sweep.items():
        if path.startswith("input.") and "input_file" in template:  # laid over what the file holds
            laid = merged.get("input") or {}
            if not isinstance(laid, dict):
                raise BadField("expected a table", "job.input")
            merged["input"] = {**laid, path.removeprefix("input."): value}
        else:
            merged = _with(merged, path.split("."), value, path)
    return merged


def _with(node: Json, steps: list[str], value: Json, path: str) -> Json:
    """A copy of `node` with the value at these steps; a number is a place in a list."""
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(node, list):
        if not step.isdecimal() or int(step) >= len(node):
            raise BadField(f'"{step}" is no place in a list of {len(node)}', f"sweep.{path}")
        place = int(step)
        return [*node[:place], _with(node[place], rest, value, path), *node[place + 1 :]]
    if node is not None and not isinstance(node, dict):
        raise BadField(f'"{step}" leads into a plain value', f"sweep.{path}")
    return {**(node or {}), step: _with((node or {}).get(step), rest, value, path)}


class Rendering:
    """The template of one batch for one kind, compiled once for each combination of `[sweep]`."""

    def __init__(
        self,
        template: dict[str, Json],
        work: type[msgspec.Struct],
        folders: Sequence[Path] = (),
    ) -> None:
        """Paths start from `folders`."""
        self._template = template
        self._work = work
        self._folders = folders
        self.takes_schema = "schema" in work.__struct_fields__
        self._compiled: dict[str, Template] = {}

    def static_faults(self) -> list[BadField]:
        """Unknown keys, and wrong types of what holds no template: all of them."""
        fields = {field.encode_name: field for field in msgspec.structs.fields(self._work)}
        found: list[BadField] = []
        for key, value in self._template.items():
            if key not in fields:
                hint = nearest(key, fields) or "; `batchtui help batch-file-keys` lists what [job] takes"
                found.append(BadField(f"unknown key{hint}", f"job.{key}"))
            elif not has_template(value):
                _, told = faults(value, fields[key].type, f"job.{key}")
                found += [BadField(message, path) for path, message in told]
        return found

    def without(self, keys: Container[str]) -> Rendering:
        """The same but for these keys, to see what else is wrong; a key that is one letter off counts as what it is near to."""
        kept = {key: value for key, value in self._template.items() if key not in keys}
        for key, value in self._template.items():
            meant = near(key, self._work.__struct_fields__) if key in keys else None
            if meant and meant not in self._template:
                kept[meant] = value
        return Rendering(kept, self._work, self._folders)

    def work(
        self, row: dict[str, Json], sweep: dict[str, Json], schema: dict[str, Json] | None = None
    ) -> msgspec.Struct:
        """Raises TemplateError, BadField. Text from a table's cell may stand for a number.

        `schema` is what the answer must fit, no template: its braces stay as they are.
        """
        name = repr(sweep) if sweep else ""
        template = self._compiled.get(name)
        if template is None:
            apart = {"backend", "schema"} if self.takes_schema else {"backend"}
            taken = {path: value for path, value in sweep.items() if path not in apart}
            template = compile_template(with_sweep(self._template, taken), where="job")
            self._compiled[name] = template
        rendered = template.render(row)
        if "messages" in rendered and "messages" in self._work.__struct_fields__:
            try:
                rendered = {**rendered, "messages": as_messages(rendered["messages"])}
            except TalkFault as fault:
                raise BadField(str(fault), f"job.messages{fault.at}") from None
        if schema is not None and self.takes_schema:
            rendered = {**rendered, "schema": schema}
        try:
            work = typed.convert(rendered, self._work, strict=False)
        except msgspec.ValidationError as fault:
            path, _, message = explain(str(fault), self._work, "job").partition(": ")
            key, colon, rest = message.partition(": ")
            if colon and path == "job" and key in self._work.__struct_fields__:  # said by the work itself
                path, message = f"job.{key}", rest
            if path == "job.prompt" and is_talk(rendered["prompt"]):
                message += self.talk_advice
            raise BadField(message, path) from None
        if isinstance(work, ProgramWork):
            work.rooted(self._folders)
        return work

    @property
    def talk_advice(self) -> str:
        """What to write where a prompt turns out to be a talk."""
        asked = self._template.get("prompt")
        return f"; these are chat messages: write messages = {json.dumps(asked)} in place of prompt"


def has_template(value: Json) -> bool:
    """Whether a text in it is a template."""
    if isinstance(value, str):
        return "{{" in value
    if isinstance(value, dict):
        return any(has_template(inner) for inner in value.values())
    return isinstance(value, list) and any(has_template(inner) for inner in value)


class Renderer:
    """Renders the jobs of a stored batch."""

    def __init__(self, folder: BatchFolder, backends: Backends) -> None:
        self._folder = folder
        self._backends = backends
        self._renderings: dict[str, Rendering] = {}
        self._files = files_folder(folder.header)

    def backend_name(self, record: JobRecord) -> str:
        return record.backend or self._folder.header.backend

    def job(self, n: int, attempt: int, token: str) -> tuple[AnyBackend, Job[msgspec.Struct]]:
        """Job `n`, ready to send as this attempt. Raises BadInput where it no longer renders, ConfigError."""
        record = self._folder.jobs.record(n)
        backend, job = self.rendered(record, attempt, token)
        if isinstance(job.work, ChatWork) and (correction := self._correction(n)):
            job.work = with_correction(job.work, *correction)
            job.files = named(job.work, self._files)
        return backend, job

    def rendered(self, record: JobRecord, attempt: int, token: str) -> tuple[AnyBackend, Job[msgspec.Struct]]:
        """A job from its record alone. Raises as `job`."""
        name = self.backend_name(record)
        backend = self._backends.get(name)
        rendering = self._renderings.get(name)
        if rendering is None:
            header = self._folder.header
            template = header.template_of(name)
            folders = [self._files, Path(header.base)]
            rendering = Rendering(template, backend.Work, folders)
            self._renderings[name] = rendering
        work = rendering.work(record.row, record.sweep, self._folder.header.schema_for(record))
        if (most := self._folder.header.answer_tokens) and not record.tokens[1] and record.answers:
            work = backend.bounded(work, most)
        job = Job(index=record.n, id=record.id, attempt=attempt, token=token, work=work)
        job.files = named(work, self._files)
        return backend, job

    def record(self, n: int) -> JobRecord:
        """The stored job, its size and tokens as it will be sent: one asked again carries its earlier answer."""
        record = self._folder.jobs.record(n)
        if correction := self._correction(n):
            more = len(json.dumps(correction)) + _CORRECTION_BYTES
            record.size += more
            record.tokens = (record.tokens[0] + more // 4, record.tokens[1])
        return record

    def _correction(self, n: int) -> tuple[str, str] | None:
        """The answer of a live job's last attempt and what was wrong with it, where it did not fit the schema."""
        header = self._folder.header
        if not (header.answer_schema or header.answer_schemas) or self._folder.progress.offsets[n] < 0:
            return None
        result = self._folder.result(n)
        if result.status not in LIVE_JOB_STATES or result.error_kind != "schema":
            return None
        answer = result.raw_response or ""
        return (answer, result.error or "") if answer.strip() else None

    def fill(self, backend: AnyBackend, job: Job[msgspec.Struct]) -> None:
        """Read the job's files into it, since it is sent now. Raises FileFault where one is gone, or too large by now."""
        job.files = read(job.work, self._files)
        check_again(backend, job)

    def payload_hash(self, numbers: Iterable[int]) -> str:
        """What an intent says of its jobs: the template's hash, and where they bring files that of these as well."""
        header = self._folder.header
        templates = [header.template, *header.templates.values(), header.spec.sweep]
        if not any({"file", "input_file"} & set(template) for template in templates):
            return header.template_hash
        digest = hashlib.sha256(header.template_hash.encode())
        for n in numbers:
            digest.update(self._folder.jobs.record(n).files.encode() + b"\n")
        return digest.hexdigest()[:16]

    def jobs(
        self, numbers: Iterable[int], tries: Sequence[int], token: str, unusable: dict[int, BadInput]
    ) -> Iterator[Job[msgspec.Struct]]:
        """The jobs, ready to send, their files read as each comes up; what no longer can be is told in `unusable`."""
        for n in numbers:
            try:
                backend, job = self.job(n, tries[n], token)
                self.fill(backend, job)
            except BadInput as fault:
                unusable[n] = fault
            else:
                yield job
