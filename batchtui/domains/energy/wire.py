"""What Daly says, read: the ids of a run, its task, its result, and why it was refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from batchtui.backends.base import DOING, Answer, Progress, Refused, RemoteBatch, Submission
from batchtui.backends.wire.ids import ADOPTED_TOKEN
from batchtui.backends.wire.replies import Reply, tidy
from batchtui.model import JobState, Json, Outcome, SubmissionState
from batchtui.text import cell

TERMINAL = ("completed", "failed", "cancelled")
SECTIONS = (
    "energyYieldSummary",
    "monthlySummary",
    "plantSummary",
    "losses",
    "summary",
    "results",
    "timeSeries",
)
"""A reply that holds one of these is a result."""
WORDS_KEPT = 500
_WAITING = ("pending", "queued")
_USABLE = re.compile(r"(?!\.{1,2}\Z)[!-9;-~]+")
"""Of any length; no colon, which stands between the ids of a run."""
_TASK = ("task_id", "taskId")
_MODEL = ("energy_model_id", "energyModelId")
_RUN = ("run_index", "runIndex")


class Ids(NamedTuple):
    """The three ids of a run, empty where they were not told. As a remote id: `task:model:run`."""

    task: str = ""
    model: str = ""
    run: str = ""

    def __str__(self) -> str:
        return ":".join(self).rstrip(":")

    @classmethod
    def of(cls, remote_id: str | None) -> Ids:
        """Undoes `str`; also takes a bare task id."""
        parts = [part if _USABLE.fullmatch(part) else "" for part in (remote_id or "").split(":")[:3]]
        return cls(*parts)

    @property
    def remote(self) -> dict[str, Json]:
        named = {"task_id": self.task, "energy_model_id": self.model, "run_index": self.run}
        return {key: int(value) if value.isdecimal() else value for key, value in named.items() if value}


def ids_in(reply: dict[str, Json]) -> Ids:
    """The ids, in each form of the reply; a task's own record names its id otherwise (see `task_ids`)."""
    details = reply.get("taskDetails")
    places = [reply, details] if isinstance(details, dict) else [reply]
    return Ids(*(_first(places, keys) for keys in (_TASK, _MODEL, _RUN)))


def task_ids(task: dict[str, Json]) -> Ids:
    """The ids in a task's record; that of the model may come only with the end."""
    data = task.get("resultData")
    places = [task, data] if isinstance(data, dict) else [task]
    return Ids(_id(task.get("id")), _first(places, _MODEL), _first(places, _RUN))


def is_done(reply: dict[str, Json]) -> bool:
    """Whether the reply to a submit is the result itself: the server did not queue the run."""
    details = reply.get("taskDetails")
    mode = str(
        details.get("executionMode") if isinstance(details, dict) else reply.get("executionMode")
    ).lower()
    queued = "async" in mode or "queue" in mode
    return not queued and any(reply.get(section) for section in SECTIONS)


def _first(places: list[dict[str, Json]], keys: tuple[str, ...]) -> str:
    return next((found for place in places for key in keys if (found := _id(place.get(key)))), "")


def _id(value: Json) -> str:
    if isinstance(value, bool):
        return ""
    text = str(value) if isinstance(value, int | str) else ""
    return text if _USABLE.fullmatch(text) else ""


# ---- a task


def status_of(task: dict[str, Json]) -> str:
    return str(task.get("status") or "").lower()


def progress_of(task: dict[str, Json]) -> Progress:
    """What a task's record says of the run; what it ended with is kept among the facts."""
    status = status_of(task)
    if status in TERMINAL:
        error, kind = _words(task.get("errorMessage")), _words(task.get("errorType"))[:60]
        facts: dict[str, Json] = {"status": status, DOING: ""}
        facts |= {key: value for key, value in (("error", error), ("error_type", kind)) if value}
        if model := task_ids(task).model:
            facts["energy_model_id"] = model
        return Progress(SubmissionState.ENDED, ended_as=status, error=error or None, facts=facts)
    waiting = status in _WAITING
    state = SubmissionState.SUBMITTED if waiting else SubmissionState.PROCESSING
    return Progress(state, 0, 0, facts={DOING: status if waiting else _doing(task)})


