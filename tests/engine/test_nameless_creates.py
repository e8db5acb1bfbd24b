"""A create that is answered without an id that can be used: looked up, sent once more, then a person's."""

from __future__ import annotations

import contextlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from batchtui.model import Json
from tests.engine.bench import Bench, until
from tests.engine.provider import Provider, good

JOB = {"prompt": "{{ text }}", "model": "m"}
LONG = "x" * 400
Opened = Callable[..., tuple[Bench, Provider]]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    with ExitStack() as stack:

        def make(**batch: Json) -> tuple[Bench, Provider]:
            def rows(ids: list[str]) -> dict[str, str | None]:
                return {"output": "".join(map(good, ids))}

            provider = stack.enter_context(Provider(rows, **batch))
            bench = provider.bench(tmp_path)
            stack.callback(bench.close)
            return bench, provider

        yield make


@pytest.mark.parametrize(
    "body",
    [
        {"status": "validating"},
        {"id": "batch_\x1b]0;x\x07"},
        {"id": ""},
        {"id": 7},
        {"id": ["batch_1"]},
        [],
        "<html>thank you</html>",
        "",
    ],
)
@pytest.mark.parametrize("submissions", [1, 3])
def test_at_most_two_are_ever_made(opened: Opened, body: Json, submissions: int) -> None:
    bench, provider = opened()
    provider.refuse["POST /v1/batches"] = (200, body)
    spec = bench.spec("openai", submissions, JOB, jobs_per_submission=1, submissions_at_once=1)
    folder = bench.run(spec)
    assert len(provider.made) == 2
    [item] = bench.status(folder).attention
    assert item.kind == "unsure"
    assert "without an id" in item.text
    unsure = [event for event in events(folder.path) if event["event"] == "unsure" and event.get("answered")]
    assert len(unsure) == 2

    bench.close()  # and neither does another process make more
    other = bench.new_worker()
    try:
        other.drive(folder.id)
        assert other.wait({folder.id}, 30)
    finally:
        other.stop()
    assert len(provider.made) == 2


def test_side_by_side_each_submission_is_made_once_more_at_most(opened: Opened) -> None:
    """Three creates are under way before the first of them is answered, and not one answer has an id."""
    bench, provider = opened()
    provider.refuse["POST /v1/batches"] = (200, {"status": "validating"})
    usual, together = provider.reply, threading.Barrier(3)

    def reply(method: str, path: str, body: bytes) -> tuple[int, str]:
        if method == "POST" and path == "/v1/batches" and len(provider.made) < 3:
            with contextlib.suppress(threading.BrokenBarrierError):
                together.wait(30)
        return usual(method, path, body)

    provider.reply = reply  # type: ignore[method-assign]
    folder = bench.run(bench.spec("openai", 6, JOB, jobs_per_submission=1, submissions_at_once=3))
    assert not together.broken
    times = Counter(json.dumps(made["metadata"], sort_keys=True) for made in provider.made)
    assert len(times) == 3, "while that is not settled nothing else goes there"
    assert max(times.values()) <= 2
    assert len(provider.made) <= 4
    waiting = {item.submission for item in bench.status(folder).attention if item.kind == "unsure"}
    assert waiting == {1, 2, 3}
    made = len(provider.made)

    bench.close()
    other = bench.new_worker()
    try:
        other.drive(folder.id)
        assert other.wait({folder.id}, 30)
    finally:
        other.stop()
    assert len(provider.made) == made


def events(path: Path) -> list[dict[str, Json]]:
    return [json.loads(line) for line in (path / "events.jsonl").read_bytes().splitlines()]


def test_one_more_that_is_named_goes_on(opened: Opened) -> None:
    bench, provider = opened()
    nameless = json.dumps({"status": "validating"}).encode()
    head = f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {len(nameless)}\r\n\r\n"
    provider.raw["POST /v1/batches"] = [head.encode() + nameless]
    folder = bench.run(bench.spec("openai", 2, JOB))
    assert bench.status(folder).completed == 2
    assert len(provider.made) == 2


def test_after_a_persons_word_it_is_one_create_at_a_time(opened: Opened) -> None:
    bench, provider = opened()
    provider.refuse["POST /v1/batches"] = (200, {"status": "validating"})
    folder = bench.run(bench.spec("openai", 1, JOB))
    assert len(provider.made) == 2
    bench.ask(folder, "resolve", action="resend")
    until(lambda: len(provider.made) == 3 and any(key[0] == "unsure" for key in folder.progress.attention))
    assert len(provider.made) == 3


def test_ids_of_400_characters_are_ids(opened: Opened) -> None:
    bench, provider = opened(id=f"batch_{LONG}", output_file_id=f"file_{LONG}")
    usual = provider.reply

    def reply(method: str, path: str, body: bytes) -> tuple[int, str]:
        if method == "POST" and path == "/v1/files":
            usual(method, path, body)
            return 200, json.dumps({"id": f"in_{LONG}"})
        return usual(method, path.replace(f"file_{LONG}", "output"), body)

    provider.reply = reply  # type: ignore[method-assign]
    folder = bench.run(bench.spec("openai", 3, JOB))
    status = bench.status(folder)
    assert (status.completed, len(provider.made)) == (3, 1)
    assert provider.made[0]["input_file_id"] == f"in_{LONG}"
    assert (status.submissions or [])[0].remote_id == f"batch_{LONG}"


@pytest.mark.parametrize("value", ["..", "out\x1b[31m", 7, {"id": "x"}])
def test_a_result_file_that_cannot_be_asked_for_is_said(opened: Opened, value: Json) -> None:
    bench, _ = opened(output_file_id=value)
    folder = bench.start(bench.spec("openai", 1, JOB))
    until(lambda: ("results", 1) in folder.progress.attention)
    reason = (bench.status(folder).submissions or [])[0].reason or ""
    assert "the output file is named by an id that" in reason
    assert folder.result(0).status == "processing"
