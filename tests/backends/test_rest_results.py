"""Results of kind `rest` that do not stand in the reply: behind a redirect, in a file, on several pages; and held polls."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from batchtui.config import load_config
from batchtui.model import JobState
from tests.backends.job_servers import Answer, Call, JobServer, Said, served
from tests.engine.bench import Bench

KEY = "key-of-nobody-0123456789"
JOB = {"input": {"text": "{{ text }}"}}
TABLE = """
[backends.jobs]
kind = "rest"
base_url = "{url}"
poll_interval = 0.05
headers = {{ X-Key = "env:JOBS_KEY" }}
submit = {{ path = "jobs", body = "{{{{ input }}}}" }}
poll = {{ path = "jobs/{{{{ id }}}}"{poll} }}
"""
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4000
Open = Callable[..., tuple[Bench, JobServer]]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """`opened(answer, more, poll=…, store=…)`: an API that answers so, told in the table with `more`."""
    monkeypatch.setenv("JOBS_KEY", KEY)
    with ExitStack() as stack:

        def start(
            answer: Answer, more: str = "", poll: str = "", store: Answer | None = None
        ) -> tuple[Bench, JobServer]:
            server = stack.enter_context(served(_with_jobs(answer), store))
            text = TABLE.format(url=server.url, poll=poll) + more
            (tmp_path / "config.toml").write_text(text)
            bench = Bench(tmp_path, load_config(tmp_path / "config.toml", env=os.environ))
            stack.callback(bench.close)
            return bench, server

        yield start


def _with_jobs(answer: Answer) -> Answer:
    """Creates are answered here, so that a test says only what is odd."""

    def all_of_it(server: JobServer, call: Call) -> Said | None:
        if call.headers.get("x-key") != KEY:
            return Said(401, {"error": "no key"})
        if call.method == "POST":
            job, _ = server.made("", call.body)
            return Said(201, {"id": job["id"]})
        return answer(server, call)

    return all_of_it


def done(server: JobServer, call: Call) -> Said:
    return Said(body={"status": "done"})


@pytest.mark.parametrize("status", [302, 303])
def test_a_redirect_to_the_result_is_its_end_and_is_followed(opened: Open, status: int) -> None:
    def answer(server: JobServer, call: Call) -> Said:
        id_ = call.path.rpartition("/")[2]
        if call.path.startswith("/results/"):
            return Said(body={"text": server.jobs[id_]["input"]["text"].upper()})
        if time.time() - server.jobs[id_]["begun"] < 0.2:
            return Said(body={"status": "running"})
        return Said(status, None, {"Location": f"/results/{id_}"})

    states = '[backends.jobs.states]\n302 = "completed"\n' if status == 302 else ""
    bench, _ = opened(answer, states, ', status = ["status", "http:status"]' if status == 302 else "")
    folder = bench.run(bench.spec("jobs", 3, JOB))
    assert [folder.result(n).output for n in range(3)] == [{"text": f"TEXT OF ROW {n}"} for n in range(3)]


def test_a_status_may_be_the_number_alone(opened: Open) -> None:
    def answer(server: JobServer, call: Call) -> Said:
        id_ = call.path.rpartition("/")[2]
        live = time.time() - server.jobs[id_]["begun"] < 0.2
        return Said(202) if live else Said(200, {"text": "four"})

    states = '[backends.jobs.states]\n202 = "processing"\n200 = "completed"\n'
    bench, _ = opened(answer, states, ', status = "http:status"')
    folder = bench.run(bench.spec("jobs", 2, JOB))
    assert [folder.result(n).output for n in range(2)] == [{"text": "four"}] * 2


def test_a_file_on_another_host_is_kept_as_it_comes_and_gets_no_key(opened: Open) -> None:
    def answer(server: JobServer, call: Call) -> Said:
        assert server.store is not None
        return Said(body={"status": "done", "urls": {"image": f"{server.store.url}/a/picture.png?sig=feed"}})

    def store(server: JobServer, call: Call) -> Said:
        return Said(200, PNG, {"Content-Type": "image/png"})

    fetch = 'fetch = { path = "jobs/{{ id }}", file = "urls.image", format = "file" }\n'
    bench, server = opened(answer, fetch, store=store)
    folder = bench.run(bench.spec("jobs", 1, JOB))
    output: Any = folder.result(0).output
    assert output == {"file": "raw/1-result.png", "bytes": len(PNG), "type": "image/png"}
    assert (folder.path / output["file"]).read_bytes() == PNG
    assert server.store is not None
    assert server.store.calls
    assert all(KEY not in str(call.headers) for call in server.store.calls)


def test_a_file_where_nothing_is_kept_is_told_and_left_there(opened: Open) -> None:
    def answer(server: JobServer, call: Call) -> Said:
        return Said(200, PNG) if call.path.endswith("/image") else done(server, call)

    bench, server = opened(answer, 'fetch = { path = "jobs/{{ id }}/image", format = "file" }\n')
    spec = bench.spec("jobs", 1, JOB)
    spec.output.raw = False
    folder = bench.run(spec)
    assert folder.result(0).status is JobState.FAILED
    assert "output.raw = false" in (folder.result(0).error or "")
    assert not [call for call in server.calls if call.path.endswith("/image")]


def test_many_jobs_are_answered_by_the_lines_of_a_file(opened: Open) -> None:
    def answer(server: JobServer, call: Call) -> Said:
        if not call.path.endswith("/lines"):
            return done(server, call)
        (job,) = server.jobs.values()
        made = [{"id": one["id"], "text": one["text"].upper()} for one in job["input"]["jobs"]]
        made[1] = {"id": made[1]["id"], "error": "it broke"}
        return Said(200, b"".join(json.dumps(one).encode() + b"\n" for one in made[::-1]))

    more = 'fetch = { path = "jobs/{{ id }}/lines", format = "jsonl", result = "text" }\n'
    bench, _ = opened(answer, more)
    bench.config.backends["jobs"].table["submit"] = {
        "path": "jobs",
        "each": {"id": "{{ id }}", "text": "{{ input.text }}"},
        "body": {"jobs": "{{ jobs }}"},
    }
    folder = bench.run(bench.spec("jobs", 3, JOB))
    given = [(folder.result(n).output, folder.result(n).error) for n in range(3)]
    assert given == [("TEXT OF ROW 0", None), (None, "it broke"), ("TEXT OF ROW 2", None)]


def test_a_result_elsewhere_gets_nothing_of_the_call(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FETCH_KEY", "fetch-key-of-nobody-0123")

    def answer(server: JobServer, call: Call) -> Said:
        assert server.store is not None
        return Said(body={"status": "done", "at": f"{server.store.url}/out?sig=feed"})

    def store(server: JobServer, call: Call) -> Said:
        return Said(body={"query": call.query, "headers": sorted(call.headers)})

    fetch = 'fetch = { url = "{{ at }}", query = { key = "env:FETCH_KEY" }, headers = { X-More = "env:FETCH_KEY" } }\n'
    bench, _ = opened(answer, fetch, ', keep = { at = "at" }', store)
    folder = bench.run(bench.spec("jobs", 1, JOB))
    output: Any = folder.result(0).output
    assert output["query"] == {"sig": "feed"}
    assert not {"x-key", "x-more"} & set(output["headers"])


def test_an_address_that_ran_out_is_asked_for_anew(opened: Open) -> None:
    def answer(server: JobServer, call: Call) -> Said:
        assert server.store is not None
        signed = len(server.asked("GET", call.path))
        return Said(body={"status": "done", "url": f"{server.store.url}/out?signed={signed}"})

    def store(server: JobServer, call: Call) -> Said:
        fresh = len(server.calls) > 1
        return Said(body={"text": "four"}) if fresh else Said(403, b"<Code>AccessDenied</Code>")

    bench, _ = opened(answer, 'fetch = { path = "jobs/{{ id }}", file = "url" }\n', store=store)
    folder = bench.run(bench.spec("jobs", 1, JOB))
    assert (folder.result(0).output, folder.status().attention) == ({"text": "four"}, [])


@pytest.mark.parametrize(
    ("way", "fetch"),
    [
        ("link", 'next = "link:next"'),
        ("body", 'next = "paging.next"'),
        ("token", 'cursor = "token", query = { token = "{{ cursor }}" }'),
        ("header", 'cursor = "header:X-Next", query = { token = "{{ cursor }}" }'),
    ],
)
def test_a_result_on_several_pages_is_one_result(opened: Open, way: str, fetch: str) -> None:
    def answer(server: JobServer, call: Call) -> Said:
        if not call.path.endswith("/rows"):
            return done(server, call)
        at = int(call.query.get("token", 0))
        body: dict[str, Any] = {"rows": [at, at + 1]}
        headers = {}
        if at < 4:
            following = f"{call.path}?token={at + 2}"
            body |= {"token": str(at + 2)} if way == "token" else {}
            body |= {"paging": {"next": following}} if way == "body" else {}
            link = f'</>; rel="self", <{following}>; rel="next"'
            headers = {"link": {"Link": link}, "header": {"X-Next": str(at + 2)}}.get(way, {})
        return Said(200, body, headers)

    bench, _ = opened(answer, f'fetch = {{ path = "jobs/{{{{ id }}}}/rows", items = "rows", {fetch} }}\n')
    folder = bench.run(bench.spec("jobs", 1, JOB))
    assert folder.result(0).output == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("format_", "body", "output"),
    [("text", b"one\ntwo", "one\ntwo"), ("jsonl", b'{"a": 1}\n{"a": 2}\n', [{"a": 1}, {"a": 2}])],
)
def test_a_result_that_is_no_json(opened: Open, format_: str, body: bytes, output: Any) -> None:
    def answer(server: JobServer, call: Call) -> Said:
        return Said(200, body) if call.path.endswith("/out") else done(server, call)

    bench, _ = opened(answer, f'fetch = {{ path = "jobs/{{{{ id }}}}/out", format = "{format_}" }}\n')
    folder = bench.run(bench.spec("jobs", 1, JOB))
    assert (folder.result(0).status, folder.result(0).output) == (JobState.COMPLETED, output)


def test_a_list_keeps_the_pace_that_the_api_asks_for(opened: Open) -> None:
    asked: list[float] = []

    def answer(server: JobServer, call: Call) -> Said:
        live = any(time.time() - job["begun"] < 4 for job in server.jobs.values())
        word = "running" if live else "done"
        if call.path == "/jobs" and live:
            asked.append(time.monotonic())
        items = [{"id": id_, "status": word} for id_ in server.jobs]
        body = {"items": items} if call.path == "/jobs" else {"status": word}
        return Said(200, body, {"Retry-After": "1"} if live else {})

    bench, _ = opened(answer, poll=', list = { path = "jobs", items = "items", whole = true }')
    folder = bench.run(bench.spec("jobs", 2, JOB))
    assert folder.status().completed == 2
    assert asked  # once both are watched, they are asked for in one call
    assert all(later - sooner > 0.9 for sooner, later in pairwise(asked))


def test_a_poll_that_is_held_open_is_one_call_and_hides_no_other(opened: Open) -> None:
    held: dict[str, int] = {}

    def answer(server: JobServer, call: Call) -> Said:
        job = server.jobs[call.path.rpartition("/")[2]]
        held[job["id"]] = held.get(job["id"], 0) + 1
        server.lock.release()
        try:
            ends = job["begun"] + (0.5 if job["id"] == "j-1" else 2.5)
            time.sleep(max(0.0, ends - time.time()))
        finally:
            server.lock.acquire()
        return Said(body={"status": "done", "n": job["id"]})

    bench, _ = opened(answer, poll=', hold = "30s"')
    begun = time.monotonic()
    folder = bench.run(bench.spec("jobs", 3, JOB))
    assert folder.status().completed == 3
    assert time.monotonic() - begun > 2
    assert sum(held.values()) <= 6 + 3  # a call each while it runs, one for the result, not one every 0.05 s