def _doing(task: dict[str, Json]) -> str:
    """Such as `calculating 60 %`."""
    stage = cell(task.get("stage") or status_of(task) or "running", 40)
    share = task.get("progress")
    known = isinstance(share, int | float) and not isinstance(share, bool) and 0 <= share <= 100
    return f"{stage} {share:.0f} %" if known else stage


def _words(value: Json) -> str:
    return tidy(value) if isinstance(value, str) else ""


def remote_batch(task: dict[str, Json]) -> RemoteBatch:
    created = next((task[key] for key in ("createdAt", "created_at", "createdAtUtc") if task.get(key)), None)
    name = next((task[key] for key in ("name", "title") if isinstance(task.get(key), str)), None)
    when = created if isinstance(created, str) else None
    return RemoteBatch(str(task_ids(task)), status_of(task), created=when, jobs=1, name=name, tells=False)


# ---- a result


def ids_of(submission: Submission) -> Ids:
    """The ids of a run as far as its submit and its task told them."""
    ids = Ids.of(submission.remote_id)
    model = submission.facts.get("energy_model_id")
    return ids if ids.model or not isinstance(model, str) else ids._replace(model=model)


def wire_id(submission: Submission) -> str:
    """A submission has one job, so its token names it."""
    return (submission.remote_id or "") if submission.token == ADOPTED_TOKEN else submission.token


def unfinished(submission: Submission) -> Outcome | None:
    """The outcome of a run that failed or was cancelled; None for one that has a result."""
    facts, remote = submission.facts, ids_of(submission).remote
    match facts.get("status"):
        case "failed":
            error, kind = facts.get("error") or "the run failed without a reason", facts.get("error_type")
            return Outcome(state=JobState.FAILED, error=error, error_kind=kind or "run", remote=remote)
        case "cancelled":
            return Outcome(state=JobState.CANCELLED, remote=remote)
    return None


def result_of(submission: Submission, reply: Reply) -> Answer:
    """The result with every section it has."""
    ids = ids_of(submission)
    told = ids_in(reply.json)
    ids = Ids(ids.task, ids.model, ids.run or told.run)
    outcome = Outcome(state=JobState.COMPLETED, remote=ids.remote, output=reply.json)
    return Answer(wire_id(submission), outcome)


def names_in(reply: Json) -> list[str]:
    """What a saved energy model is called, wherever its reply says so."""
    return list(_names(reply, 3))


def _names(value: Json, depth: int) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        if key in ("name", "title") and isinstance(inner, str) and inner.strip():
            yield inner
        elif depth and key in ("inputs", "input", "data", "results", "summary", "output"):
            yield from _names(inner, depth - 1)


# ---- a refusal


def refused(reply: Reply) -> Refused:
    """With the field of each fault in the message."""
    detail = reply.json.get("detail") if isinstance(reply.json, dict) else None
    faults = [_fault(item) for item in detail] if isinstance(detail, list) else []
    said = "; ".join(filter(None, faults[:3])) + (f"; and {len(faults) - 3} more" if len(faults) > 3 else "")
    if not said:
        words = (
            detail if isinstance(detail, str) else detail.get("message") if isinstance(detail, dict) else None
        )
        said = tidy(words if isinstance(words, str) else reply.text[:WORDS_KEPT])
    kind = {409: "conflict", 404: "not_found"}.get(reply.status, "invalid")
    body = reply.text[:WORDS_KEPT] if reply.json is None else reply.json
    return Refused(f"{said or 'refused without a reason'} ({reply.status})", kind, body)


def _fault(item: Json) -> str:
    """`blocks.0.albedo: Field required`"""
    if not isinstance(item, dict):
        return tidy(item) if isinstance(item, str) else ""
    loc = item.get("loc")
    path = ".".join(str(part) for part in loc if part != "body") if isinstance(loc, list) else ""
    return ": ".join(filter(None, (cell(path, 100), tidy(str(item.get("msg") or "")))))
