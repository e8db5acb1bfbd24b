"""Result lines as providers write them: each bad one costs one row, never the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchtui.backends.file_batches.files import is_custom_id, is_torn, read_answer
from batchtui.backends.wire.ids import wire_id
from batchtui.model import JobState

BAD = Path(__file__).parents[1] / "data/hostile/bad-results"


def rows(name: str):
    lines = (BAD / f"{name}.jsonl").read_bytes().splitlines(keepends=True)
    return [read_answer(line, f"line {number}") for number, line in enumerate(lines, start=1)]


def outcome_of(line: str):
    answer = read_answer(line.encode(), "line 1")
    assert answer is not None
    return answer.outcome


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("empty", []),
        ("torn", [("a", "completed", None), ("b", "failed", "bad_reply")]),
        ("extra-row", [("a", "completed", None), ("zzz", "completed", None)]),
        ("dup-row", [("a", "completed", None), ("a", "completed", None)]),
        ("reordered", [("b", "completed", None), ("a", "completed", None)]),
        ("null-content", [("a", "failed", "bad_reply")]),
        ("no-choices", [("a", "failed", "bad_reply")]),
        ("error-row", [("a", "failed", "x")]),
        ("status-500", [("a", "failed", "server")]),
        ("html", [("", "failed", "bad_reply")]),
        ("bad-json-output", [("a", "completed", None)]),
        ("usage-missing", [("a", "completed", None)]),
        ("usage-negative", [("a", "completed", None)]),
        ("usage-string", [("a", "completed", None)]),
        ("id-number", [("1", "completed", None)]),
        ("id-case", [("A", "completed", None)]),
        ("not-utf8", [("a", "failed", "bad_reply")]),
        ("osc52", [("a", "completed", None)]),
        ("markup", [("a", "completed", None)]),
        ("nested-escape", [("a", "completed", None)]),
        ("lone-surrogate", [("a", "completed", None)]),
    ],
)
def test_hostile_results(name, expected):
    got = [one and (one.job_id, one.outcome.state, one.outcome.error_kind) for one in rows(name)]
    assert got == expected


def test_words_stay_as_they_came():
    assert rows("osc52")[0].outcome.raw_response == "\x1b]52;c;UFc=\x07"
    assert rows("nested-escape")[0].outcome.raw_response == "\\u001b[2J"
    assert rows("lone-surrogate")[0].outcome.raw_response == "\ud83d"
    assert rows("error-row")[0].outcome.error == "[Errno 5] [/]"
    assert "500" in rows("status-500")[0].outcome.error
    assert "line 1" in rows("not-utf8")[0].outcome.error
    assert [one.job_id for one in rows("crlf-blank") if one] == ["a"]
    assert [one.job_id for one in rows("ls") if one] == ["a", "b"]


def test_a_row_not_run_says_why():
    expired = outcome_of(
        '{"custom_id":"a","response":null,"error":{"code":"batch_expired","message":"too late"}}'
    )
    assert (expired.state, expired.error_kind, expired.error) == (JobState.EXPIRED, "expired", "too late")
    cancelled = outcome_of(
        '{"custom_id":"a","response":null,"error":{"code":"batch_cancelled","message":"m"}}'
    )
    assert cancelled.state is JobState.CANCELLED


CHOICES = {"choices": [{"message": {"content": "x"}}]}
RESPONSE = {"object": "response", "output": [{"content": [{"type": "output_text", "text": "x"}]}]}


@pytest.mark.parametrize(
    ("row", "state", "text"),
    [
        ({"response": {"status_code": 200, "body": json.dumps(CHOICES)}}, "completed", "x"),
        ({"response": CHOICES}, "completed", "x"),
        ({"response": {"body": RESPONSE}}, "completed", "x"),
        ({"response": {"body": {"object": "list", "data": [{"embedding": [0.5]}]}}}, "completed", None),
        (
            {"response": {"status_code": "400", "body": {"error": {"message": "no"}}}, "error": None},
            "failed",
            None,
        ),
        ({"response": {"status_code": None, "body": None}}, "failed", None),
        ({"response": []}, "failed", None),
        ({"error": "plain words"}, "failed", None),
        ({}, "failed", None),
    ],
)
def test_dialects(row, state, text):
    outcome = outcome_of(json.dumps({"custom_id": "a", **row}))
    assert (outcome.state, outcome.raw_response) == (state, text)
    assert (outcome.error is None) == (state == "completed")


def test_a_torn_tail_is_known_from_a_whole_one():
    assert is_torn(b'{"custom_id":"b","resp')
    assert not is_torn(b'{"custom_id":"b"}')
    assert not is_torn(b'{"custom_id":"b","resp\n')


def test_ids_carry_the_end_of_the_token_where_they_fit_and_never_clash():
    ids = ["a", "é b", "x" * 55, "x" * 56, "esc\x1b", "", "6", "line\n"]
    sent = [wire_id("batch-1-0123abcd", n, one, is_custom_id) for n, one in enumerate(ids)]
    assert sent == [
        "0123abcd-a", "0123abcd-é b", "0123abcd-" + "x" * 55, "0123abcd_3", "0123abcd_4", "0123abcd_5",
        "0123abcd-6", "0123abcd_7",
    ]  # fmt: skip


def test_ids_go_as_they_are_under_a_token_that_is_not_ours():
    ids = ["a", "é b", "x" * 64, "x" * 65, "esc\x1b", "", "job-7", "line\n"]
    assert [wire_id("theirs", n, one, is_custom_id) for n, one in enumerate(ids)] == [
        "a", "é b", "x" * 64, "job-3", "job-4", "job-5", "job-6", "job-7",
    ]  # fmt: skip
