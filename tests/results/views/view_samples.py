"""Batches whose results have figures: a sweep over spacings, the same again with other losses, and answers of a model."""

from __future__ import annotations

import json
from pathlib import Path
from unittest import mock

from batchtui.model import BatchSpec, JobRecord, JobState, Json, Outcome
from batchtui.store.disk.commit import Committer
from batchtui.store.files.header import BatchHeader
from batchtui.store.folder import BatchFolder
from batchtui.store.library import Library
from batchtui.store.writer import BatchWriter

CREATED = "2026-11-18T10:00:00.000000Z"
ENDED = "2026-11-18T10:00:02.500000Z"
Job = tuple[str, dict[str, Json], Outcome | None]


def make(library: Library, name: str, jobs: list[Job]) -> BatchFolder:
    """A batch of these jobs (id, row, what came back), written by the store itself; None stays pending."""
    draft = library.draft()
    for n, (job_id, row, _) in enumerate(jobs):
        draft.jobs.add(JobRecord(n=n, id=job_id, row=row))
    header = BatchHeader(
        id=draft.id, name=name, backend="local", kind="local", remote=False, created=CREATED, total=len(jobs),
        spec=BatchSpec(name=name), template={}, template_hash="0", base=str(library.data_dir),
    )  # fmt: skip
    folder = draft.keep(header)
    committer = Committer()
    writer = BatchWriter(folder, committer, lambda _: None)
    with mock.patch("batchtui.store.writer.now", return_value=ENDED):
        for n, (job_id, _, outcome) in enumerate(jobs):
            if outcome:
                writer.record("start", n=n, **{"try": 1})
                writer.store(n, 1, job_id, outcome, started=CREATED)
    if all(outcome for _, _, outcome in jobs):
        writer.record("ended")
    writer.close()
    committer.stop()
    return folder


def completed(**output: Json) -> Outcome:
    return Outcome(state=JobState.COMPLETED, output=output)


def failed(error: str = "did not converge") -> Outcome:
    return Outcome(state=JobState.FAILED, error=error, error_kind="not_converged")


def sweep(library: Library, name: str = "sweep", *, loss: float = 0.0, count: int = 20) -> BatchFolder:
    """Sites at growing spacing; every seventh fails. CSV rows hold their numbers as text."""
    jobs: list[Job] = []
    for n in range(count):
        energy = {"annual_mwh": 4000 + 7 * n - loss * n, "site": f"ridge {n}"}
        outcome = failed() if n % 7 == 6 else completed(summary=energy, runs=[1, 2, 3], ok=True)
        jobs.append((f"site-{n:02}", {"gcr": f"{0.3 + n / 100:.2f}", "note": "=1+1"}, outcome))
    return make(library, name, jobs)


def answers(library: Library, name: str = "answers", *, words: str = "blue") -> BatchFolder:
    """What a model said: JSON with a figure, and plain words."""
    jobs: list[Job] = [
        (
            f"q{n}",
            {"text": f"row {n}"},
            Outcome(state=JobState.COMPLETED, raw_response=json.dumps({"score": n * n})),
        )
        for n in range(4)
    ]
    jobs.append(("words", {}, Outcome(state=JobState.COMPLETED, raw_response=words, input_tokens=12)))
    jobs.append(("open", {}, None))
    return make(library, name, jobs)


def a_library(tmp_path: Path) -> Library:
    return Library(tmp_path / "data")
