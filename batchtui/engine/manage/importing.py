"""Batches of batchata, read from its results folder or state file into a batch of ours."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from batchtui.amounts import counted
from batchtui.engine.adopt.records import sized
from batchtui.engine.plan.compose.rendering import BadField, Rendering
from batchtui.engine.plan.compose.routing import Routing
from batchtui.engine.plan.consent.reach import Reach
from batchtui.engine.shared.pool import Backends
from batchtui.errors import BadInput
from batchtui.limit_ranges import limit_problems
from batchtui.model import BatchSpec, JobRecord, JobState, Json, LimitsSpec, Outcome, Row
from batchtui.store.disk import clock
from batchtui.store.disk.commit import Committer
from batchtui.store.files.header import BatchHeader
from batchtui.store.folder import BatchFolder
from batchtui.store.library import Library
from batchtui.store.writer import BatchWriter
from batchtui.text import cell

RAW = "raw_files"
ELSEWHERE = "batchata"
"""Stands for the backend of jobs that nobody here can tell."""
_STATE_KEYS = ("completed_results", "failed_jobs", "pending_jobs")
_WORK = ("model", "messages", "prompt", "file", "temperature", "max_tokens")
_TEMPLATE = {key: "{{ " + key + " }}" for key in _WORK} | {"citations": "{{ citations }}"}
_KINDS_OF_ERROR = {
    "Cost limit exceeded": "budget",
    "Time limit exceeded": "time_limit",
    "HTTP error": "server",
}
_LIMITS = {
    "cost_limit_usd": "cost_usd", "time_limit_seconds": "time", "items_per_batch": "jobs_per_submission",
    "max_parallel_batches": "submissions_at_once",
}  # fmt: skip
"""batchata's names of limits, and ours."""
_WHOLE = ("jobs_per_submission", "submissions_at_once")
_RESULT_LIMIT = 64 * 1024 * 1024


@dataclass(slots=True)
class Found:
    """One job: the file of its result, or what the state file says became of it, or the job itself while pending."""

    id: str
    path: Path | None = None
    outcome: Outcome | None = None
    work: dict[str, Json] = field(default_factory=dict)


@dataclass(slots=True)
class Imported:
    folder: BatchFolder
    pending: int
    """Jobs that were never sent; the batch is paused so that a person sends them."""
    notes: list[str]


# ---- reading -----------------------------------------------------------------------------------


def read(path: Path) -> list[Found]:
    """The jobs of a results folder or a state file. Raises BadInput for what is neither."""
    if path.is_dir():
        return _folder(path)
    document = _json(path)
    if not _is_state(document):
        raise BadInput(
            f"{cell(path)}: is no batchata state file: it has none of {', '.join(_STATE_KEYS)}; "
            "a results folder is imported as the folder"
        )
    return list(_state(document, path.absolute().parent))


def _folder(path: Path) -> list[Found]:
    files = sorted(file for file in path.rglob("*.json") if RAW not in file.relative_to(path).parts)
    found = [Found(_id_of(document, file), file) for file in files if _is_result(document := _json(file))]
    if not found:
        raise BadInput(f"{cell(path)}: holds no results: no .json file with a job_id")
    return found


def _is_result(document: Json) -> bool:
    return isinstance(document, dict) and "job_id" in document and not _is_state(document)


def _is_state(document: Json) -> bool:
    return isinstance(document, dict) and any(isinstance(document.get(key), list) for key in _STATE_KEYS)


def _id_of(document: dict[str, Json], file: Path) -> str:
    return str(document.get("job_id") or file.stem)


def _json(path: Path) -> Json:
    """Raises BadInput."""
    try:
        if path.stat().st_size > _RESULT_LIMIT:
            raise BadInput(f"{cell(path)}: is larger than a result can be")
        return json.loads(path.read_bytes())
    except OSError as fault:
        raise BadInput(f"{cell(path)}: cannot be read ({fault.strerror})") from None
    except (ValueError, RecursionError) as fault:
        raise BadInput(f"{cell(path)}: is not JSON ({cell(fault, 100)})") from None


