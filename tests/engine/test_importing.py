"""A batchata results folder and its state file, in the shapes of batchata 0.4.7, become a batch of ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchtui.engine.manage.importing import Imported, make, read
from batchtui.engine.plan.consent.reach import Reach
from batchtui.errors import BadInput
from batchtui.model import Json
from tests.engine.bench import Bench, until
from tests.engine.test_remote import Served, creates


def result(job_id: str, **fields: Json) -> dict[str, Json]:
    return {
        "job_id": job_id, "raw_response": f"about {job_id}", "parsed_response": None, "citations": None,
        "citation_mappings": None, "input_tokens": 12, "output_tokens": 5, "cost_usd": 0.25, "error": None,
        "batch_id": "msgbatch_01",
    } | fields  # fmt: skip


def results_dir(folder: Path, *results: dict[str, Json]) -> Path:
    folder.mkdir(parents=True)
    for one in results:
        (folder / f"{one['job_id'].replace('/', '_')}.json").write_text(json.dumps(one, indent=2))
    (folder / "raw_files" / "responses").mkdir(parents=True)
    (folder / "raw_files" / "responses" / "a_raw.json").write_text('{"job_id": "no result of its own"}')
    return folder


def imported(bench: Bench, path: Path, **options: Json) -> Imported:
    known = {"backend": None, "name": ""} | options
    return make(read(path), path, bench.library, bench.backends, **known)


def test_a_results_folder(bench: Bench, tmp_path: Path) -> None:
    cited = [{"text": "x", "source": "a.pdf", "page": 3, "metadata": {"type": "page_location"}}]
    folder = results_dir(
        tmp_path / "out",
        result("a", parsed_response={"total": 3}, citations=cited, citation_mappings={"total": cited}),
        result("b/c", raw_response="", error="Request failed: overloaded", cost_usd=0.0),
        result("d", raw_response=None, error="Cancelled by user", batch_id=None),
    )
    done = imported(bench, folder)
    assert (done.pending, done.notes) == (0, [])
    batch = bench.library.open(done.folder.id)
    status = batch.status()
    assert (status.name, status.status, status.paused) == ("out", "completed", False)
    assert (status.completed, status.failed, status.cancelled) == (1, 1, 1)
    first, second, third = map(batch.result, range(3))
    assert (first.job_id, first.parsed_response, first.citations) == ("a", {"total": 3}, cited)
    assert (first.cost_usd, first.batch_id, first.raw_response) == (0.25, "msgbatch_01", "about a")
    assert (second.job_id, second.error) == ("b/c", "Request failed: overloaded")
    assert (third.status, third.raw_response) == ("cancelled", None)
    assert status.cost_usd == 0.5
    assert bench.drive(batch.id).status().status == "completed"


def state(folder: Path, **lists: Json) -> Path:
    config = {"results_dir": str(folder / "moved" / "results"), "items_per_batch": 2, "raw_files": True}
    document = {"created_at": "2026-01-01T00:00:00", "total_cost_usd": 0.5, "config": config} | {
        key: lists.get(key, [])
        for key in ("pending_jobs", "completed_results", "failed_jobs", "cancelled_jobs")
    }
    path = folder / "batch_state.json"
    path.write_text(json.dumps(document))
    return path


def pending(job_id: str, **fields: Json) -> dict[str, Json]:
    return {
        "id": job_id, "model": "demo-small", "messages": [{"role": "user", "content": job_id}], "prompt": None,
        "file": None, "temperature": 0.7, "max_tokens": 50, "enable_citations": False, "response_model": None,
    } | fields  # fmt: skip


def test_a_state_file_whose_unsent_jobs_wait_for_a_word(served: Served, tmp_path: Path) -> None:
    bench, server = served()
    results_dir(tmp_path / "results", result("a"))
    path = state(
        tmp_path,
        completed_results=[
            {"job_id": "a", "file_path": "/gone/results/a.json"},
            {"job_id": "b", "file_path": "/gone/results/b.json"},
        ],
        failed_jobs=[{"id": "c", "error": "Cost limit exceeded", "timestamp": "t"}],
        cancelled_jobs=[{"id": "d", "reason": "Cancelled by user", "timestamp": "t"}],
        pending_jobs=[pending("e"), pending("f", messages=None, prompt="what of f")],
    )
    done = imported(bench, path, backend="openai", name="rescued")
    assert done.pending == 2
    folder = bench.drive(done.folder.id)
    status = folder.status()
    assert (status.name, status.completed, status.failed, status.cancelled) == ("rescued", 1, 2, 1)
    assert (status.pending, status.paused) == (2, True)
    assert folder.result(1).error_kind == "lost"
    assert folder.result(2).error_kind == "budget"
    assert not creates(server)
    bench.ask(folder, "resume")
    until(lambda: not bench.worker.drives(folder.id))
    assert folder.status().completed == 3
    assert "what of f" in (folder.result(5).raw_response or "")
    assert [len(entry["job_ids"]) for entry in creates(server)] == [2]


def test_jobs_that_would_upload_files_are_asked_about(served: Served, tmp_path: Path) -> None:
    bench, _ = served()
    path = state(tmp_path, pending_jobs=[pending("e", file="/etc/hostname")])

    def refuse(reach: Reach) -> None:
        uploads, reads = reach.lines
        assert uploads.endswith('file = "{{ file }}", first /etc/hostname')
        assert reads == "reads files in /etc, outside its folder"
        raise BadInput("nobody agrees")

    with pytest.raises(BadInput, match="nobody agrees"):
        make(read(path), path, bench.library, bench.backends, backend="openai", name="", agree=refuse)
    assert list(bench.library.ids()) == []


def test_unsent_jobs_that_no_backend_here_takes(bench: Bench, tmp_path: Path) -> None:
    done = imported(
        bench, state(tmp_path, pending_jobs=[pending("e"), pending("f", model="claude-sonnet-4-5")])
    )
    assert done.pending == 0
    assert len(done.notes) == 2
    assert done.folder.status().cancelled == 2
    assert done.folder.result(0).error_kind == "not_sent"


def test_what_is_neither_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="holds no results"):
        read(tmp_path / "empty")
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(BadInput, match="is no batchata state file"):
        read(tmp_path / "x.json")
    (tmp_path / "x.json").write_text("[[[")
    with pytest.raises(BadInput, match="is not JSON"):
        read(tmp_path / "x.json")


def test_limits_come_along_and_what_cannot_is_told(bench: Bench, tmp_path: Path) -> None:
    path = state(tmp_path, pending_jobs=[pending("a", response_model="Invoice")])
    document = json.loads(path.read_text())
    document["config"] |= {"cost_limit_usd": 5.0, "max_parallel_batches": 3}
    path.write_text(json.dumps(document))
    done = imported(bench, path)
    limits = bench.library.open(done.folder.id).header.spec.limits
    assert (limits.cost_usd, limits.submissions_at_once, limits.jobs_per_submission) == (5.0, 3, 2)
    assert bench.library.open(done.folder.id).status().cost_limit_usd == 5.0
    assert any("response_model (Invoice)" in note for note in done.notes)
    document["config"] |= {"cost_limit_usd": "much", "max_parallel_batches": 0, "items_per_batch": 2.5}
    path.write_text(json.dumps(document))
    again = imported(bench, path)
    limits = bench.library.open(again.folder.id).header.spec.limits
    assert (limits.cost_usd, limits.submissions_at_once, limits.jobs_per_submission) == (None, None, None)
    assert [note.split(" ")[0] for note in again.notes if "no limit" in note] == [
        "cost_limit_usd", "items_per_batch", "max_parallel_batches",
    ]  # fmt: skip
