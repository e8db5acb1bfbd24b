"""Kin of the reported cases: many odd replies in one batch, as their readers meet them on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.cases.case_help import Case

MakeCase = Callable[[str], Case]
USAGE = {"prompt_tokens": 3, "completion_tokens": 2}
ERROR_EVENT = 'event: error\ndata: {"type": "overloaded_error", "message": "busy"}\n\n'


def answer(content: Any, reason: Any = "stop", **more: Any) -> dict[str, Any]:
    choice = {
        "index": 0,
        "finish_reason": reason,
        "message": {"role": "assistant", "content": content},
    } | more
    return {"object": "chat.completion", "model": "m", "choices": [choice], "usage": USAGE}


FOUR = {"body": answer("four")}


def asked(it: Case, *replies: dict[str, Any], retries: int = 0) -> tuple[int, list[dict[str, Any]], int]:
    """One job a reply, asked in order; exit code, results, calls."""
    (it.folder / "replies.json").write_text(json.dumps(replies), encoding="utf-8")
    rows = "".join(json.dumps({"q": f"q{n}"}) + "\n" for n in range(len(replies) if retries == 0 else 1))
    (it.folder / "rows.jsonl").write_text(rows, encoding="utf-8")
    batch = 'name = "kin"\nbackend = "chatcase"\n[source]\nfile = "rows.jsonl"\n[job]\nmodel = "m"\nprompt = "{{ q }}"\n'
    limits = f"[limits]\nconcurrency = 1\nretries = {retries}\n"
    (it.folder / "kin.toml").write_text(batch + limits, encoding="utf-8")
    with it.serve("reply_server.py", "replies.json") as server:
        ran = it.run("run", "kin.toml", "--yes", "--out", "out.jsonl")
        calls = server.calls["calls"]
    return ran.code, it.rows(), calls


def test_what_is_called_completed_is_so_or_it_says_that_it_is_not(case: MakeCase) -> None:
    filtered = {"hate": {"filtered": True, "severity": "high"}}
    it = case("own")
    code, rows, calls = asked(
        it,
        {"body": answer("four", "eos_token")},
        {"body": answer("fo", "time_limit")},
        {"body": answer("fo", "peculiar")},
        {"body": answer("fo", "server_error")},
        {"body": {"choices": [{"finish_reason": "content_filter", "content_filter_results": filtered}]}},
        {"body": {"detail": "the worker died"}},
        {"body": answer("<mm:think>two or five</mm:think>four")},
        {"body": answer("\u200b")},
        {"body": answer([{"type": "text", "text": {"value": "four", "annotations": []}}])},
        {"body": [answer("four")]},
    )
    assert (code, calls) == (1, 10)
    assert [row["status"] for row in rows] == [
        "completed", "completed", "completed", "failed", "failed", "failed", "completed", "failed", "completed",
        "completed",
    ]  # fmt: skip
    told = [row["note"] or row["error"] for row in rows]
    assert told[0] is told[6] is None
    for n, words in (
        (1, "before it was done"),
        (2, "not known"),
        (3, "broke off"),
        (4, "hate (high)"),
        (5, "worker"),
    ):
        assert words in told[n]
    assert "(peculiar)" in it.run("show", "kin", rows[2]["job_id"]).out
    assert (rows[6]["raw_response"], rows[6]["reasoning"]) == ("four", "two or five")
    assert rows[3]["raw_response"] == "fo"


def test_what_may_pass_is_tried_again_whatever_its_form(case: MakeCase) -> None:
    early = {"status": 425, "body": {"error": {"message": "too early"}}}
    event = {"text": ERROR_EVENT, "headers": {"Content-Type": "text/event-stream"}}
    code, [row], calls = asked(case("own"), early, event, FOUR, retries=2)
    assert (code, row["raw_response"], calls) == (0, "four", 3)


def test_a_reply_that_is_only_called_packed_is_read(case: MakeCase) -> None:
    code, [row], calls = asked(case("own"), FOUR | {"headers": {"Content-Encoding": "gzip"}})
    assert (code, row["raw_response"], calls) == (0, "four", 1)


def test_an_error_beside_a_paid_answer_fails_its_job_and_keeps_it(case: MakeCase) -> None:
    it = case("batch-long-file-id")
    line = {"body": answer("four"), "error": {"code": "late", "message": "the region went down"}}
    (it.folder / "lines.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    with it.serve("batch_server.py", "lines.jsonl"):
        ran = it.run("run", "requests.jsonl", "--backend", "batchcase", "--yes", "--out", "out.jsonl")
    assert ran.code == 1
    for row in it.rows():
        assert (row["status"], row["error_kind"], row["raw_response"]) == ("failed", "late", "four")


def test_an_upload_that_failed_is_refused_before_a_batch_is_made_of_it(case: MakeCase) -> None:
    it = case("batch-upload-not-ready")
    with it.serve("batch_server.py", "lines.jsonl", "--upload-status", "error") as server:
        ran = it.run("run", "requests.jsonl", "--backend", "batchcase", "--yes", "--out", "out.jsonl")
        assert [call["path"] for call in server.calls].count("batches") == 0
    assert ran.code != 0
    assert all("upload cannot be used" in str(row["error"]) for row in it.rows())


def test_a_batch_that_is_not_known_for_a_moment_is_asked_for_again(case: MakeCase) -> None:
    it = case("batch-long-file-id")
    with it.serve("batch_server.py", "lines.jsonl", "--forgotten", "2") as server:
        ran = it.run("run", "requests.jsonl", "--backend", "batchcase", "--yes", "--out", "out.jsonl")
        assert [call["path"] for call in server.calls].count("batches") == 1
    assert ran.code == 0, ran.err
    assert [row["status"] for row in it.rows()] == ["completed", "completed"]
