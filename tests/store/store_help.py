"""Batches made by hand for the tests of the store."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from batchtui.model import BatchSpec, JobRecord, JobState, Json, LimitsSpec, Outcome
from batchtui.store.disk.commit import Committer
from batchtui.store.files.header import BatchHeader
from batchtui.store.files.journal import seal
from batchtui.store.fold.progress import Progress
from batchtui.store.folder import BatchFolder
from batchtui.store.library import Library
from batchtui.store.writer import BatchWriter

ROOT = Path(__file__).parents[2]
HOSTILE = ROOT / "tests" / "data" / "hostile"


def header(batch_id: str, total: int, name: str = "invoices", **facts: Json) -> BatchHeader:
    defaults: dict[str, Json] = {"backend": "claude", "kind": "anthropic", "remote": True, "base": "/"}
    defaults |= {"created": "2026-11-21T07:00:00.000Z", "template": {"prompt": "{{ text }}"}}
    spec = BatchSpec(name=name, backend="claude", limits=LimitsSpec(cost_usd=5.0))
    return BatchHeader(id=batch_id, name=name, total=total, spec=spec, template_hash="0", **defaults | facts)


def make(data_dir: Path, ids: Sequence[str] | int = 6, name: str = "invoices", **facts: Json) -> BatchFolder:
    """A batch that was never driven."""
    draft = Library(data_dir).draft()
    job_ids = [f"job-{n}" for n in range(ids)] if isinstance(ids, int) else ids
    for n, job_id in enumerate(job_ids):
        draft.jobs.add(JobRecord(n=n, id=job_id, row={"text": f"row {n}"}))
    return draft.keep(header(draft.id, len(job_ids), name, **facts))


def drive(folder: BatchFolder) -> BatchWriter:
    """Takes the batch's lock; `close` the writer."""
    return BatchWriter(folder, Committer(), lambda _: None)


def again(folder: BatchFolder) -> BatchFolder:
    """The same batch, read from its files alone."""
    return BatchFolder(folder.path)


def session(writer: BatchWriter) -> None:
    """What a batch of six jobs may live through, every event at least once."""
    writer.record("intent", sub=1, backend="claude", token="t1", jobs="0-3", account="a", bytes=900)
    writer.record("note", sub=1, facts={"file": "file-1"})
    writer.record("unsure", sub=1, reason="no reply")
    writer.record("attention", kind="unsure", sub=1, text="may have been made", actions=["resend", "adopt"])
    writer.record("submitted", sub=1, remote_id="batch_1")
    writer.record("poll", sub=1, state="processing", completed=1, failed=0, expires="2026-11-22T07:00:00Z")
    writer.record("start", n=4, **{"try": 1})
    writer.record("trace", n=4, facts={"pid": 77})
    writer.record("retry", n=4, error_kind="rate_limited", error="429 💥")
    writer.record("start", n=4, **{"try": 2})
    writer.store(4, 2, "job-4", Outcome(state=JobState.INVALID, raw_response="no", error="not JSON"))
    writer.record("poll", sub=1, state="ended", ended_as="completed")
    for n, cost in ((0, 0.001), (1, 0.25), (2, None)):
        done = Outcome(
            state=JobState.COMPLETED, raw_response="ok", cost_usd=cost, input_tokens=10, output_tokens=5
        )
        writer.store(n, 1, f"job-{n}", done, sub=1, backend="claude", batch_id="batch_1")
    failed = Outcome(state=JobState.FAILED, error_kind="server_error", error="500")
    writer.store(3, 1, "job-3", failed, sub=1)
    writer.record("cancel_asked", sub=1)
    writer.record("collected", sub=1)
    writer.record("start", n=5, **{"try": 1})
    writer.record("lost", jobs="5")
    writer.record("mark", jobs="3", state="pending", fresh=True)
    writer.record("intent", sub=2, backend="claude", token="t2", jobs="3")
    writer.record("waiting", sub=2, reason="it was not made")
    writer.record("intent", sub=2, backend="claude", token="t2", jobs="3")
    writer.record("from_the_future", jobs="0-5", state="failed")
    writer.record("mark", jobs="3,5", state="cancelled", error_kind="stopped", error="was stopped")
    writer.record("settled", kind="unsure", sub=1)
    writer.record("inbox", upto=0)
    writer.record("ended")


def picture(progress: Progress) -> dict[str, Json]:
    """Every figure of a fold, comparable."""
    facts = {key: value for key, value in vars(progress).items() if key != "_interned"}
    return {key: list(value) if hasattr(value, "tolist") else value for key, value in facts.items()}


def folded(lines: Sequence[bytes], total: int) -> Progress:
    """The fold of these journal lines, from scratch, by the shortest way there is."""
    progress = Progress(total)
    for line in lines:
        progress.apply(json.loads(line))
    return progress


def write_journal(folder: BatchFolder, *events: Json) -> Path:
    """A journal of these events; each gets what it lacks of seq and time."""
    path = folder.path / "events.jsonl"
    first = {"event": "journal", "schema": 1}
    full = [
        {"seq": n, "time": "2026-11-21T07:00:00.000Z"} | event for n, event in enumerate((first, *events), 1)
    ]
    path.write_bytes(b"".join(map(seal, full)))
    return path


def plant(folder: BatchFolder, case: dict[str, Json]) -> Path:
    """Put the file of a case of `bad-state/index.json` in the place of the batch's own."""
    data = (HOSTILE / "bad-state" / case["path"]).read_bytes()
    path = folder.path / case["target"].rstrip("+")
    if case["target"].endswith("+"):
        data = json.dumps(json.loads(path.read_bytes()) | json.loads(data)).encode()
    elif case["target"] == "events.jsonl" and case.get("frame", True):
        data = b"".join(_framed(n, line) for n, line in enumerate(data.splitlines(keepends=True), 1))
    path.write_bytes(data)
    return path


def _framed(number: int, line: bytes) -> bytes:
    if not line.startswith(b"{") or not line.endswith(b"}\n"):
        return line
    return seal({"seq": number, "time": "2026-11-21T07:00:00.000Z"} | json.loads(line))


def python(code: str, *args: object, **options: Json) -> subprocess.Popen[str]:
    """Another process that runs `code` with the project importable."""
    command = [sys.executable, "-c", code, *map(str, args)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=ROOT, text=True, **pipes, **options)


def finished(process: subprocess.Popen[str]) -> str:
    """What the process printed, once it has ended well."""
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out
