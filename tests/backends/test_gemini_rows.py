"""Result lines of Gemini: answers, finish reasons, blocked prompts and errors, each in clear words."""

from __future__ import annotations

import json

import pytest

from batchtui.backends.gemini.rows import read_answer
from batchtui.model import JobState

USAGE = {
    "promptTokenCount": 8,
    "candidatesTokenCount": 11,
    "thoughtsTokenCount": 829,
    "cachedContentTokenCount": 4,
    "totalTokenCount": 848,
}


def outcome_of(**row):
    answer = read_answer(json.dumps({"key": "a", **row}).encode() + b"\n", "line 1")
    assert answer is not None
    assert answer.job_id == "a"
    return answer.outcome


def candidate(parts, reason="STOP", **more):
    return {"candidates": [{"content": {"parts": parts, "role": "model"}, "finishReason": reason, **more}]}


def test_an_answer_with_thoughts_and_usage():
    parts = [{"text": "let me see", "thought": True}, {"text": "It is "}, {"text": "four."}]
    response = candidate(parts) | {"usageMetadata": USAGE, "modelVersion": "gemini-x", "responseId": "r-1"}
    outcome = outcome_of(response=response)
    assert (outcome.state, outcome.raw_response, outcome.finish_reason) == (
        JobState.COMPLETED,
        "It is four.",
        "STOP",
    )
    assert (outcome.input_tokens, outcome.output_tokens) == (8, 840)
    assert (outcome.usage, outcome.model, outcome.remote) == (USAGE, "gemini-x", {"id": "r-1"})
    assert outcome_of(response=json.dumps(response)).raw_response == "It is four.", "JSON inside the JSON"


def test_functions_that_it_calls_are_the_output():
    outcome = outcome_of(response=candidate([{"functionCall": {"name": "f", "args": {}}}]))
    assert (outcome.state, outcome.output) == (JobState.COMPLETED, [{"name": "f", "args": {}}])


@pytest.mark.parametrize(
    ("response", "kind", "words"),
    [
        (candidate([], "SAFETY"), "content_filter", "safety filter"),
        (candidate([], "RECITATION", finishMessage="a poem"), "content_filter", "a poem"),
        (candidate([{"text": "x"}], "NEW_REASON"), "content_filter", "NEW_REASON"),
        (candidate([], "MAX_TOKENS"), "bad_reply", "higher max_tokens"),
        (candidate([]), "bad_reply", "content is empty"),
        ({"candidates": [{"finishReason": "STOP"}]}, "bad_reply", "content is empty"),
        (
            {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}},
            "blocked",
            "prompt was blocked: PROHIBITED",
        ),
        (
            {
                "promptFeedback": {
                    "blockReason": "SAFETY",
                    "safetyRatings": [{"category": "HARM_CATEGORY_HARASSMENT", "probability": "HIGH"}],
                }
            },
            "blocked",
            "SAFETY (harassment)",
        ),
        ({}, "bad_reply", "no candidates"),
        ({"candidates": "x"}, "bad_reply", "no candidates"),
        ([], "bad_reply", "neither"),
        ("not json", "bad_reply", "no JSON"),
    ],
)
def test_what_is_no_answer_is_a_failure_with_a_reason(response, kind, words):
    outcome = outcome_of(response=response)
    assert (outcome.state, outcome.error_kind) == (JobState.FAILED, kind)
    assert words in (outcome.error or "")


def test_what_was_written_before_it_was_held_back_is_kept():
    held = outcome_of(response=candidate([{"text": "half"}], "SAFETY"))
    assert (held.state, held.raw_response, held.finish_reason) == (JobState.COMPLETED, "half", "SAFETY")
    assert "the safety filter held the answer back (SAFETY)" in (held.note or "")
    cut = outcome_of(response=candidate([{"text": "half"}], "MAX_TOKENS"))
    assert (cut.state, cut.raw_response, cut.finish_reason) == (JobState.COMPLETED, "half", "MAX_TOKENS")


@pytest.mark.parametrize(
    ("error", "state", "kind"),
    [
        ({"code": 3, "message": "Bad \x1b[2Jargument", "details": []}, "failed", "invalid_argument"),
        ({"code": 1, "message": "stopped"}, "cancelled", "cancelled"),
        ({"code": 99}, "failed", "provider"),
        ("plain words", "failed", "provider"),
    ],
)
def test_errors_of_rows(error, state, kind):
    outcome = outcome_of(error=error)
    assert (outcome.state, outcome.error_kind) == (state, kind)
    assert outcome.error
    assert "\x1b" not in outcome.error


@pytest.mark.parametrize(
    "usage", [None, 7, {"promptTokenCount": -1}, {"promptTokenCount": "many"}, {"promptTokenCount": True}]
)
def test_usage_that_cannot_be_trusted_is_unknown(usage):
    outcome = outcome_of(response=candidate([{"text": "x"}]) | {"usageMetadata": usage})
    assert (outcome.input_tokens, outcome.output_tokens) == (None, None)


def test_counts_of_zero_may_be_left_out():
    outcome = outcome_of(
        response=candidate([{"text": "x"}]) | {"usageMetadata": {"promptTokenCount": 8, "totalTokenCount": 8}}
    )
    assert (outcome.input_tokens, outcome.output_tokens) == (8, 0)


def test_one_bad_line_loses_one_row():
    assert read_answer(b"\n", "line 1") is None
    torn = read_answer(b'{"key":"a","resp\n', "line 2")
    assert torn is not None
    assert (torn.job_id, torn.outcome.error_kind) == ("a", "bad_reply")
    nameless = read_answer(b'{"response":{}}\n', "line 3")
    assert nameless is not None
    assert nameless.job_id == ""
    number = read_answer(b'{"key":7,"response":{}}\n', "line 4")
    assert number is not None
    assert number.job_id == "7"
    mangled = read_answer(b'{"key":"a","response":"\xff"}\n', "line 5")
    assert mangled is not None
    assert "UTF-8" in (mangled.outcome.error or "")
