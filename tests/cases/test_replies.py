"""Replies that are not what they say, over the command line: each question is asked as often as is right, no more."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from batchtui.model import Json
from tests.cases.case_help import Case

MakeCase = Callable[[str], Case]
RUN = ("run", "case.toml", "--yes", "--out", "out.jsonl")
FOUR: Json = {
    "object": "chat.completion",
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "four"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 11, "completion_tokens": 7},
}


def own(case: MakeCase, *replies: dict[str, Json], retries: int = 3) -> Case:
    it = case("own")
    batch = 'name = "case"\nbackend = "chatcase"\n[job]\nmodel = "m"\nprompt = "two and two"\n'
    (it.folder / "case.toml").write_text(f"{batch}[limits]\nretries = {retries}\n", encoding="utf-8")
    (it.folder / "replies.json").write_text(json.dumps(replies), encoding="utf-8")
    return it


def ends(it: Case) -> tuple[int, dict[str, Json], int]:
    """The exit code, the one result, and how often was asked."""
    with it.serve("reply_server.py", "replies.json") as server:
        ran = it.run(*RUN)
        calls = server.calls
    assert all(body["stream"] is False for body in calls["bodies"])
    return ran.code, it.rows()[0], calls["calls"]


@pytest.mark.parametrize(
    ("name", "calls"), [("chat-429-in-200", 2), ("chat-loading", 9), ("pass-retry-after-date", 4)]
)
def test_what_passes_by_itself_is_waited_for(case: MakeCase, name: str, calls: int) -> None:
    code, row, asked = ends(case(name))
    assert (code, row["status"], row["raw_response"], asked) == (0, "completed", "four", calls)


def test_why_a_loading_server_is_waited_for_is_said_once(case: MakeCase) -> None:
    loading = {
        "status": 503,
        "body": {"error": {"message": "Loading model", "code": 503}, "retry_after": 0.1},
    }
    it = own(case, *[loading] * 5, {"status": 200, "body": FOUR})
    with it.serve("reply_server.py", "replies.json"):
        ran = it.run(*RUN)
    assert ran.code == 0
    assert ran.err.count("loads its model: Loading model") == 1


def test_an_event_stream_is_read_or_asked_for_once(case: MakeCase) -> None:
    code, row, asked = ends(case("chat-event-stream"))
    assert (code, row["status"], row["raw_response"], asked) == (0, "completed", "four", 1)


@pytest.mark.parametrize(
    "first",
    [
        {"status": 200, "body": {"error": {"message": "no", "type": "rate_limit_error"}}},
        {"status": 200, "text": 'data: {"error": {"code": "429", "message": "no"}}\n\n'},
        {"status": 503, "body": {"error": "Model m is currently loading", "estimated_time": 0.5}},
        {"status": 500, "body": {"error": "llm server is still loading the model"}},
        {"status": 429, "body": {"error": {"message": "slow"}}, "headers": {"x-ratelimit-reset-tokens": "120ms"}},
    ],
)  # fmt: skip
def test_neither_a_rate_nor_loading_costs_a_retry(case: MakeCase, first: dict[str, Json]) -> None:
    code, row, asked = ends(own(case, first, first, {"status": 200, "body": FOUR}, retries=0))
    assert (code, row["status"], asked) == (0, "completed", 3)


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("<html><title>Sign in</title></html>", "text/html", "text/html"),
        ('{"model": "m", "message": {"content": "fo"}, "done": false}\n', "application/x-ndjson", "ended"),
        ("data: fo\n\n", "text/event-stream", "text/event-stream"),
        ('{"error": {"message": "no such voice", "code": 400}}', "application/json", "no such voice"),
    ],
)
def test_what_is_no_answer_is_paid_once(case: MakeCase, text: str, kind: str, words: str) -> None:
    it = own(case, {"status": 200, "headers": {"Content-Type": kind}, "text": text})
    code, row, asked = ends(it)
    assert (code, row["status"], asked) == (1, "failed", 1)
    assert words in row["error"]


def test_an_error_that_may_pass_is_tried_again_within_the_retries(case: MakeCase) -> None:
    code, row, asked = ends(
        own(case, {"status": 200, "body": {"error": {"message": "gone", "code": 502}}}, retries=1)
    )
    assert (code, row["status"], asked) == (1, "failed", 2)
    assert "gone" in row["error"]


def test_vectors_of_a_chat_server(case: MakeCase) -> None:
    vectors = {
        "object": "list",
        "model": "m",
        "data": [{"embedding": [1.0, 2.0]}],
        "usage": {"prompt_tokens": 3},
    }
    it = own(case, {"status": 200, "body": vectors})
    job = '[job]\nmodel = "m"\nendpoint = "/v1/embeddings"\nbody = { input = "two" }\n'
    (it.folder / "case.toml").write_text(f'name = "case"\nbackend = "chatcase"\n{job}', encoding="utf-8")
    with it.serve("reply_server.py", "replies.json") as server:
        assert it.run("check", "case.toml").code == 0
        assert it.run(*RUN).code == 0
        assert server.calls["bodies"] == [{"model": "m", "input": "two"}]
    assert it.rows()[0]["output"] == [{"embedding": [1.0, 2.0]}]
