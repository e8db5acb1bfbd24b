"""An upload that its provider still looks at: one upload, waited for, then one create."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchtui.model import Json
from tests.engine.bench import Bench
from tests.engine.provider import Provider, good

JOB = {"prompt": "{{ text }}", "model": "m"}
FILE = "GET /v1/files/file-in"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(lambda ids: {"output": "".join(map(good, ids))}) as running:
        yield running


@pytest.fixture
def bench(provider: Provider, tmp_path: Path) -> Iterator[Bench]:
    made = provider.bench(tmp_path)
    yield made
    made.close()


def upload_says(provider: Provider, word: str, looks: int, then: str = "processed", **more: Json) -> None:
    """The upload's state, in its reply and for so many looks at it."""
    usual, left = provider.reply, [looks]

    def reply(method: str, path: str, body: bytes) -> tuple[int, str]:
        status, text = usual(method, path, body)
        if path == "/v1/files" and method == "POST":
            return status, json.dumps({"id": "file-in", "status": word})
        if path == "/v1/files/file-in":
            left[0] -= 1
            return 200, json.dumps({"id": "file-in", "status": word if left[0] >= 0 else then, **more})
        return status, text

    provider.reply = reply  # type: ignore[method-assign]


@pytest.mark.parametrize("word", ["pending", "validating", "Running", "PROCESSING", "in-progress"])
def test_it_is_waited_for(bench: Bench, provider: Provider, word: str) -> None:
    upload_says(provider, word, looks=1)
    folder = bench.run(bench.spec("openai", 2, JOB))
    assert bench.status(folder).completed == 2
    assert (provider.calls.count("POST /v1/files"), len(provider.made)) == (1, 1)
    assert provider.calls.count(FILE) == 2


@pytest.mark.parametrize("word", ["processed", "uploaded", "anything"])
def test_one_that_is_ready_is_not_looked_at(bench: Bench, provider: Provider, word: str) -> None:
    upload_says(provider, word, looks=0)
    assert bench.status(bench.run(bench.spec("openai", 1, JOB))).completed == 1
    assert FILE not in provider.calls


def test_one_that_never_will_be_is_refused(bench: Bench, provider: Provider) -> None:
    upload_says(provider, "pending", looks=1, then="error", status_details="line 2 is no JSON")
    folder = bench.run(bench.spec("openai", 1, JOB))
    assert folder.result(0).error == 'the upload cannot be used, its state is "error": line 2 is no JSON'
    assert provider.made == []


@pytest.mark.parametrize(
    "words",
    [
        "Input file file-in is not in a valid state: pending",
        "The File file-in is not in an ACTIVE state and usage is not allowed.",
        "file is still being processed",
        "The input file is not ready yet",
    ],
)
def test_a_create_that_comes_too_early_is_repeated_without_an_upload(
    bench: Bench, provider: Provider, words: str
) -> None:
    body = json.dumps({"error": {"code": "invalidPayload", "message": words}}).encode()
    head = f"HTTP/1.1 400 X\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    provider.raw["POST /v1/batches"] = [head + body]
    folder = bench.run(bench.spec("openai", 2, JOB))
    assert bench.status(folder).completed == 2
    assert (provider.calls.count("POST /v1/files"), len(provider.made)) == (1, 2)


def test_a_create_refused_for_a_file_that_failed_is_final(bench: Bench, provider: Provider) -> None:
    words = "Input file file-in is not in a valid state: error"
    provider.refuse["POST /v1/batches"] = (400, {"error": {"message": words}})
    folder = bench.run(bench.spec("openai", 1, JOB))
    assert words in (folder.result(0).error or "")
    assert len(provider.made) == 1