def _state(document: dict[str, Json], base: Path) -> Iterator[Found]:
    config = document.get("config")
    results = Path(str(config.get("results_dir") or "")) if isinstance(config, dict) else Path()
    for item in _items(document, "completed_results"):
        yield Found(str(item.get("job_id")), _located(str(item.get("file_path") or ""), base, results))
    for item in _items(document, "failed_jobs"):
        yield Found(str(item.get("id")), outcome=_failure(str(item.get("error") or "no reason is noted")))
    for item in _items(document, "cancelled_jobs"):
        yield Found(
            str(item.get("id")),
            outcome=Outcome(state=JobState.CANCELLED, error=str(item.get("reason") or "") or None),
        )
    for item in _items(document, "pending_jobs"):
        work: dict[str, Json] = {key: item.get(key) for key in _WORK}
        yield Found(str(item.get("id")), work=work | {"citations": bool(item.get("enable_citations"))})


def _items(document: dict[str, Json], key: str) -> list[dict[str, Json]]:
    items = document.get(key)
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _located(name: str, base: Path, results: Path) -> Path:
    """Where a result file is now: as noted, or beside the state file where the whole folder was moved."""
    noted = Path(name)
    places = (base / noted, base / results / noted.name, base / results.name / noted.name, base / noted.name)
    return next((place for place in places if place.is_file()), base / noted)


def _failure(error: str) -> Outcome:
    kind = next((kind for words, kind in _KINDS_OF_ERROR.items() if words in error), "imported")
    return Outcome(state=JobState.FAILED, error=error, error_kind=kind)


def _outcome(found: Found) -> tuple[Outcome, str | None]:
    """What became of the job, and the provider's batch it was in."""
    if found.outcome or found.path is None:
        return found.outcome or _failure("it was never sent"), None
    try:
        document = _json(found.path)
    except BadInput as fault:
        return Outcome(state=JobState.FAILED, error=str(fault), error_kind="lost"), None
    error = document.get("error")
    outcome = Outcome(state=JobState.COMPLETED)
    if error:
        outcome = _failure(str(error))
        if str(error).startswith("Cancelled"):
            outcome = Outcome(state=JobState.CANCELLED, error=str(error))
    raw = document.get("raw_response")
    outcome.raw_response = raw if isinstance(raw, str) and (raw or not error) else None
    outcome.parsed_response = document.get("parsed_response")
    citations, batch_id = document.get("citations"), document.get("batch_id")
    outcome.citations = citations if isinstance(citations, list) else None
    outcome.citation_mappings = document.get("citation_mappings")
    outcome.input_tokens = _whole(document.get("input_tokens"))
    outcome.output_tokens = _whole(document.get("output_tokens"))
    cost = document.get("cost_usd")
    if isinstance(cost, int | float) and not isinstance(cost, bool) and 0 <= cost < 1e9:
        outcome.cost_usd = float(cost)
    return outcome, batch_id if isinstance(batch_id, str) else None


