"""Results of kind `rest`: one reply for one job, or a list for many."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing

from batchtui.backends.base import Answer, Forgotten, Refused, Submission, Transient
from batchtui.backends.rest.fetching import Fetching, Keep
from batchtui.backends.rest.lists import request_of, understood
from batchtui.backends.rest.parts import ENDED, FAULT, KEPT, Parts, kept_of
from batchtui.backends.rest.session import Session
from batchtui.backends.rest.templates import Request
from batchtui.backends.wire.ids import ADOPTED_TOKEN
from batchtui.backends.wire.pieces import REPLY_LIMIT
from batchtui.backends.wire.replies import Reply, error_words, tidy
from batchtui.model import JobState, Json, Outcome
from batchtui.sources.templates.filters import as_text


async def kept_answer(parts: Parts, submission: Submission) -> Answer:
    """The answer of a submission's only job, which its submit was answered with. Raises Forgotten, Transient."""
    assert submission.answer is not None
    try:
        data = await asyncio.to_thread(submission.answer.read_bytes)
    except FileNotFoundError:
        raise Forgotten(
            f"what its submit was answered with is no longer in raw/{submission.answer.name}"
        ) from None
    text = data.decode("utf-8", "replace")
    if parts.at_once is None:
        raise Transient(
            "the table has no submit.result any more, by which its answer is read", kind="no_place"
        )
    return Answer(submission.token, parts.at_once.outcome(text, _remote(submission)), text)


async def one_answer(
    parts: Parts, session: Session, submission: Submission, keep: Keep | None
) -> Answer | None:
    """The answer of a submission's only job; None where it ended without one, which its state says. Raises as results."""
    facts = submission.facts
    wire_id = (submission.remote_id or "") if submission.token == ADOPTED_TOKEN else submission.token
    remote = _remote(submission)
    if facts.get(ENDED) == "failed":
        error = str(facts.get(FAULT) or "the API says that it failed, but not why")
        return Answer(
            wire_id, Outcome(state=JobState.FAILED, error=error, error_kind="remote", remote=remote)
        )
    if facts.get(ENDED) in ("cancelled", "expired"):
        return None
    fetching = Fetching(parts, session, keep)
    if parts.format == "file":
        return Answer(wire_id, await _file(parts, session, fetching, submission, remote, keep))
    if parts.fetch_list is not None:
        whole = await _all_pages(parts, session, submission, fetching)
        text = json.dumps(whole)
        fetching.kept(Reply(200, {}, whole, text))
        return Answer(wire_id, _outcome(parts, whole, remote), text)
    reply = await fetching.read(_call(parts, session, submission))
    _insist(reply)
    fetching.kept(reply)
    return Answer(wire_id, _outcome(parts, reply, remote), reply.text)


def _call(parts: Parts, session: Session, submission: Submission) -> Request:
    call = parts.fetch or parts.poll
    assert call is not None
    return request_of(call, parts.values(submission, session.env))


def _insist(reply: Reply) -> None:
    """Raises Forgotten, Transient, TryLater, NeedsPerson for what is no result."""
    if reply.status == 410:
        raise Forgotten("the API no longer has the result (410)")
    if reply.status == 404:
        raise Transient("the result is not there (404)", kind="not_ready")
    understood(reply)


async def _file(
    parts: Parts, session: Session, fetching: Fetching, submission: Submission, remote: dict[str, Json], keep: Keep | None
) -> Outcome:  # fmt: skip
    if keep is None:
        error = "the result is a file, and with output.raw = false none is kept; the API still has it"
        return Outcome(state=JobState.FAILED, error=error, error_kind="not_kept", remote=remote)
    file = await fetching.save(_call(parts, session, submission), f"raw/{submission.id}-")
    return Outcome(state=JobState.COMPLETED, output=file, remote=remote)


async def _all_pages(
    parts: Parts, session: Session, submission: Submission, fetching: Fetching
) -> list[Json]:
    """The items of a result that goes on over several pages."""
    assert parts.fetch_list is not None
    values = parts.values(submission, session.env)
    found: list[Json] = []
    size = 0
    try:
        async with aclosing(parts.fetch_list.pages(session, values, read=fetching.read)) as pages:
            async for page in pages:
                size += len(page.reply.text)
                if size > REPLY_LIMIT:
                    raise Transient(
                        f"the result is over the limit of {REPLY_LIMIT:,} bytes", kind="too_large"
                    )
                found += page.items
                complete = page.complete
    except Refused as fault:
        raise Transient(f"the results are not there: {fault.message}", kind="not_ready") from None
    if not complete:
        raise Transient("the result breaks off: its last page is not told apart", kind="not_whole")
    return found


async def many_answers(
    parts: Parts, session: Session, submission: Submission, keep: Keep | None
) -> AsyncGenerator[Answer, None]:
    assert parts.fetch_list is not None
    remote = _remote(submission)
    try:
        read = Fetching(parts, session, None).read
        pages = parts.fetch_list.pages(session, parts.values(submission, session.env), read=read)
        async with aclosing(pages) as all_pages:
            async for page in all_pages:
                if keep is not None:
                    keep("results.json", page.reply.text.strip().encode("utf-8", "surrogatepass") + b"\n")
                for item in page.items:
                    yield _one_of_many(parts, item, remote)
    except Refused as fault:
        if fault.kind == "no_list" and submission.facts.get(ENDED) == "completed":
            raise Transient(f"the results are not there: {fault.message}", kind="not_ready") from None
        if fault.kind != "no_list":
            raise


def _one_of_many(parts: Parts, item: Json, remote: dict[str, Json]) -> Answer:
    job_id = parts.job(item)
    words = error_words(parts.error(item))
    if words:
        outcome = Outcome(state=JobState.FAILED, error=tidy(words), error_kind="remote", remote=remote)
    else:
        outcome = _outcome(parts, item, remote)
    return Answer("" if job_id is None else as_text(job_id), outcome, json.dumps(item))


def _outcome(parts: Parts, value: Json | Reply, remote: dict[str, Json]) -> Outcome:
    return parts.result_at.outcome(value, {**remote, **kept_of(parts.fetch_keep, value)})


def _remote(submission: Submission) -> dict[str, Json]:
    kept = submission.facts.get(KEPT)
    return {"id": submission.remote_id, **(kept if isinstance(kept, dict) else {})}
