"""The compose form as data: a batch file's keys as lines of text, and back, none of them lost. No Textual here."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from batchtui import batchfile, typed
from batchtui.decode import convert
from batchtui.errors import BadInput, BatchtuiError
from batchtui.model import BatchSpec, Json, SourceSpec
from batchtui.sources.manifests import FORM as SCENARIOS_FORM
from batchtui.sources.readers import open_source
from batchtui.sources.source import Source
from batchtui.text import clean
from batchtui.toml_file import dump_toml, parse_toml
from batchtui.tui.models.form_fields import BACKEND_KEY, OTHER_KEY, WORK_KEY, WORKS, Field, fields_of
from batchtui.work.job import Form as Work
from batchtui.work.job import form_of as work_of

_SMALL = {".json": 1_000_000, ".yaml": 100_000, ".yml": 100_000}
"""Bytes of a manifest that is read while the editor opens, by ending."""
_OF_SOURCE = frozenset(SourceSpec.__struct_fields__)
_PATHS = (
    "source.file", "output.dir", "job.file", "job.input_file", "job.cwd", "job.schema", "job.grid", "job.loads",
)  # fmt: skip


class FieldFault(BadInput):
    """What is wrong with one field; `key` names it as the batch file does, or is `other`."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


@dataclass
class Form:
    """What stands in the form. `values` is text by key; `other` is TOML for the keys without a field.

    Values of fields that the kind does not have stay here unseen, so that trying another backend loses nothing.
    """

    values: dict[str, str] = field(default_factory=dict)
    other: str = ""
    kind: str | None = None
    base: Path = field(default_factory=Path.cwd)
    """Folder that relative paths start from."""
    path: Path | None = None
    """The batch file it was read from or saved to."""

    @property
    def work(self) -> Work:
        """What a job does, where its kind leaves that open: as chosen, else by the first of its fields that is filled."""
        chosen = self.values.get(WORK_KEY)
        filled: Work = next((work for work in WORKS if self.values.get(f"job.{work}")), "command")
        return next((work for work in WORKS if work == chosen), filled)

    @property
    def fields(self) -> tuple[Field, ...]:
        return fields_of(self.kind, self.work)

    @property
    def backend(self) -> str | None:
        return self.values.get(BACKEND_KEY) or None

    def set_kind(self, kind: str | None) -> None:
        """Show another kind's fields."""
        self.kind = kind
        self.gather()

    def gather(self) -> None:
        """Keys that stood under `other` for want of a field move into theirs."""
        try:
            rest = _parse(self.other)
        except FieldFault:
            return
        moved = _take(rest, self.fields, skip=self.values)
        if moved:
            self.values |= moved
            self.other = _dump(rest)


def form_of(spec: BatchSpec, kind: str | None, base: Path, path: Path | None = None) -> Form:
    """A spec in the form; what no field of this kind holds exactly stands under `other`."""
    rest = table_of(spec)
    work = work_of(spec.job)
    values = _take(rest, fields_of(kind, work), skip={})
    if work != "command":
        values[WORK_KEY] = work
    if isinstance(rest.get(BACKEND_KEY), str):
        values[BACKEND_KEY] = rest.pop(BACKEND_KEY)
    return Form(values=values, other=_dump(rest), kind=kind, base=base, path=path)


def spec_of(form: Form) -> BatchSpec:
    """The batch that the form describes. Raises FieldFault."""
    table = _parse(form.other)
    for item in form.fields:
        text = form.values.get(item.key, "")
        if not text.strip():
            continue
        try:
            value = item.read(text)
        except ValueError as fault:
            raise FieldFault(item.key, str(fault)) from None
        _put(table, item.key, value)
    if form.backend:
        _put(table, BACKEND_KEY, form.backend)
    try:
        spec = convert(table, BatchSpec, where="other keys")
    except BadInput as fault:
        source = table.get("source")
        if isinstance(source, dict) and "file" not in source and source.keys() <= _OF_SOURCE:
            raise FieldFault("source.file", "name the file or folder that the rows come from") from None
        raise FieldFault(OTHER_KEY, str(fault).removeprefix("other keys: ")) from None
    for problem in batchfile.check_limits(spec, "batch"):
        raise FieldFault(problem.key or OTHER_KEY, problem.message)
    return spec


def source_of(form: Form) -> SourceSpec:
    """All rows that the form's source has for it, in the file's order; of an unfinished form, those of the file."""
    try:
        source = spec_of(form).source
    except FieldFault:
        source = None
    source = source or SourceSpec(file=form.values.get("source.file", ""))
    return msgspec.structs.replace(source, id=None, limit=None, shuffle=False)


def named(spec: BatchSpec, path: Path | None = None) -> BatchSpec:
    """The spec with a name: its own, else the batch file's, else the source's."""
    if spec.name:
        return spec
    source = spec.source.file if spec.source else ""
    stem = path.stem if path else Path(source).stem if source not in ("", "-") else ""
    return msgspec.structs.replace(spec, name=stem or "untitled")


