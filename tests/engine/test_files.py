"""Jobs that bring files: found from the batch file, checked with the batch, read when sent; one that is gone costs one job."""

from __future__ import annotations

import base64
import json
import tracemalloc
import urllib.request
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from batchtui.demo.server import DemoServer
from batchtui.engine.plan.compose import attaching
from batchtui.engine.plan.compose.rendering import Renderer
from batchtui.engine.plan.consent.reach import Reach
from batchtui.engine.plan.planning import create, plan, preview
from batchtui.model import BatchSpec, Json, LimitsSpec, SourceSpec
from batchtui.preflight import Preflight
from batchtui.store.folder import BatchFolder
from tests.engine.bench import Bench
from tests.sample_files import PNG, docx, pdf

Served = Callable[..., tuple[Bench, DemoServer]]
FILES: dict[str, bytes] = {
    "report.pdf": pdf(["Total 1,204.50 euro to pay", "The second page has words as well"]),
    "dot.png": PNG,
    "notes.txt": b"The meeting was on 5 March. All agreed.\n",
    "letter.docx": docx("Dear reader", "Yours"),
}
JOB: dict[str, Json] = {"model": "demo-small", "prompt": "Summarise {{ id }}", "file": "{{ path }}"}


def spec(
    folder: Path, backend: str, files: dict[str, bytes], job: dict[str, Json] = JOB, **limits: Json
) -> BatchSpec:
    """A batch over `docs/list.csv`, one job a file, the files beside it; the batch file, from which paths start, lies above."""
    docs = folder / "docs"
    docs.mkdir(exist_ok=True)
    for name, data in files.items():
        (docs / name).write_bytes(data)
    lines = "".join(f"{name.partition('.')[0]},docs/{name}\n" for name in files)
    (docs / "list.csv").write_text(f"id,path\n{lines}")
    source = SourceSpec(file="docs/list.csv")
    return BatchSpec(name="files", backend=backend, source=source, job=job, limits=LimitsSpec(**limits))


def checked(bench: Bench, spec: BatchSpec) -> Preflight:
    return plan(spec, bench.folder_path, bench.backends).preflight


def problems(flight: Preflight, *, fatal: bool) -> list[str]:
    return [str(problem) for problem in flight.problems if problem.fatal is fatal]


def sent(server: DemoServer, folder: BatchFolder) -> list[dict[str, Json]]:
    """The lines that the `openai` demo was given, by job id."""
    file_id = folder.progress.submissions[1].facts["file_id"]
    address = f"{server.backends['openai']['base_url']}/files/{file_id}/content"
    request = urllib.request.Request(address, headers={"Authorization": "Bearer demo"})
    with urllib.request.urlopen(request) as reply:
        return [json.loads(line) for line in reply.read().splitlines()]


@pytest.mark.parametrize("backend", ["chat", "openai", "anthropic", "gemini", "mistral", "together"])
def test_files_of_every_form_are_sent(served: Served, backend: str) -> None:
    bench, server = served()
    files = {name: data for name, data in FILES.items() if backend != "together" or not name.endswith("pdf")}
    folder = bench.create(spec(bench.folder_path, backend, files))
    kind = bench.backends.get(backend)
    jobs = Renderer(folder, bench.backends).jobs(
        range(len(files)), dict.fromkeys(range(len(files)), 1), "t", {}
    )
    bodies = {job.id: json.dumps(kind.body(job)) for job in jobs}
    for name, data in files.items():
        if name.endswith(("pdf", "png")):
            assert base64.b64encode(data).decode() in bodies[name.partition(".")[0]]
    assert "Dear reader" in bodies["letter"]
    assert "letter.docx" in bodies["letter"]
    assert "The meeting was on 5 March." in bodies["notes"]
    done = bench.drive(folder.id)
    results = [done.result(n) for n in range(len(files))]
    assert [(result.status, result.error) for result in results] == [("completed", None)] * len(files)
    assert all(result.raw_response for result in results)
    if backend == "openai":
        by_id = {line["custom_id"][9:]: line["body"]["messages"][0]["content"] for line in sent(server, done)}
        data = by_id["report"][0]["file"]["file_data"].partition(",")[2]
        assert base64.b64decode(data) == FILES["report.pdf"]
        assert by_id["letter"][0]["text"].startswith("letter.docx:\n\nDear reader\nYours")
        assert by_id["dot"][1] == {"type": "text", "text": "Summarise dot"}


