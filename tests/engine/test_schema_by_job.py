"""Jobs of one batch that choose their own schema: by their row, or by a sweep."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from batchtui.demo.server import DemoServer
from batchtui.engine.plan.compose.rendering import Renderer
from batchtui.engine.plan.planning import plan
from batchtui.model import BatchSpec, Json, SourceSpec
from batchtui.store.folder import BatchFolder
from tests.engine.bench import Bench, until

Served = Callable[..., tuple[Bench, DemoServer]]


def schema(*names: str) -> dict[str, Json]:
    return {
        "type": "object",
        "properties": {key: {"type": "number"} for key in names},
        "required": list(names),
        "additionalProperties": False,
    }


def spec(bench: Bench, rows: list[dict[str, Json]], backend: str = "openai", **job: Json) -> BatchSpec:
    source = bench.folder_path / "rows.jsonl"
    source.write_text("".join(json.dumps({"id": f"r{n}", **row}) + "\n" for n, row in enumerate(rows)))
    asked = {"prompt": "{{ text }}", "model": "demo-small", "schema": "{{ kind }}"} | job
    return BatchSpec(name="kinds", backend=backend, source=SourceSpec(file=str(source)), job=asked)


def written(bench: Bench, **schemas: dict[str, Json]) -> None:
    for name, content in schemas.items():
        (bench.folder_path / f"{name}.json").write_text(json.dumps(content))


def answers(folder: BatchFolder) -> list[tuple[str, Json]]:
    results = [folder.result(n) for n in range(len(folder.jobs))]
    return [
        (one.status.value, sorted(one.parsed_response) if isinstance(one.parsed_response, dict) else None)
        for one in results
    ]


@pytest.mark.parametrize("backend", ["chat", "openai", "anthropic"])
def test_a_row_names_its_schema(served: Served, backend: str) -> None:
    bench, _ = served()
    written(bench, house=schema("rooms"), car=schema("doors", "seats"))
    rows = [
        {"text": "a house", "kind": "house.json"},
        {"text": "[[invalid]]", "kind": "car.json"},
        {"text": "a car", "kind": "car.json"},
        {"text": "anything", "kind": ""},
    ]
    batch = bench.create(spec(bench, rows, backend))
    for name in ("house", "car"):
        (bench.folder_path / f"{name}.json").unlink()  # the batch has them
    folder = bench.drive(batch.id)
    assert answers(folder) == [
        ("completed", ["rooms"]),
        ("invalid", None),
        ("completed", ["doors", "seats"]),
        ("completed", None),
    ]
    assert len(folder.header.answer_schemas) == 2
    bench.ask(folder, "retry", status=["invalid"])
    until(lambda: answers(folder)[1] == ("completed", ["doors", "seats"]))


def test_a_sweep_tries_schemas(served: Served) -> None:
    bench, _ = served()
    written(bench, house=schema("rooms"))
    swept = spec(bench, [{"text": "a house"}])
    swept.job.pop("schema")
    swept.sweep = {"schema": ["house.json", schema("doors")]}
    folder = bench.run(swept)
    assert folder.jobs.ids == ["r0.1", "r0.2"]
    assert answers(folder) == [("completed", ["rooms"]), ("completed", ["doors"])]
    rendered = Renderer(folder, bench.backends).job(1, 1, "t")[1].work
    assert rendered.schema == schema("doors")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("gone.json", "gone.json: "),
        ("../outside.json", "lies in the batch file's folder"),
        ("bad.json", "$.type: 'objekt' is not"),
        ("a\0.json", "names no file"),
        (7, "expected the path of a JSON Schema"),
    ],
)
def test_what_a_row_cannot_name(served: Served, kind: Json, message: str) -> None:
    bench, _ = served()
    written(bench, bad={"type": "objekt"})
    (bench.folder_path.parent / "outside.json").write_text("{}")
    flight = plan(spec(bench, [{"text": "x", "kind": kind}]), bench.folder_path, bench.backends).preflight
    problem = next(problem for problem in flight.problems if problem.fatal)
    assert (problem.key, problem.row) == ("job.schema", 1)
    assert message in problem.message


def test_there_are_bounds(served: Served) -> None:
    bench, _ = served()
    rows = [{"text": "x", "kind": schema(f"field{n}")} for n in range(101)]
    flight = plan(spec(bench, rows), bench.folder_path, bench.backends).preflight
    assert "more than 100 schemas in a batch" in next(p.message for p in flight.problems if p.fatal)
    swept = spec(bench, rows[:1])
    swept.sweep = {"schema.type": ["object"]}
    flight = plan(swept, bench.folder_path, bench.backends).preflight
    assert [problem.key for problem in flight.problems if problem.fatal] == ["sweep.schema.type"]
