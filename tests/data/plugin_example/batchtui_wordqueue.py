"""Kind `wordqueue`: a worked example of a backend that takes many jobs at a time, and is paid for.

It speaks to the service of `wordqueue_server.py`; `test_wordqueue.py` proves it by the tests of `batchtui.testing`.

    [backends.queue]                          backend = "queue"
    kind = "wordqueue"                        [source]
    base_url = "http://127.0.0.1:8765"        file = "articles.csv"
    api_key_env = "WORDQUEUE_KEY"             [job]
                                              text = "{{ body }}"
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from urllib.parse import quote

import msgspec

from batchtui.backends.base import (
    Answer,
    BackendSettings,
    Forgotten,
    Found,
    Job,
    KindLimits,
    Note,
    Probe,
    Progress,
    Refused,
    Remote,
    RemoteBatch,
    Setup,
    Submission,
    Transient,
    Unsure,
)
from batchtui.backends.http import Http
from batchtui.backends.wire.calls import ask, ask_each, understood
from batchtui.backends.wire.pieces import Body
from batchtui.backends.wire.replies import object_of
from batchtui.model import JobState, Json, Outcome, SubmissionState

STATES = {
    "waiting": SubmissionState.SUBMITTED,
    "counting": SubmissionState.PROCESSING,
    "done": SubmissionState.ENDED,
    "cancelled": SubmissionState.ENDED,
}
ENDED_AS = {"done": "completed", "cancelled": "cancelled"}


class WordQueueSettings(BackendSettings, kw_only=True):
    base_url: str | None = "http://127.0.0.1:8765"


class WordQueueWork(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`[job]`; its strings are templates over the row, and come here filled in."""

    text: str


class WordQueue(Remote[WordQueueWork]):
    kind = "wordqueue"
    summary = "Counts the words of many texts, at a service"
    Settings = WordQueueSettings
    Work = WordQueueWork
    key_env = "WORDQUEUE_KEY"
    paid = True

    def __init__(self, setup: Setup[BackendSettings]) -> None:
        super().__init__(setup)
        self._http: Http | None = None

    @property
    def http(self) -> Http:
        """Made at the first use, in the loop of the worker."""
        if self._http is None:
            assert self.setup.connect is not None
            self._http = self.setup.connect()
        return self._http

    @property
    def limits(self) -> KindLimits:
        return KindLimits(
            jobs_per_submission=1_000, bytes_per_submission=1_000_000, poll_interval=1.0, settle=5.0
        )

    def check(self, job: Job[WordQueueWork]) -> list[tuple[str, str]]:
        return [] if job.work.text.strip() else [("text", "there is nothing to count")]

    def group(self, job: Job[WordQueueWork]) -> str:
        return ""

    def line(self, job: Job[WordQueueWork]) -> bytes:
        return json.dumps({"id": job.id, "text": job.work.text}).encode()

    async def submit(self, submission: Submission, jobs: Iterable[Job[WordQueueWork]], note: Note) -> str:
        """One call, which bears our token: by it a submission is found whose reply was lost."""
        texts: list[Json] = [json.loads(self.line(job)) for job in jobs]
        asked: Json = {"token": submission.token, "texts": texts}
        made = object_of(
            await self.http.request_json("POST", "batches", json=asked, create=True), create=True
        )
        remote_id = made.get("id")
        if not isinstance(remote_id, str):
            raise Unsure("the reply names no id for the batch", answered=True)
        return remote_id

    async def find(self, submission: Submission) -> Found:
        for batch in await self._all():
            if batch.get("token") == submission.token:
                return Found(remote_id=str(batch["id"]))
        return Found(absent=True)

    async def poll(self, submissions: Sequence[Submission]) -> dict[int, Progress | Transient]:
        known: dict[int, Progress | Transient] = {}
        await ask_each(submissions, self._progress, known)
        return known

    async def _progress(self, submission: Submission) -> Progress:
        reply = await ask(self.http, "GET", self._path(submission))
        if reply.status == 404:
            return Progress(
                state=SubmissionState.ENDED, ended_as="forgotten", error="there is no such batch (404)"
            )
        batch = understood(reply)
        state, done, total = str(batch.get("state")), batch.get("done"), batch.get("total")
        if state not in STATES:
            raise Transient(f"an unknown state: {state[:40]}", kind="bad_reply", answered=True)
        return Progress(
            state=STATES[state],
            completed=done if isinstance(done, int) else None,
            total=total if isinstance(total, int) else None,
            ended_as=ENDED_AS.get(state),
        )

    async def results(
        self, submission: Submission, keep: Callable[[str, bytes], None] | None
    ) -> AsyncGenerator[Answer, None]:
        """One JSON object a line. Without its length, or with a line that breaks off, it is not the whole."""
        body = Body()
        kept = None if keep is None else lambda chunk: keep("results.jsonl", chunk)
        path = f"{self._path(submission)}/results"
        try:
            async with aclosing(self.http.stream_lines("GET", path, keep=kept, body=body)) as lines:
                async for line in lines:
                    yield _answer(line)
        except Refused as fault:
            raise Forgotten(fault.message) from None
        if not body.framed:
            raise Transient("the results ended without a word on whether that was all", kind="not_whole")

    async def cancel(self, submission: Submission) -> None:
        reply = await ask(self.http, "DELETE", self._path(submission))
        if reply.status != 404:
            understood(reply)

    async def list(self) -> Sequence[RemoteBatch]:
        return [
            RemoteBatch(str(batch["id"]), str(batch.get("state")), token=str(batch.get("token")))
            for batch in await self._all()
        ]

    async def probe(self) -> Probe:
        return Probe(ok=True, message=f"{len(await self._all())} batches there")

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()

    async def _all(self) -> list[dict[str, Json]]:
        batches = understood(await ask(self.http, "GET", "batches")).get("batches")
        if not isinstance(batches, list):
            raise Transient("the list of batches is none", kind="bad_reply")
        return [batch for batch in batches if isinstance(batch, dict) and "id" in batch]

    def _path(self, submission: Submission) -> str:
        return f"batches/{quote(submission.remote_id or '', safe='')}"


def _answer(line: bytes) -> Answer:
    """Raises Transient for a line that is not whole."""
    try:
        told = json.loads(line)
        job_id, words = str(told["id"]), int(told["words"])
    except (ValueError, KeyError, TypeError):
        raise Transient("a line of the results cannot be read", kind="not_whole") from None
    outcome = Outcome(state=JobState.COMPLETED, output={"words": words})
    return Answer(job_id, outcome, raw=line.decode(errors="replace"))
