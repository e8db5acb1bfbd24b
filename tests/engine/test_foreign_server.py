"""Kind `openai` against servers that others wrote: aimock, and any that is named.

aimock is found as BATCHTUI_AIMOCK (its program, made by `npm install @copilotkit/aimock`), or on the path as `llmock`.
A Llama Stack or the like that runs already is named by BATCHTUI_FOREIGN_URL (its base URL) and
BATCHTUI_FOREIGN_MODEL.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from batchtui.config import load_config
from batchtui.model import Json
from tests.engine.bench import Bench, until

AIMOCK = os.environ.get("BATCHTUI_AIMOCK") or shutil.which("llmock")
FOREIGN_URL, FOREIGN_MODEL = os.environ.get("BATCHTUI_FOREIGN_URL"), os.environ.get("BATCHTUI_FOREIGN_MODEL")
JOB = {"model": "gpt-5-mini", "prompt": "{{ text }}"}
Open = Callable[..., Bench]


def free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@pytest.fixture(scope="module")
def aimock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if AIMOCK is None:
        pytest.skip(
            "needs aimock, a package of npm: set BATCHTUI_AIMOCK to its program, see this file's head"
        )
    fixtures = tmp_path_factory.mktemp("aimock")
    rules = [
        {"match": {"userMessage": "limit"}, "response": {"error": {"message": "slow down"}, "status": 400}},
        {"match": {"userMessage": "text"}, "response": {"content": "hello"}},
    ]
    (fixtures / "rules.json").write_text(json.dumps({"fixtures": rules}))
    port = free_port()
    command = [AIMOCK, "-p", str(port), "-h", "127.0.0.1", "-f", str(fixtures), "--log-level", "warn"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: server.poll() is not None or listens(port), "aimock")
        assert server.poll() is None
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """`opened(url, **headers)`: a worker whose `openai` and `chat` are that server."""
    with contextlib.ExitStack() as stack:

        def make(url: str, **headers: str) -> Bench:
            named = "".join(f"{name} = {json.dumps(value)}\n" for name, value in headers.items())
            tables = "".join(
                f'[backends.{kind}]\nkind = "{kind}"\nbase_url = "{url}"\n{more}[backends.{kind}.headers]\n{named}'
                for kind, more in (("openai", "poll_interval = 0.1\nsettle = 1\n"), ("chat", ""))
            )
            (tmp_path / "config.toml").write_text(tables)
            bench = Bench(tmp_path, load_config(tmp_path / "config.toml", env={}))
            stack.callback(bench.close)
            return bench

        yield make


def remote(bench: Bench, rows: int = 5, **limits: Json) -> Json:
    return bench.run(bench.spec("openai", rows, JOB, **limits))


def test_rows_of_the_output_file(opened: Open, aimock: str) -> None:
    bench = opened(aimock)
    folder = remote(bench, 12, jobs_per_submission=5)
    status = bench.status(folder)
    assert (status.status, status.completed) == ("completed", 12)
    assert [one.jobs for one in status.submissions or []] == [5, 5, 2]
    for n in range(12):
        result = folder.result(n)
        assert (result.job_id, result.raw_response) == (f"r{n}", "Mock batch completion")
        assert (result.input_tokens, result.output_tokens, result.finish_reason) == (1, 1, "stop")


def test_rows_of_the_error_file(opened: Open, aimock: str) -> None:
    bench = opened(aimock, **{"X-AIMock-Batch-Outcome": "failed"})
    folder = remote(bench)
    status = bench.status(folder)
    assert (status.status, status.failed) == ("failed", 5)
    result = folder.result(3)
    assert (result.error_kind, result.error) == (
        "mock_failure",
        "Mock batch failure (X-AIMock-Batch-Outcome: failed)",
    )
    assert (folder.path / "raw/1-errors.jsonl").exists()


@pytest.mark.parametrize("end", ["expired", "cancelled"])
def test_ends_without_a_file(opened: Open, aimock: str, end: str) -> None:
    bench = opened(aimock, **{"X-AIMock-Batch-Outcome": end})
    folder = remote(bench)
    assert {str(folder.result(n).status) for n in range(5)} == {end}
    assert (bench.status(folder).submissions or [])[0].reason == f"ended as {end}: 0 of 5 jobs completed"


def test_cancel_find_list_and_probe(opened: Open, aimock: str) -> None:
    bench = opened(aimock)
    folder = bench.start(bench.spec("openai", 3, JOB))
    until(lambda: folder.progress.submissions and folder.progress.submissions[1].remote_id)
    record = folder.progress.submissions[1]
    bench.ask(folder, "cancel")
    until(lambda: not bench.worker.drives(folder.id))
    assert bench.status(folder).status in ("cancelled", "completed")

    import asyncio

    async def look() -> None:
        backend: Json = bench.backends.get("openai")
        from batchtui.backends.base import Submission

        one = Submission(1, record.token, "bench", time.time())
        assert (await backend.find(one)).remote_id == record.remote_id
        assert (await backend.find(Submission(1, "another", "bench", time.time()))).absent
        listed = {batch.remote_id: batch for batch in await backend.list()}
        assert listed[record.remote_id].token == record.token
        assert (await backend.probe()).models
        await backend.close()

    asyncio.run(look())


def test_direct_calls_with_an_error_among_them(opened: Open, aimock: str, tmp_path: Path) -> None:
    bench = opened(aimock)
    spec = bench.spec("chat", 3, {"model": "gpt-5-mini", "prompt": "{{ 'limit' if id == 'r1' else text }}"})
    folder = bench.run(spec)
    results = [folder.result(n) for n in range(3)]
    assert [str(one.status) for one in results] == ["completed", "failed", "completed"]
    assert results[0].raw_response == "hello"
    assert "slow down" in (results[1].error or "")


if FOREIGN_URL and FOREIGN_MODEL:

    def test_a_server_that_runs_already(opened: Open) -> None:
        bench = opened(FOREIGN_URL)
        folder = bench.run(bench.spec("openai", 4, JOB | {"model": FOREIGN_MODEL}))
        status = bench.status(folder)
        assert status.finished == 4
        assert status.completed > 0
        assert all(folder.result(n).raw_response or folder.result(n).error for n in range(4))