def _whole(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _carried(path: Path) -> tuple[LimitsSpec, list[str]]:
    """The limits that a state file names, and what of it cannot be taken along; a results folder names none."""
    limits = LimitsSpec()
    notes: list[str] = []
    document = _json(path) if path.is_file() else None
    if not isinstance(document, dict):
        return limits, notes
    config = document.get("config")
    named: dict[str, Json] = document | (config if isinstance(config, dict) else {})
    for theirs, ours in _LIMITS.items():
        value = named.get(theirs)
        if value is None:
            continue
        given = LimitsSpec(**{ours: value}) if _is_number(value) else None
        problem = (
            next((str(one) for one in limit_problems(given, None, theirs) if one.fatal), "") if given else ""
        )
        if given is None or problem or (ours in _WHOLE and not isinstance(value, int)):
            notes.append(
                f"{theirs} = {cell(value, 40)} is no limit that can be kept{f' ({problem})' if problem else ''}"
            )
        else:
            setattr(limits, ours, value)
    models = [
        item["response_model"] for item in _items(document, "pending_jobs") if item.get("response_model")
    ]
    if models:
        notes.append(
            f"{counted(len(models), 'job')} still to be sent had a response_model ({cell(models[0], 60)}), which the "
            "state file only names: their answers are not held against a schema"
        )
    return limits, notes


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


# ---- making a batch ------------------------------------------------------------------------------


def make(
    found: list[Found],
    path: Path,
    library: Library,
    backends: Backends,
    *,
    backend: str | None,
    name: str,
    agree: Callable[[Reach], None] | None = None,
) -> Imported:
    """Store them as a batch; `backend` is where jobs that are still to be sent go, else their model says it.

    `agree` is asked before anything is kept, and raises where nobody agrees to what jobs that are to be sent would do.
    Raises BadInput for an id that is there twice, ConfigError, NotFound.
    """
    limits, notes = _carried(path)
    routes = _routes(found, backends, backend, notes)
    first = next((route for route in routes if route), None) or _provider(path, backends)
    folder_of_files = path.absolute().parent
    reach = Reach(BatchSpec(), folder_of_files, implied=_TEMPLATE)
    draft = library.draft()
    try:
        seen: set[str] = set()
        for n, job in enumerate(found):
            if job.id in seen:
                raise BadInput(f'{cell(path)}: id "{cell(job.id, 60)}" is there twice')
            seen.add(job.id)
            record = JobRecord(n=n, id=job.id, row=job.work)
            if route := routes[n]:
                to = backends.get(route)
                reach.templates[to.name] = _TEMPLATE
                rendering = Rendering(_TEMPLATE, to.Work)
                reach.look(to, rendering.work(job.work, {}), {})
                record = sized(to, rendering, job.id, n, Row(n + 1, None, job.work), {})
                record.backend = route if route != first else None
            draft.jobs.add(record)
        if agree:
            agree(reach)
        used = dict.fromkeys(route for route in routes if route)
        header = BatchHeader(
            id=draft.id,
            name=draft.free_name(name or path.absolute().name),
            backend=first,
            kind=", ".join(dict.fromkeys(backends.kind(one) for one in used)) or ELSEWHERE,
            remote=any(backends.get(one).remote for one in used),
            created=clock.now(),
            total=len(found),
            spec=BatchSpec(name=name or path.absolute().name, backend=first if used else None, limits=limits),
            template=_TEMPLATE if used else {},
            template_hash="",
            base=str(folder_of_files),
            accounts={one: backends.get(one).account() for one in used},
            paused=True,
            tags=["imported"],
        )
        folder = draft.keep(header)
    except BaseException:
        draft.discard()
        raise
    try:
        pending = _store(folder, found, routes)
    except BaseException:
        library.remove(folder.id)
        raise
    return Imported(folder, pending, notes)


def _routes(
    found: list[Found], backends: Backends, backend: str | None, notes: list[str]
) -> list[str | None]:
    """The backend of each job that is still to be sent; None for the others."""
    spec = BatchSpec(backend=backend, job={"model": "{{ model }}"})
    routing = Routing(spec, {}, backends)
    routes: list[str | None] = []
    for job in found:
        route = None
        if job.work:
            try:
                named = routing.backend(Row(number=1, line=None, values=job.work), {})
                if named not in backends.config.backends and backends.without_key(named):
                    raise BadField(f"no key of {named} is there; its backend comes with one", "backend")
                backends.get(named)
                route = named
            except BadField as fault:
                if str(fault) not in notes:
                    notes.append(f"not sent: {fault}")
                job.outcome = Outcome(state=JobState.CANCELLED, error=str(fault), error_kind="not_sent")
        routes.append(route)
    return routes


def _provider(path: Path, backends: Backends) -> str:
    """The backend whose kind batchata kept files of, as far as one can tell."""
    folder = path if path.is_dir() else path.parent
    kinds = {file.name.partition("_batch_")[0] for file in folder.glob(f"{RAW}/requests/*_batch_*")}
    fitting = [name for name, one in backends.config.backends.items() if one.kind in kinds]
    return fitting[0] if len(fitting) == 1 else ELSEWHERE


def _store(folder: BatchFolder, found: list[Found], routes: list[str | None]) -> int:
    """Write the results; how many jobs have none yet."""
    committer = Committer()
    writer = BatchWriter(folder, committer, lambda _: None)
    pending = 0
    try:
        for n, job in enumerate(found):
            if routes[n] is not None:
                pending += 1
                continue
            outcome, batch_id = _outcome(job)
            writer.store(n, 1, job.id, outcome, backend=folder.header.backend, batch_id=batch_id)
        if not pending:
            folder.header.paused = False
            writer.save_header()
            writer.record("ended", state=folder.state())
    finally:
        writer.close()
        committer.stop()
    return pending
