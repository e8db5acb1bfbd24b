"""What counts as an answer, by what servers really send: thinking, refusals, cuts, several choices."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.cases.case_help import Case

MakeCase = Callable[[str], Case]


def batch(case: Case) -> tuple[int, list[dict[str, Any]]]:
    with case.serve("batch_server.py", "lines.jsonl"):
        ran = case.run("run", "requests.jsonl", "--backend", "batchcase", "--yes", "--out", "out.jsonl")
    return ran.code, case.rows()


def chat(case: Case) -> tuple[int, dict[str, Any], int]:
    with case.serve("reply_server.py", "replies.json") as server:
        ran = case.run("run", "case.toml", "--yes", "--out", "out.jsonl")
        calls = server.calls["calls"]
    [row] = case.rows()
    return ran.code, row, calls


def say(case: Case, *choices: dict[str, Any]) -> None:
    """A case of our own: one job, and these as the choices of its reply."""
    body = {"id": "c1", "object": "chat.completion", "model": "m", "choices": choices,
            "usage": {"prompt_tokens": 11, "completion_tokens": 7}}  # fmt: skip
    (case.folder / "replies.json").write_text(json.dumps([{"status": 200, "body": body}]))
    job = 'name = "case"\nbackend = "chatcase"\n\n[job]\nmodel = "m"\nprompt = "two and two"\n'
    (case.folder / "case.toml").write_text(job)


def message(content: Any, reason: str = "stop", **more: Any) -> dict[str, Any]:
    return {"index": 0, "message": {"role": "assistant", "content": content, **more}, "finish_reason": reason}


def test_a_response_without_an_answer_is_not_completed(case: MakeCase) -> None:
    it = case("batch-responses-not-answered")
    code, (cut, refused) = batch(it)
    assert code == 1
    assert (cut["status"], cut["raw_response"], cut["error_kind"]) == ("failed", None, "bad_reply")
    assert "the token limit left no room for an answer" in cut["error"]
    assert cut["reasoning"] == "two and two make 4 or 5"
    assert (refused["status"], refused["error_kind"]) == ("failed", "refusal")
    assert "I cannot help" in refused["error"]


def test_reasoning_items_are_no_answer(case: MakeCase) -> None:
    it = case("batch-responses-reasoning")
    code, [row] = batch(it)
    assert (code, row["status"], row["raw_response"]) == (0, "completed", "four")
    assert row["reasoning"] == "two and two make 4 or 5"


def test_every_paid_answer_is_in_the_result(case: MakeCase) -> None:
    it = case("batch-several-choices")
    code, [row] = batch(it)
    assert (code, row["raw_response"]) == (0, "first")
    assert [choice["text"] for choice in row["choices"]] == ["first", "second", "third"]
    shown = it.run("show", "requests", "r0")
    assert all(word in shown.out for word in ("first", "second", "third"))


def test_thinking_without_an_answer_is_not_completed(case: MakeCase) -> None:
    it = case("chat-empty-answer")
    code, row, calls = chat(it)
    assert (code, calls, row["status"], row["raw_response"]) == (1, 1, "failed", None)
    assert "the token limit left no room for an answer" in row["error"]
    assert row["reasoning"] == "two and two, so"


def test_thinking_before_json_is_no_part_of_it(case: MakeCase) -> None:
    it = case("chat-thinking-before-json")
    code, row, _ = chat(it)
    assert (code, row["status"], row["parsed_response"]) == (0, "completed", {"n": 4})
    assert (row["raw_response"], row["reasoning"]) == ('{"n": 4}', 'maybe {"n": 9}?')


def test_a_draft_inside_unfinished_thinking_is_no_answer(case: MakeCase) -> None:
    it = case("chat-thinking-cut")
    code, row, _ = chat(it)
    assert (code, row["status"], row["parsed_response"]) == (1, "invalid", None)
    assert "token limit" in row["error"]


def test_a_cut_text_is_kept_and_flagged(case: MakeCase) -> None:
    it = case("cut")
    say(it, message("half of it", "length"))
    code, row, _ = chat(it)
    assert (code, row["status"], row["raw_response"], row["finish_reason"]) == (
        0,
        "completed",
        "half of it",
        "length",
    )
    assert row["note"] == "cut off at its token limit (length)"
    assert "length" in it.run("results", "case", "--format", "table").out
    assert "cut off at its token limit" in it.run("show", "case", row["job_id"]).out
    it.run("export", "case", "--out", "out.csv")
    assert "cut off at its token limit (length)" in (it.folder / "out.csv").read_text()


@pytest.mark.parametrize("content", ["", None, "let me look"])
def test_tool_calls_are_kept_beside_any_text(case: MakeCase, content: str | None) -> None:
    it = case("calls")
    calls = [
        {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
    ]
    say(it, message(content, "tool_calls", tool_calls=calls))
    code, row, _ = chat(it)
    assert (code, row["status"], row["raw_response"]) == (0, "completed", content or None)
    assert row["tool_calls"] == row["output"] == calls
    assert "weather" in it.run("show", "case", row["job_id"]).out
    it.run("export", "case", "--out", "out.csv")
    assert "weather" in (it.folder / "out.csv").read_text()