def rebased(spec: BatchSpec, old: Path, new: Path) -> BatchSpec:
    """The spec for a batch file in another folder: relative paths lead to the same places."""
    if old.resolve() == new.resolve():
        return spec
    table = table_of(spec)
    for key in _PATHS:
        value = _get(table, key)
        if isinstance(value, str) and value not in ("", "-") and value[0] not in "/~" and "{{" not in value:
            _drop(table, key)
            _put(table, key, os.path.relpath((old / value).resolve(), new.resolve()))
    return typed.convert(table, BatchSpec)


def field_key(key: str | None, form: Form) -> str:
    """The field that a problem's key belongs to: the nearest one, else `other`; without a key the source."""
    if not key:
        return "source.file" if form.values.get("source.file") else OTHER_KEY
    known = [BACKEND_KEY, *(item.key for item in form.fields)]
    candidates = [key, f"job.{key}"]
    for candidate in candidates:
        for name in known:
            if candidate == name or candidate.startswith((name + ".", name + "[")):
                return name
    return OTHER_KEY


def table_of(spec: BatchSpec) -> dict[str, Json]:
    """The spec as the batch file's tables, without what only repeats a default."""
    table: dict[str, Json] = _without_null(msgspec.to_builtins(spec))
    if isinstance(source := table.get("source"), dict):
        defaults = msgspec.to_builtins(SourceSpec(file=""))
        table["source"] = {k: v for k, v in source.items() if k == "file" or v != defaults.get(k)}
    return {key: value for key, value in table.items() if value != {}}


def _take(table: dict[str, Json], fields: tuple[Field, ...], skip: dict[str, str]) -> dict[str, str]:
    """Texts of the keys that fields can hold, taken out of `table`."""
    taken = {}
    for item in fields:
        value = _get(table, item.key)
        text = None if value is None or skip.get(item.key) else item.show(value)
        if text is not None:
            taken[item.key] = text
            _drop(table, item.key)
    return taken


def _get(table: dict[str, Json], key: str) -> Json:
    head, _, last = key.rpartition(".")
    inner = table.get(head) if head else table
    return inner.get(last) if isinstance(inner, dict) else None


def _drop(table: dict[str, Json], key: str) -> None:
    head, _, last = key.rpartition(".")
    inner = table[head] if head else table
    del inner[last]
    if head and not inner:
        del table[head]


def _put(table: dict[str, Json], key: str, value: Json) -> None:
    head, _, last = key.rpartition(".")
    inner = table.setdefault(head, {}) if head else table
    if not isinstance(inner, dict):
        raise FieldFault(OTHER_KEY, f"{head}: expected a table")
    if last in inner:
        raise FieldFault(key, "stands under “Other keys” as well; keep one of the two")
    inner[last] = value


def _parse(text: str) -> dict[str, Json]:
    try:
        table = parse_toml(text, "other keys")
    except BadInput as fault:
        raise FieldFault(OTHER_KEY, str(fault).removeprefix("other keys: ")) from None
    return table


def _dump(table: dict[str, Json]) -> str:
    """TOML; characters that a screen would not show are written as their escapes."""
    text = dump_toml(table).strip() if table else ""
    return "".join(char if clean(char) == char else f"\\U{ord(char):08x}" for char in text)


def _without_null(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _without_null(item) for key, item in value.items() if item is not None}
    return [_without_null(item) for item in value] if isinstance(value, list) else value


def column_template(name: str) -> str:
    """How a template names a column: `{{ text }}`, or `{{ row["Body Mass (g)"] }}` where the name is no word."""
    if name.isidentifier() and name.isascii() and name != "row":
        return f"{{{{ {name} }}}}"
    return f"{{{{ row[{msgspec.json.encode(name).decode()}] }}}}"


def opened(path: Path, kind_of: Callable[[str | None], str | None]) -> Form:
    """The form of a batch file, or of a bare source. `kind_of` gives a backend's kind. Raises BadInput."""
    if not batchfile.is_batch_file(path):
        form = form_of(batchfile.bare_source(path.name), kind_of(None), path.absolute().parent)
        if (source := small_manifest(path)) is not None:
            take_manifest(form, source.default_job, source.implied.kinds)
        return form
    spec = batchfile.load(path)
    return form_of(spec, kind_of(spec.backend), path.absolute().parent, path)


def take_manifest(form: Form, default_job: dict[str, Json], kinds: tuple[str, ...]) -> bool:
    """Show the task that a manifest implies in a form that says no work yet, and a backend that does it.

    Answers whether anything changed.
    """
    task = default_job.get("task")
    if not isinstance(task, str) or any(key.startswith("job.") for key in form.values):
        return False
    form.values |= {WORK_KEY: "task", "job.task": task}
    if form.kind not in kinds:
        form.values[BACKEND_KEY] = kinds[0]
        form.set_kind(kinds[0])
    return True


def small_manifest(path: Path) -> Source | None:
    """The manifest at this path, where it is one that is read in no time; a larger one shows when it is scanned."""
    try:
        if path.stat().st_size > _SMALL.get(path.suffix.lower(), -1):
            return None
        source = open_source(SourceSpec(file=path.name), path.absolute().parent, with_text=False)
    except (BatchtuiError, OSError):  # told by the scan
        return None
    return source if source.native == SCENARIOS_FORM else None