def test_the_check_counts_the_files_without_showing_their_bytes(served: Served) -> None:
    bench, _ = served()
    large = {"large.pdf": pdf(["x"]) + b"%" * 900_000}
    flight = checked(bench, spec(bench.folder_path, "openai", large))
    assert not problems(flight, fatal=True)
    assert 1_200_000 < flight.bytes < 1_210_000  # in base64
    assert flight.tokens_in > 2_000
    assert len(json.dumps(flight.first)) < 1_000
    assert "«900," in json.dumps(flight.first, ensure_ascii=False)
    folder = bench.create(spec(bench.folder_path, "openai", large))
    assert folder.jobs.record(0).size == flight.bytes
    shown = preview(spec(bench.folder_path, "openai", large), bench.folder_path, bench.backends)
    assert "large.pdf" in json.dumps(shown.sent)


def test_what_is_wrong_with_a_file_names_its_line(served: Served) -> None:
    bench, _ = served()
    bad = {"a.pdf": b"<html>", "b.txt": b"ok", "c.bin": b"\xff\0\xfe", "d.png": PNG}
    made = spec(bench.folder_path, "openai", bad)
    (bench.folder_path / "docs" / "d.png").unlink()
    found = problems(checked(bench, made), fatal=True)
    assert len(found) == 3
    assert found[0].startswith("docs/list.csv:2: job.file: ")
    assert "is named .pdf but holds text" in found[0]
    assert ":4: job.file:" in found[1]
    assert "there is no such file" in found[2]
    empty = spec(bench.folder_path, "openai", {"a.txt": b"ok"}, JOB | {"file": " "})
    assert "names no file" in problems(checked(bench, empty), fatal=True)[0]


def test_a_kind_without_files_or_citations_says_so(served: Served) -> None:
    bench, _ = served()
    asked = spec(bench.folder_path, "chat", {"a.txt": b"ok"}, JOB | {"citations": True})
    found = problems(checked(bench, asked), fatal=True)
    assert found == [
        "docs/list.csv:2: job.citations: chat cites nothing; only Anthropic's models do (kind anthropic)"
    ]
    together = spec(bench.folder_path, "together", {"a.pdf": FILES["report.pdf"], "b.png": PNG})
    found = problems(checked(bench, together), fatal=True)
    assert found == [
        "docs/list.csv:2: job.file: a.pdf: together takes no PDF; give its text, or its pages as images"
    ]


