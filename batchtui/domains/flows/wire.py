"""What a Buttermilk server says: its batches, their records, and its refusals in words."""

from __future__ import annotations

from urllib.parse import quote

from batchtui.backends.base import DOING, Answer, Progress, Refused, RemoteBatch, RemoteJob
from batchtui.backends.wire.replies import Reply, provider_words, tidy
from batchtui.backends.wire.values import iso
from batchtui.model import JobState, Json, Outcome, SubmissionState
from batchtui.text import clean

BATCHES = "api/batches"
NO_API = (
    "this server has no batch API: it answers 404 at /api/batches, as Buttermilk does in most of its versions; "
    "check base_url, or ask who runs it for one with the batch routes"
)
NO_ANSWERS = "interactive: what its runs ask is answered at the server, whose batch API has no route for it"
FINISHED = frozenset({"completed", "failed"})
_NO_ROUTE = "Not Found"
_ENDED = FINISHED | {"cancelled"}


def no_api(reply: Reply) -> bool:
    """Whether a 404 is of a server without such a route, and not the batch API's own word for an unknown id."""
    detail = reply.json.get("detail") if isinstance(reply.json, dict) else None
    return reply.status == 404 and (not isinstance(detail, str) or detail == _NO_ROUTE)


def words(reply: Reply) -> str:
    """A refusal in one line: its text, or each field with its reason."""
    detail = reply.json.get("detail") if isinstance(reply.json, dict) else None
    if not isinstance(detail, list):
        return provider_words(reply)
    return "; ".join(_fault(item) for item in detail[:5] if isinstance(item, dict)) or provider_words(reply)


def _fault(item: dict[str, Json]) -> str:
    loc, message = item.get("loc"), tidy(str(item.get("msg") or item.get("type") or "refused"))
    path = [str(part) for part in loc if part != "body"] if isinstance(loc, list) else []
    return f"{tidy('.'.join(path))}: {message}" if path else message


def refusal(reply: Reply) -> Refused:
    """What a 4xx of a create means: nothing was made."""
    if no_api(reply):
        return Refused(NO_API, "no_batch_api", reply.json)
    detail = reply.json.get("detail") if isinstance(reply.json, dict) else None
    first = (
        detail[0].get("type") if isinstance(detail, list) and detail and isinstance(detail[0], dict) else None
    )
    kind = first if isinstance(first, str) and first.replace("_", "").isalnum() else "refused"
    return Refused(f"{words(reply)} ({reply.status})", kind[:40], reply.json)


# ---- batches -----------------------------------------------------------------------------------


def number(value: Json) -> int:
    """A count as it should be; 0 for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def status_of(thing: dict[str, Json]) -> str:
    return str(thing.get("status") or "").strip().lower()


def progress_of(batch: dict[str, Json]) -> Progress:
    """Where a batch stands by its own word; one without records will never say that it has ended."""
    total, status = number(batch.get("total_jobs")), status_of(batch)
    completed, failed = number(batch.get("completed_jobs")), number(batch.get("failed_jobs"))
    ended_as = status if status in _ENDED else None
    if batch.get("total_jobs") == 0:
        ended_as = ended_as or "completed"
    elif 0 < total <= completed + failed and ended_as is None:
        ended_as = "completed"
    waiting = status == "pending" and not completed and not failed
    live = SubmissionState.SUBMITTED if waiting else SubmissionState.PROCESSING
    return Progress(
        state=SubmissionState.ENDED if ended_as else live,
        completed=completed,
        failed=failed,
        total=total,
        ended_as=ended_as,
        facts={"total": total} | ({DOING: NO_ANSWERS} if batch.get("interactive") is True else {}),
    )


def remote_batch(batch: dict[str, Json], remote_id: str) -> RemoteBatch:
    return RemoteBatch(
        remote_id=remote_id,
        status=status_of(batch),
        created=iso(batch.get("created_at")),
        jobs=number(batch.get("total_jobs")),
        name=str(batch.get("flow") or "") or None,
    )


# ---- records -----------------------------------------------------------------------------------


def record_of(item: Json) -> RemoteJob | None:
    """A line of a batch's list of jobs; older servers say no more of one than its record."""
    if not isinstance(item, dict) or not isinstance(item.get("record_id"), str):
        return None
    known = ("record_id", "flow", "parameters", "status", "error", "started_at", "completed_at")
    work = {key: item[key] for key in known if item.get(key) is not None}
    return RemoteJob(item["record_id"], work, ended=status_of(item) in (*FINISHED, ""))


def segment(record_id: str) -> str | None:
    """The id as one step of a path; None for one that no address of this server can carry."""
    if not record_id or "/" in record_id:
        return None
    if record_id in (".", ".."):
        return record_id.replace(".", "%2E")
    return quote(record_id, safe="")


def unreachable(job: RemoteJob) -> Answer:
    """A record whose result the server has and cannot give."""
    status = str(job.work.get("status") or "done")
    what = "holds a slash" if "/" in job.wire_id else "is empty"
    text = f"cannot be fetched: the record's id {what}, which no address of this server can carry; it is {status} there"
    remote = {"record_id": job.wire_id}
    outcome = Outcome(state=JobState.FAILED, error=text, error_kind="cannot_fetch", remote=remote)
    return Answer(job.wire_id, outcome)


def not_run(job: RemoteJob, error_policy: str | None) -> Answer:
    """A record that its batch ended without."""
    stopped = error_policy == "stop"
    text = (
        "not run: an earlier record failed and error_policy is stop" if stopped else "cancelled before it ran"
    )
    kind = "stopped" if stopped else None
    remote = {"record_id": job.wire_id}
    return Answer(job.wire_id, Outcome(state=JobState.CANCELLED, error=text, error_kind=kind, remote=remote))


def answer_of(job: RemoteJob, remote_id: str, reply: Reply) -> Answer:
    """The result of one record, of whatever shape its flow gives."""
    body = reply.json if isinstance(reply.json, dict) else {}
    definition = body.get("job_definition")
    definition = definition if isinstance(definition, dict) else {}
    remote: dict[str, Json] = {"batch": remote_id, "record_id": job.wire_id}
    remote |= {
        key: definition[key] for key in ("started_at", "completed_at", "result_uri") if definition.get(key)
    }
    error = body.get("error")
    if error is not None or status_of(definition) == "failed":
        said = (
            error
            if isinstance(error, str)
            else definition.get("error") or error or "it failed without a reason"
        )
        outcome = Outcome(
            state=JobState.FAILED,
            error=clean(str(said))[:2000],
            error_kind="flow",
            remote=remote,
            body=reply.json,
        )
        return Answer(job.wire_id, outcome, reply.text)
    result = body.get("result")
    outcome = Outcome(
        state=JobState.COMPLETED,
        output=result,
        raw_response=result if isinstance(result, str) else None,
        finish_reason="started"
        if result == {}
        else None,  # a runner that does not wait gives its empty callback
        remote=remote,
        body=reply.json,
    )
    return Answer(job.wire_id, outcome, reply.text)
