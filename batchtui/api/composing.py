"""Jobs given one by one become what the engine plans: a template for what they share, and a row for the rest.

No text of a job is ever read as a template: what holds `{{` is kept in its row.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from batchtui.api.results import ModelClass, ResponseModel, is_model
from batchtui.errors import BadInput, nearest
from batchtui.model import Json, Problem
from batchtui.preflight import Preflight
from batchtui.text import cell

STDIN = "-"
_ROW_COLUMN = "job"
_MISSING = object()
_SPELT = {"enable_citations": "citations"}
_FORMS = frozenset({"prompt", "messages"})
"""A job has one of them, whatever the default is."""


@dataclass(slots=True)
class GivenJob:
    """What `add_job` was given, defaults under it."""

    id: str
    name: str | None
    work: dict[str, Json]
    row: dict[str, Json] = field(default_factory=dict)
    response_model: ResponseModel | None = None


def plain(value: Json, where: str) -> Json:
    """As JSON has it: paths as text, tuples as lists, models as what they hold. Raises BadInput with the place."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise BadInput(f"{where}: {value} is no number that JSON has")
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, dict):
        return {str(key): plain(inner, f"{where}.{cell(key, 40)}") for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner, f"{where}[{place}]") for place, inner in enumerate(value)]
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    raise BadInput(f"{where}: {type(value).__name__} is nothing that JSON can hold")


def with_defaults(jobs: list[GivenJob], defaults: dict[str, Json]) -> list[GivenJob]:
    """The jobs with what they have by default under what they say themselves. Raises BadInput."""
    for key in ("id", "row"):
        if key in defaults:
            raise BadInput(f"set_default_params: {key} belongs to one job")
    own = {"response_model", "name"}
    under = {
        key: plain(value, f"set_default_params: {key}") for key, value in defaults.items() if key not in own
    }
    found = []
    for job in jobs:
        forms = _FORMS if _FORMS & set(job.work) else frozenset()
        work = {key: value for key, value in under.items() if key not in forms} | job.work
        work = {_SPELT.get(key, key): value for key, value in work.items() if value is not None}
        model = defaults.get("response_model") if job.response_model is None else job.response_model
        found.append(GivenJob(job.id, job.name or defaults.get("name"), work, job.row, model))
    return found


def schema_of(given: ResponseModel) -> Json:
    """The JSON Schema that a response model stands for, or the path of one. Raises BadInput."""
    if is_model(given):
        return given.model_json_schema()  # type: ignore[union-attr]
    if isinstance(given, dict):
        return given
    if isinstance(given, str | Path):
        return os.fspath(given)
    raise BadInput(
        f"response_model: expected a pydantic model, a JSON Schema or its path, got {type(given).__name__}"
    )


def common_schema(jobs: list[GivenJob]) -> Json:
    """The schema of all jobs. Where they differ in it None, and each job has its own among its parameters.

    Raises BadInput with the job.
    """
    found = _schemas(jobs)
    if all(schema == found[0] for schema in found):
        return found[0]
    for job, schema in zip(jobs, found, strict=True):
        if schema is not None:
            job.work["schema"] = schema
    return None


def _schemas(jobs: list[GivenJob]) -> list[Json]:
    """The schema of each job; the path of one is read."""
    from batchtui.results.judging.schema import read_schema

    known: list[tuple[ResponseModel | None, Json]] = [(None, None)]
    for job in jobs:
        given = job.response_model
        if not any(one is given or one == given for one, _ in known):
            try:
                found = schema_of(given) if given is not None else None
                known.append((given, read_schema(found, Path.cwd()) if isinstance(found, str) else found))
            except BadInput as fault:
                raise BadInput(f'job "{cell(job.id, 60)}": {fault}') from None
    return [
        next(schema for one, schema in known if one is job.response_model or one == job.response_model)
        for job in jobs
    ]