def test_files_in_temporary_folders_are_worth_one_warning(
    served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bench, _ = served()
    made = spec(bench.folder_path, "openai", FILES)
    monkeypatch.setattr(attaching, "TEMPORARY", (str(tmp_path.resolve()),))
    flight = checked(bench, made)
    assert (
        len(
            [
                text
                for text in problems(flight, fatal=False)
                if "may be gone when the batch is resumed" in text
            ]
        )
        == 1
    )
    assert not problems(flight, fatal=True)
    monkeypatch.setattr(attaching, "TEMPORARY", ("/nowhere",))
    assert not any("may be gone" in text for text in problems(checked(bench, made), fatal=False))


def test_limits_of_a_backends_table_win(served: Served) -> None:
    bench, _ = served()
    bench.config.backends["openai"].table["file_bytes"] = 100
    found = problems(
        checked(bench, spec(bench.folder_path, "openai", {"a.pdf": FILES["report.pdf"]})), fatal=True
    )
    assert "openai takes 100 a job" in found[0]


@pytest.mark.parametrize("backend", ["chat", "openai", "anthropic"])
def test_a_file_that_is_gone_by_then_fails_only_its_job(served: Served, backend: str) -> None:
    bench, server = served()
    folder = bench.create(spec(bench.folder_path, backend, FILES))
    (bench.folder_path / "docs" / "notes.txt").unlink()
    folder = bench.drive(folder.id)
    results = [folder.result(n) for n in range(len(FILES))]
    assert [result.status for result in results] == ["completed", "completed", "failed", "completed"]
    assert results[2].error_kind == "file"
    assert "notes.txt: there is no such file" in (results[2].error or "")
    asked = [
        job for entry in server.ledger() if entry["op"] in ("create", "chat") for job in entry["job_ids"]
    ]
    assert sorted(asked) == ["dot", "letter", "report"]
    (bench.folder_path / "docs" / "notes.txt").write_bytes(b"It is back.")
    bench.ask(folder, "retry")
    assert bench.drive(folder.id).result(2).status == "completed"


def test_a_submission_none_of_whose_files_are_there_is_not_sent(served: Served) -> None:
    bench, server = served()
    folder = bench.create(spec(bench.folder_path, "openai", {"a.txt": b"one", "b.txt": b"two"}))
    for name in ("a.txt", "b.txt"):
        (bench.folder_path / "docs" / name).unlink()
    folder = bench.drive(folder.id)
    assert [folder.result(n).error_kind for n in (0, 1)] == ["file", "file"]
    assert not [entry for entry in server.ledger() if entry["op"] == "create"]


def test_a_folder_and_standard_input_are_sources_too(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    bench, _ = served()
    spec(bench.folder_path, "openai", {"a.txt": b"one", "b.png": PNG})
    (bench.folder_path / "docs" / "list.csv").unlink()
    folder = BatchSpec(
        name="f",
        backend="openai",
        source=SourceSpec(file="docs"),
        job=JOB | {"file": ["docs/{{ name }}", "{{ path }}"]},
    )
    done = bench.run(folder)
    assert [done.result(n).status for n in (0, 1)] == ["completed"] * 2
    single = BatchSpec(name="s", backend="openai", job={"model": "m", "prompt": "x", "file": "docs/a.txt"})
    assert bench.run(single).result(0).status == "completed"
    monkeypatch.setenv("HOME", str(bench.folder_path))
    home = BatchSpec(name="s", backend="openai", job={"model": "m", "prompt": "x", "file": "~/docs/a.txt"})
    assert not problems(checked(bench, home), fatal=True)


def test_files_go_with_a_sweep_and_with_responses(served: Served) -> None:
    bench, server = served()
    made = spec(
        bench.folder_path, "openai", {"a.txt": b"one", "b.txt": b"two"}, {"model": "m", "prompt": "x"}
    )
    made.sweep = {"file": ["docs/a.txt", "docs/b.txt"]}
    folder = bench.run(made)
    assert folder.status().completed == 4
    texts = {
        line["custom_id"][9:]: line["body"]["messages"][0]["content"][0]["text"]
        for line in sent(server, folder)
    }
    assert {name: text.split()[-1] for name, text in texts.items()} == {
        "a.1": "one", "a.2": "two", "b.1": "one", "b.2": "two"
    }  # fmt: skip
    body = {"model": "m", "input": "Summarise"}
    job = {"endpoint": "/v1/responses", "body": body, "file": "{{ path }}"}
    folder = bench.run(spec(bench.folder_path, "openai", {"a.pdf": FILES["report.pdf"]}, job))
    assert folder.result(0).status == "completed"
    assert [part["type"] for part in sent(server, folder)[0]["body"]["input"][0]["content"]] == [
        "input_file",
        "input_text",
    ]


def intent_hash(folder: BatchFolder) -> str:
    lines = (folder.path / "events.jsonl").read_text().splitlines()
    return next(event["hash"] for event in map(json.loads, lines) if event["event"] == "intent")


def test_the_intent_covers_the_files(served: Served) -> None:
    bench, _ = served()
    made = spec(bench.folder_path, "openai", {"a.txt": b"one"})
    first, second = (intent_hash(bench.run(made)) for _ in range(2))
    assert first == second
    (bench.folder_path / "docs" / "a.txt").write_bytes(b"other words")
    assert intent_hash(bench.run(made)) != first


def test_many_large_files_are_never_in_memory_at_once(served: Served) -> None:
    bench, _ = served()
    docs = bench.folder_path / "docs"
    files = {f"f{n}.pdf": pdf(["x"]) + b"%" * 3_000_000 for n in range(20)}
    made = spec(bench.folder_path, "openai", files)
    folder = bench.create(made)
    assert len(list(docs.glob("*.pdf"))) == 20
    del files
    backend = bench.backends.get("openai")
    jobs = Renderer(folder, bench.backends).jobs(range(20), dict.fromkeys(range(20), 1), "t", {})
    tracemalloc.start()
    try:
        size = sum(len(backend.line(job)) for job in jobs)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size > 80_000_000
    assert peak < 40_000_000


def test_a_file_that_has_grown_too_large_fails_its_job(served: Served) -> None:
    bench, _ = served()
    folder = bench.create(spec(bench.folder_path, "anthropic", {"a.png": PNG, "b.txt": b"fine"}))
    (bench.folder_path / "docs" / "a.png").write_bytes(PNG + bytes(4_000_000))
    folder = bench.drive(folder.id)
    grown, fine = (folder.result(n) for n in (0, 1))
    assert (grown.status, grown.error_kind) == ("failed", "file")
    assert "anthropic takes an image of 5,000,000" in (grown.error or "")
    assert fine.status == "completed"


def outside(folder: Path) -> Path:
    """Rows in `data/` that name a file beside them; the folder of a batch file beside that."""
    (folder / "data").mkdir()
    (folder / "data" / "a.txt").write_bytes(b"words")
    (folder / "data" / "rows.jsonl").write_text('{"id": "a", "path": "a.txt"}\n')
    (folder / "runs").mkdir()
    return folder / "runs"


def test_relative_paths_start_at_the_batch_file_wherever_the_rows_lie(served: Served) -> None:
    bench, _ = served()
    base = outside(bench.folder_path)
    made = BatchSpec(name="s", backend="chat", source=SourceSpec(file="../data/rows.jsonl"), job=JOB)
    (problem,) = plan(made, base, bench.backends).preflight.problems
    assert problem.fatal
    assert f"{base}/a.txt: there is no such file; relative paths start at the batch file" in problem.message
    assert 'begin it with "../data/"' in problem.message
    led = msgspec.structs.replace(made, job=JOB | {"file": "../data/{{ path }}"})
    assert not plan(led, base, bench.backends).preflight.stopped
    reach = Reach(led, base)
    plan(led, base, bench.backends, reach=reach)
    uploads, reads = reach.lines
    assert uploads.startswith("uploads files to chat (http://127.0.0.1:")
    assert uploads.endswith('): file = "../data/{{ path }}", first ../data/a.txt')
    data = bench.folder_path / "data"
    assert reads == f"reads files in {data / 'rows.jsonl'}, {data}, outside its folder"
    (base / "a.txt").write_bytes(b"other words")
    inside = Reach(made, base)
    flight = plan(made, base, bench.backends, reach=inside).preflight
    assert (inside.places, flight.stopped) == (set(), False)


def test_paths_of_a_bare_source_start_beside_it_also_when_it_is_sent(served: Served) -> None:
    bench, _ = served()
    runs = outside(bench.folder_path)
    made = BatchSpec(name="s", backend="chat", source=SourceSpec(file="../data/rows.jsonl"), job=JOB)
    draft = bench.library.draft()
    folder = create(plan(made, runs, bench.backends, draft=draft, files=bench.folder_path / "data"), draft)
    (job,) = Renderer(folder, bench.backends).jobs([0], {0: 1}, "t", {})
    assert [one.data for one in job.files] == ["words"]


def test_an_older_batch_finds_its_files_beside_its_source(served: Served) -> None:
    bench, _ = served()
    runs = outside(bench.folder_path)
    made = BatchSpec(name="s", backend="chat", source=SourceSpec(file="../data/rows.jsonl"), job=JOB)
    draft = bench.library.draft()
    folder = create(plan(made, runs, bench.backends, draft=draft, files=bench.folder_path / "data"), draft)
    folder.header.files = None
    (job,) = Renderer(folder, bench.backends).jobs([0], {0: 1}, "t", {})
    assert [one.data for one in job.files] == ["words"]
