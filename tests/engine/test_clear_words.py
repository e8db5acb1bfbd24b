"""What a provider refuses is told in one sentence, its own words kept beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.demo.server import DemoServer
from batchtui.model import Json
from tests.engine.bench import Bench, until
from tests.engine.provider import Provider

Served = Callable[..., tuple[Bench, DemoServer]]
JOB = {"prompt": "{{ text }}", "model": "m"}
TOO_LARGE = {
    "error": {"message": "Maximum file size is 200 MB.", "type": "invalid_request_error", "code": None}
}
PARAMETER = {
    "error": {
        "message": "'48h' is not supported here.",
        "type": "invalid_request_error",
        "param": "completion_window",
        "code": "invalid_value",
    }
}


def one_sentence(text: str | None) -> bool:
    return bool(text) and "\n" not in str(text) and "Traceback" not in str(text) and len(str(text)) < 300


@pytest.mark.parametrize("backend", ["chat", "openai"])
def test_an_unknown_model(served: Served, backend: str) -> None:
    bench, _ = served()
    result = bench.run(bench.spec(backend, 1, JOB | {"model": "unknown-model"})).result(0)
    assert one_sentence(result.error)
    assert (result.error or "").startswith("unknown model: The model `unknown-model` does not exist")
    assert result.error_kind == "model_not_found"
    assert result.body["error"]["code"] == "model_not_found"


@pytest.mark.parametrize("backend", ["chat", "openai"])
def test_a_refused_parameter(served: Served, backend: str) -> None:
    bench, _ = served()
    job = JOB | {"model": "demo-small", "extra": {"max_completion_tokens": -1}}
    result = bench.run(bench.spec(backend, 1, job)).result(0)
    assert one_sentence(result.error)
    assert (result.error or "").startswith("refused parameter max_completion_tokens: ")
    assert result.body["error"]["param"] == "max_completion_tokens"


@pytest.mark.parametrize(
    ("call", "reply", "kind", "beginning"),
    [
        ("POST /v1/files", (413, TOO_LARGE), "invalid_request_error", "Maximum file size is 200 MB. (413)"),
        ("POST /v1/files", (413, "<html>413 Request Entity Too Large</html>"), "too_large", "413 Request"),
        ("POST /v1/batches", (400, PARAMETER), "invalid_value", "refused parameter completion_window: "),
    ],
)
def test_a_submission_refused_as_a_whole(
    tmp_path: Path, call: str, reply: tuple[int, Json], kind: str, beginning: str
) -> None:
    with Provider(lambda ids: {}) as provider:
        bench = provider.bench(tmp_path)
        try:
            provider.refuse[call] = reply
            folder = bench.run(bench.spec("openai", 3, JOB))
            for n in range(3):
                result = folder.result(n)
                assert one_sentence(result.error)
                assert (result.error or "").startswith(beginning)
                assert (result.status, result.error_kind, result.body) == ("failed", kind, reply[1])
            if reply[0] == 413:
                assert "lower bytes_per_submission" in (result.error or "")
            assert provider.calls.count(call) == 1, "what is refused is not sent again"
        finally:
            bench.close()


@pytest.mark.parametrize("backend", ["chat", "openai"])
def test_a_wrong_key_is_asked_about_and_nothing_is_lost(
    served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, backend: str
) -> None:
    _, server = served()
    (tmp_path / "other").mkdir()
    from batchtui.config import load_config

    config = tmp_path / "other/config.toml"
    config.write_text(
        f'[backends.{backend}]\nkind = "{backend}"\nbase_url = "{server.url}/v1"\nheaders = {{ Authorization = "env:K" }}\n'
    )
    monkeypatch.setenv("K", "Bearer wrong")
    bench = Bench(tmp_path / "other", load_config(config, env={"K": "Bearer wrong"}))
    try:
        folder = bench.start(bench.spec(backend, 2, JOB | {"model": "demo-small"}))
        until(lambda: folder.status().attention)
        [asked] = folder.status().attention
        assert asked.kind == "key"
        assert one_sentence(asked.text)
        assert asked.text.startswith("the key is refused: Incorrect API key provided. (401)")
        until(lambda: folder.status().pending == 2)
    finally:
        bench.close()


def test_a_job_too_large_for_any_file_is_told_by_its_line(tmp_path: Path) -> None:
    with Provider(lambda ids: {}) as provider:
        bench = provider.bench(tmp_path, bytes_per_submission=200)
        try:
            source = tmp_path / "long.csv"
            source.write_text("id,text\na,short\nb," + "long " * 100 + "\n")
            from batchtui.engine.plan.planning import plan
            from batchtui.model import BatchSpec, SourceSpec

            spec = BatchSpec(backend="openai", source=SourceSpec(file=str(source)), job=JOB)
            [problem] = plan(spec, tmp_path, bench.backends).preflight.problems
            assert problem.line == 3
            assert "openai takes at most 200" in problem.message
        finally:
            bench.close()