def models_of(jobs: Iterable[GivenJob]) -> dict[str, ModelClass]:
    """The class that reads each job's answer, by the job's id."""
    return {job.id: model for job in jobs if (model := model_class(job.response_model)) is not None}


def model_class(given: ResponseModel | None) -> ModelClass | None:
    return given if is_model(given) else None  # type: ignore[return-value]


def template_and_rows(
    jobs: list[GivenJob], defaults: dict[str, Json], work: type[msgspec.Struct]
) -> tuple[dict[str, Json], io.BytesIO]:
    """`[job]`, and the rows as JSON Lines. Raises BadInput.

    A job that lacks what others have gets what it would have been without: `defaults` of the config, else of `work`.
    """
    keys = list(dict.fromkeys(key for job in jobs for key in job.work))
    shared = {key: jobs[0].work.get(key, _MISSING) for key in keys}
    for key, value in shared.items():
        if "{{" in json.dumps(value, default=str) or any(
            job.work.get(key, _MISSING) != value for job in jobs
        ):
            shared[key] = _MISSING
    fallback = fallbacks(work) | defaults
    template: dict[str, Json] = {}
    for key in keys:
        template[key] = shared[key] if shared[key] is not _MISSING else f"{{{{ {_ROW_COLUMN}.{key} }}}}"
    rows = io.BytesIO()
    for job in jobs:
        own = {
            key: job.work[key]
            if key in job.work
            else _fallback(fallback, key, job.id, work.__struct_fields__)
            for key in keys
            if shared[key] is _MISSING
        }
        row = {
            "id": job.id,
            **({"name": job.name} if job.name else {}),
            **job.row,
            **({_ROW_COLUMN: own} if own else {}),
        }
        rows.write(json.dumps(row).encode() + b"\n")
    rows.seek(0)
    return template, rows


def fallbacks(work: type[msgspec.Struct]) -> dict[str, Json]:
    """What each field is where nobody sets it; without those that must be set."""
    found: dict[str, Json] = {}
    for one in msgspec.structs.fields(work):
        if one.default is not msgspec.NODEFAULT:
            found[one.encode_name] = one.default
        elif one.default_factory is not msgspec.NODEFAULT:
            found[one.encode_name] = one.default_factory()
    return found


def _fallback(known: dict[str, Json], key: str, job_id: str, fields: tuple[str, ...]) -> Json:
    if key not in known:
        if key not in (*fields, "backend"):
            raise BadInput(f'unknown parameter "{cell(key, 40)}"{nearest(key, fields)}')
        raise BadInput(f'job "{cell(job_id, 60)}": {key}: missing, and other jobs of the batch have it')
    return known[key]


def reworded(flight: Preflight, jobs: list[GivenJob]) -> None:
    """Name jobs where the engine, which has read rows, names their lines."""
    flight.problems = [_of_job(problem, jobs) for problem in flight.problems]


def _of_job(problem: Problem, jobs: list[GivenJob]) -> Problem:
    key = problem.key.removeprefix("job.") if problem.key else None
    if problem.row is None or not 0 < problem.row <= len(jobs):
        file = None if problem.file in (STDIN, "standard input") else problem.file
        return msgspec.structs.replace(problem, file=file, key=key)
    name = f'job "{cell(jobs[problem.row - 1].id, 60)}"'
    return msgspec.structs.replace(problem, file=name, line=None, row=None, key=key)


def check_name(name: str, more: tuple[object, ...]) -> None:
    """A folder in the place of the name, as batchata has it, is said and not taken for a name. Raises BadInput."""
    if more:
        raise BadInput(
            "Batch takes one value without a name, what it is called; others are named: "
            "Batch(results_dir=…, max_parallel_batches=…, items_per_batch=…)"
        )
    if not isinstance(name, str) or "/" in name or os.sep in name or name in (".", "..", "~"):
        shown = cell(os.fspath(name) if isinstance(name, os.PathLike) else name, 80)
        raise BadInput(f'"{shown}" is a folder and no name; is it results_dir="{shown}"?')
