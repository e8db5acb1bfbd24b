"""`[output] dir`: batchata's files, raw words beside them, and a folder of somebody else's left as it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from batchtui.demo.server import DemoServer
from batchtui.engine.outputs import result_files
from batchtui.engine.outputs.result_files import MARK, file_name, write_results
from batchtui.engine.plan.planning import plan
from batchtui.errors import BadInput
from batchtui.model import BatchSpec, Json, OutputSpec, Result, SourceSpec
from batchtui.store.folder import BatchFolder
from tests.engine.bench import Bench, until

Served = Callable[..., tuple[Bench, DemoServer]]
JOB = {"prompt": "{{ text }}", "model": "demo-small"}
SHAPE = [
    "job_id", "raw_response", "parsed_response", "citations", "citation_mappings", "input_tokens", "output_tokens",
    "cost_usd", "error", "batch_id",
]  # fmt: skip


def written(
    bench: Bench, backend: str, rows: int, job: dict[str, Json] | None = None, **limits: Json
) -> BatchFolder:
    spec = msgspec.structs.replace(
        bench.spec(backend, rows, job or JOB, **limits), output=OutputSpec(dir="out")
    )
    folder = bench.run(spec)
    until(lambda: folder.progress.ended, "the end")
    return folder


def listing(path: Path) -> list[str]:
    return sorted(str(one.relative_to(path)) for one in path.rglob("*") if one.is_file() and one.name != MARK)


@pytest.mark.parametrize("backend", ["openai", "chat"])
def test_results_in_batchatas_shape(served: Served, backend: str) -> None:
    bench, _ = served()
    folder = written(bench, backend, 3)
    out = bench.folder_path / "out"
    for n in range(3):
        text = (out / f"r{n}.json").read_text()
        result, stored = json.loads(text), folder.result(n)
        assert list(result) == SHAPE
        assert text.startswith('{\n  "job_id"')
        assert (result["job_id"], result["raw_response"]) == (f"r{n}", stored.raw_response)
        assert result["error"] is None
        assert result["batch_id"] == stored.batch_id
        assert result["input_tokens"] == stored.input_tokens
    assert json.loads((out / "raw_files/responses/r0_raw.json").read_text())["choices"]


def test_raw_files_under_batchatas_names(served: Served) -> None:
    bench, _ = served("partial=0.5,seed=3")
    folder = written(bench, "openai", 10, jobs_per_submission=5)
    out = bench.folder_path / "out" / "raw_files"
    ids = [record.remote_id for record in folder.progress.submissions.values()]
    assert {f"requests/openai_batch_{id_}.jsonl" for id_ in ids} <= set(listing(out))
    assert {f"responses/openai_batch_{id_}.jsonl" for id_ in ids} <= set(listing(out))
    assert any(
        name.startswith("errors/openai_batch_") and name.endswith("_errors.jsonl") for name in listing(out)
    )
    sent = [
        json.loads(line) for line in (out / f"requests/openai_batch_{ids[0]}.jsonl").read_text().splitlines()
    ]
    assert len(sent) == 5
    assert [line["body"]["messages"][0]["content"] for line in sent] == [f"text of row {n}" for n in range(5)]


def test_without_raw_words(served: Served) -> None:
    bench, _ = served()
    spec = bench.spec("openai", 2, JOB)
    folder = bench.run(msgspec.structs.replace(spec, output=OutputSpec(dir="out", raw=False)))
    until(lambda: folder.progress.ended)
    assert listing(bench.folder_path / "out") == ["r0.json", "r1.json"]


def test_failed_jobs_have_their_words(served: Served) -> None:
    bench, _ = served()
    job = {"prompt": "{{ '[[fail]]' if id == 'r1' else text }}", "model": "demo-small"}
    written(bench, "chat", 2, job)
    failed = json.loads((bench.folder_path / "out" / "r1.json").read_text())
    assert failed["error"].startswith("The prompt asks to be refused")
    assert (failed["raw_response"], failed["cost_usd"], failed["input_tokens"]) == (None, 0.0, 0)


def test_folders_of_a_thousand(bench: Bench) -> None:
    spec = bench.spec("local", 1001, {"command": ["true"]})
    folder = bench.create(spec)
    done = write_results(folder, bench.folder_path / "out")
    assert done.count == 1001
    names = listing(bench.folder_path / "out")
    assert (names[0], names[-1]) == ("0000/r0.json", "0001/r1000.json")
    assert len(names) == 1001


def test_a_folder_of_somebody_else_is_left_alone(bench: Bench) -> None:
    out = bench.folder_path / "out"
    out.mkdir()
    (out / "r0.json").write_text("mine")
    spec = msgspec.structs.replace(
        bench.spec("local", 1, {"command": ["true"]}), output=OutputSpec(dir="out")
    )
    (warned,) = plan(spec, bench.folder_path, bench.backends).preflight.problems
    assert (warned.key, warned.fatal) == ("output.dir", False)
    folder = bench.run(spec)
    until(lambda: folder.progress.ended)
    assert (out / "r0.json").read_text() == "mine"
    assert json.loads((out / folder.id / "r0.json").read_text())["job_id"] == "r0"
    assert not (out / MARK).exists()


def test_a_second_batch_replaces_what_the_first_wrote_and_nothing_else(bench: Bench) -> None:
    out = bench.folder_path / "out"
    first = bench.create(bench.spec("local", 3, {"command": ["true"]}))
    write_results(first, out)
    (out / "notes.txt").write_text("mine")
    (out / "r7.json").write_text("mine as well")  # no name of the next batch
    second = bench.create(bench.spec("local", 2, {"command": ["true"]}))
    write_results(second, out)
    assert listing(out) == ["notes.txt", "r0.json", "r1.json", "r7.json"]
    assert json.loads((out / MARK).read_text().splitlines()[0])["batch"] == second.id


def test_an_output_that_was_interrupted_is_written_anew(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = bench.folder_path / "out"
    folder = bench.create(bench.spec("local", 3, {"command": ["true"]}))
    real, calls = result_files.job_result, []

    def breaks(result: Result) -> dict[str, Json]:
        calls.append(result.job_id)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        return real(result)

    monkeypatch.setattr(result_files, "job_result", breaks)
    with pytest.raises(OSError, match="No space left"):
        write_results(folder, out)
    assert write_results(folder, out).place == out
    assert listing(out) == ["r0.json", "r1.json", "r2.json"]


def test_a_file_in_place_of_the_folder_is_refused_before_sending(bench: Bench) -> None:
    (bench.folder_path / "out").write_text("mine")
    spec = msgspec.structs.replace(
        bench.spec("local", 1, {"command": ["true"]}), output=OutputSpec(dir="out")
    )
    (problem,) = plan(spec, bench.folder_path, bench.backends).preflight.problems
    assert (problem.key, problem.fatal) == ("output.dir", True)


def test_a_list_that_leads_elsewhere_removes_nothing_there(bench: Bench) -> None:
    out, victim = bench.folder_path / "out", bench.folder_path / "victim.json"
    victim.write_text("mine")
    folder = bench.create(bench.spec("local", 1, {"command": ["true"]}))
    write_results(folder, out)
    with (out / MARK).open("a") as file:
        file.write(f'"../victim.json"\n{json.dumps(str(victim))}\nnot json\n')
    write_results(folder, out)
    assert victim.read_text() == "mine"


def test_a_retry_writes_the_folder_anew(served: Served) -> None:
    bench, _ = served()
    prompt = "{{ '[[invalid]]' if id == 'r1' else text }}"
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    folder = written(bench, "openai", 2, JOB | {"prompt": prompt, "schema": schema})
    path = bench.folder_path / "out" / "r1.json"
    before = json.loads(path.read_text())
    assert before["error"].startswith("$: 'an answer that breaks its schema'")
    bench.ask(folder, "retry", status=["invalid"])
    until(lambda: folder.progress.ended and json.loads(path.read_text())["error"] is None, "the new result")
    after = json.loads(path.read_text())
    assert isinstance(after["parsed_response"]["a"], int)
    requests = sorted((bench.folder_path / "out" / "raw_files" / "requests").iterdir())
    assert len(requests) == 2
    again = json.loads(next(one for one in requests if len(one.read_text().splitlines()) == 1).read_text())
    assert [turn["role"] for turn in again["body"]["messages"]] == ["user", "assistant", "user"]


def test_ids_that_would_be_one_file_are_refused_before_writing(bench: Bench) -> None:
    source = bench.folder_path / "rows.csv"
    source.write_text("id\nA\na\n")
    spec = BatchSpec(
        name="s", backend="local", source=SourceSpec(file=str(source)), job={"command": ["true"]}
    )
    folder = bench.create(spec)
    with pytest.raises(BadInput, match='ids "A" and "a" would be one file name'):
        write_results(folder, bench.folder_path / "out")
    assert not (bench.folder_path / "out").exists()


@pytest.mark.parametrize(
    ("job_id", "name"),
    [
        ("a b", "a b"),
        ("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"),
        (".hidden", "%2Ehidden"),
        ("~root", "%7Eroot"),
        ("a/b\\c:d*e?f", "a%2Fb%5Cc%3Ad%2Ae%3Ff"),
        ("é", "%C3%A9"),
        ("\ud800", "%ED%A0%80"),
        ("nul\0\n", "nul%00%0A"),
    ],
)
def test_file_names(job_id: str, name: str) -> None:
    assert file_name(job_id) == name


def test_long_ids_stay_apart() -> None:
    first, second = file_name("é" * 300 + "1"), file_name("é" * 300 + "2")
    assert first != second
    assert len(f"{first}_raw.json") <= 120
    assert not first.partition("-")[0].endswith(("%", "%C"))


def test_a_folder_that_cannot_be_written_is_told_and_written_once_it_can(bench: Bench) -> None:
    in_the_way = bench.folder_path / "file"
    in_the_way.write_text("in the way")
    spec = msgspec.structs.replace(
        bench.spec("local", 2, {"command": ["true"]}), output=OutputSpec(dir=str(in_the_way / "out"))
    )
    folder = bench.run(spec)
    until(lambda: folder.progress.ended, "the end")
    (attention,) = folder.status().attention
    assert attention.kind == "output"
    assert str(in_the_way / "out") in attention.text
    assert folder.status().completed == 2
    in_the_way.unlink()
    bench.ask(folder, "resume")
    until(lambda: listing(in_the_way / "out") == ["r0.json", "r1.json"], "the files")
    until(lambda: not bench.worker.drives(folder.id), "the end")
    assert folder.status().attention == []
    assert [event["event"] for event in folder.events()].count("start") == 2
