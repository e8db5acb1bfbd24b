"""Structured output, from the schema in a batch file to parsed values, `invalid` jobs, and asking again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from batchtui.config import load_config
from batchtui.demo.server import DemoServer
from batchtui.engine.plan.compose.rendering import Renderer
from batchtui.engine.plan.planning import plan
from batchtui.model import BatchSpec, JobState, Json, OutputSpec, SourceSpec
from batchtui.store.folder import BatchFolder
from tests.engine.bench import Bench, until

Served = Callable[..., tuple[Bench, DemoServer]]
SCHEMA = {
    "title": "Invoice",
    "type": "object",
    "properties": {
        "total": {"type": "number", "minimum": 0},
        "note": {"type": "string", "description": "{{ id }}"},
    },
    "required": ["total", "note"],
    "additionalProperties": False,
}
BACKENDS = ("chat", "openai", "anthropic", "gemini", "mistral", "together")


def spec_of(bench: Bench, backend: str, prompts: list[str], schema: Json = None, **job: Json) -> BatchSpec:
    source = bench.folder_path / "prompts.jsonl"
    source.write_text(
        "".join(json.dumps({"id": f"r{n}", "text": text}) + "\n" for n, text in enumerate(prompts))
    )
    asked = {
        "prompt": "{{ text }}",
        "model": "demo-small",
        "schema": SCHEMA if schema is None else schema,
    } | job
    return BatchSpec(name="schemas", backend=backend, source=SourceSpec(file=str(source)), job=asked)


def states(folder: BatchFolder) -> list[str]:
    return [folder.result(n).status.value for n in range(len(folder.jobs))]


@pytest.mark.parametrize("backend", BACKENDS)
def test_answers_are_parsed_mended_or_invalid(served: Served, backend: str) -> None:
    bench, _ = served()
    prompts = ["plain", "[[fenced]]", "[[wordy]]", "[[invalid]]", "[[cut]]"]
    folder = bench.run(spec_of(bench, backend, prompts))
    assert states(folder) == ["completed"] * 3 + ["invalid"] * 2
    results = [folder.result(n) for n in range(5)]
    for result in results[:3]:
        assert result.parsed_response.keys() == {"total", "note"}
        assert (result.error, result.error_kind) == (None, None)
    assert [result.repaired for result in results[:3]] == [
        None,
        "the code fence around it was taken off",
        "the words around it were left out",
    ]
    assert results[1].raw_response
    assert results[1].raw_response.startswith("```")
    misfit, cut = results[3:]
    assert misfit.error_kind == cut.error_kind == "schema"
    assert misfit.error == "$: 'an answer that breaks its schema' is not of type 'object'"
    assert misfit.parsed_response == "an answer that breaks its schema"
    assert cut.error
    assert cut.error.startswith("the answer is not JSON: it ends too early")
    assert cut.parsed_response is None
    status = folder.status()
    assert (status.completed, status.invalid, status.failed) == (3, 2, 0)
    assert all(result.cost_usd == results[0].cost_usd or result.output_tokens for result in results)


@pytest.mark.parametrize("backend", BACKENDS)
def test_asked_again_with_the_earlier_answer_and_its_errors(served: Served, backend: str) -> None:
    bench, _ = served()
    folder = bench.run(spec_of(bench, backend, ["fine", "[[invalid]]"], system="Be precise."))
    assert states(folder) == ["completed", "invalid"]
    bench.ask(folder, "retry", status=["invalid"])
    until(lambda: states(folder) == ["completed", "completed"])
    result = folder.result(1)
    assert result.attempts == 2
    assert result.parsed_response.keys() == {"total", "note"}
    first, second = folder.attempts(1)
    assert (first.state, second.state) == (JobState.INVALID, JobState.COMPLETED)
    assert second.input_tokens
    assert first.input_tokens
    assert second.input_tokens > first.input_tokens + 20


def test_what_the_second_attempt_says(served: Served) -> None:
    bench, server = served()
    folder = bench.run(spec_of(bench, "chat", ["[[invalid]]"], system="Be precise."))
    shown = Renderer(folder, bench.backends).job(0, 1, "")[1].work
    assert shown.messages is None, "what was sent is shown as it was"  # type: ignore[attr-defined]
    bench.worker.stop()
    folder.progress.states[0] = 0  # as after `retry`
    backend, job = Renderer(folder, bench.backends).job(0, 2, "t")
    body = backend.describe(job)
    assert [message["role"] for message in body["messages"]] == ["system", "user", "assistant", "user"]
    assert body["messages"][1]["content"] == "[[invalid]]"
    assert body["messages"][2]["content"] == '"an answer that breaks its schema"'
    assert "is not of type 'object'" in body["messages"][3]["content"]
    again, once = Renderer(folder, bench.backends).record(0), folder.jobs.record(0)
    assert again.size > once.size
    assert again.tokens[0] > once.tokens[0]
    assert server.url


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_file_of_the_schema_is_kept_with_the_batch(served: Served, backend: str) -> None:
    bench, _ = served()
    path = bench.folder_path / "invoice.schema.json"
    path.write_text("\ufeff" + json.dumps(SCHEMA), encoding="utf-8")
    folder = bench.create(spec_of(bench, backend, ["a", "[[invalid]]"], "invoice.schema.json"))
    path.unlink()
    reopened = BatchFolder(folder.path)
    assert reopened.header.answer_schema == SCHEMA
    assert reopened.header.spec.job["schema"] == "invoice.schema.json"
    assert states(bench.drive(folder.id)) == ["completed", "invalid"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"type": "object",\n}', "s.json:2: not JSON: "),
        ("[1]", "s.json: expected a JSON object, got a list"),
        ('{"properties": {"a": {"type": "strin"}}}', "s.json: $.properties.a.type: 'strin' is not"),
        (
            '{"properties": {"a": {"$ref": "http://127.0.0.1:1/x.json"}}}',
            "s.json: $.properties.a.$ref: http://127.0.0.1:1/x.json is outside this schema",
        ),
        ('{"$ref": "#/$defs/a"}', "s.json: $.$ref: #/$defs/a leads nowhere in this schema"),
        ('{"$ref": "#"}', "s.json: $.$ref: refers to itself without end"),
        ('{"properties": {"a": {"pattern": "(("}}}', "s.json: $.properties.a.pattern: '((' is not a 'regex'"),
        (
            '{"$schema": "http://example.com/mine"}',
            "s.json: $.$schema: unknown draft http://example.com/mine",
        ),
        (None, "s.json: cannot be read (No such file or directory)"),
    ],
)
def test_refused_before_sending(served: Served, content: str | None, message: str) -> None:
    bench, _ = served()
    if content is not None:
        (bench.folder_path / "s.json").write_text(content)
    problems = plan(chat(schema="s.json"), bench.folder_path, bench.backends).preflight.problems
    (problem,) = [problem for problem in problems if problem.fatal]
    assert problem.key == "job.schema"
    assert problem.message.startswith(message)


def chat(**job: Json) -> BatchSpec:
    return BatchSpec(name="s", backend="chat", job={"model": "m", "prompt": "hi"} | job)


@pytest.mark.parametrize(
    ("job", "key", "message"),
    [
        ({"schema": {"type": "objec"}}, "job.schema", "$.type: 'objec' is not valid"),
        ({"schema": "{{ path }}"}, "job.schema", 'no column "path"'),
        ({"schema": 7}, "job.schema", "expected the path of a JSON Schema"),
        (
            {"schema": {"type": "object"}, "response_format": {"type": "json_object"}},
            "job.response_format",
            "given together with schema; keep one",
        ),
    ],
)
def test_other_refusals(served: Served, job: dict[str, Json], key: str, message: str) -> None:
    bench, _ = served()
    problems = plan(chat(**job), bench.folder_path, bench.backends).preflight.problems
    assert [problem.key for problem in problems if problem.fatal] == [key]
    assert problems[0].message.startswith(message)


def test_a_kind_without_schemas_refuses_one(bench: Bench) -> None:
    spec = BatchSpec(name="s", backend="local", job={"command": ["true"], "schema": {"type": "object"}})
    (problem,) = plan(spec, bench.folder_path, bench.backends).preflight.problems
    assert problem.key == "job.schema"


def test_by_prompt_where_the_server_has_no_field_for_it(
    tmp_path: Path, demo_server: Callable[..., DemoServer]
) -> None:
    server = demo_server()
    config = tmp_path / "config.toml"
    table = f'[backends.chat]\nkind = "chat"\nbase_url = "{server.url}/v1"\n'
    config.write_text(table + "native_schema = false\n")
    bench = Bench(tmp_path, load_config(config, env={}))
    try:
        folder = bench.run(spec_of(bench, "chat", ["a", "[[wordy]]"], system="Be precise."))
        assert states(folder) == ["completed"] * 2
        backend, job = Renderer(folder, bench.backends).job(0, 1, "")
        body = backend.describe(job)
        assert "response_format" not in body
        assert body["messages"][0]["content"].startswith("Be precise.\n\nAnswer with one JSON value")
    finally:
        bench.close()


def test_a_pattern_that_runs_for_ever_costs_one_job(served: Served) -> None:
    bench, _ = served()
    schema = {
        "type": "object",
        "properties": {"text": {"type": "string", "minLength": 40, "pattern": r"^(\w+\s?)*!$"}},
    }
    folder = bench.run(spec_of(bench, "chat", ["a", "b"], schema))
    assert states(folder) == ["invalid", "invalid"]
    assert folder.result(0).error == "checking it took more than 2 s"
    schema_of_another = {"type": "object"}
    assert states(bench.run(spec_of(bench, "chat", ["a"], schema_of_another))) == ["completed"]


def test_many_answers_of_a_submission_are_judged_together(served: Served) -> None:
    bench, _ = served("duration=0s")
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    spec = bench.spec("openai", 2_000, {"prompt": "{{ text }}", "model": "demo-small", "schema": schema})
    folder = bench.run(msgspec.structs.replace(spec, output=OutputSpec(raw=False)))
    assert folder.status().completed == 2_000


def test_what_cannot_be_known_before_the_end_of_an_answer(served: Served) -> None:
    bench, _ = served()
    folder = bench.run(spec_of(bench, "chat", ["a"], max_tokens=2))
    result = folder.result(0)
    assert result.status is JobState.INVALID
    assert result.error
    assert result.error.endswith("it was cut off at its token limit: raise max_tokens")
