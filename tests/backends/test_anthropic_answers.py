"""Answers in Anthropic's form, whole ones and odd ones: each ends in a named state."""

from __future__ import annotations

import json

import pytest

from batchtui.backends.anthropic.answers import message_outcome, read_answer, result_outcome
from batchtui.model import JobState
from batchtui.prices import tokens_of


def message(*content, reason="end_turn", **more):
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m-2026", "content": list(content),
        "stop_reason": reason, "usage": {"input_tokens": 3, "output_tokens": 2}, **more,
    }  # fmt: skip


def text(words, **more):
    return {"type": "text", "text": words, **more}


def test_text_blocks_are_joined_and_thinking_is_kept_apart():
    thought = {"type": "thinking", "thinking": "hm", "signature": "s"}
    body = message(thought, text("a"), text("b"))
    outcome = message_outcome(body)
    assert (outcome.state, outcome.raw_response, outcome.finish_reason) == (
        JobState.COMPLETED,
        "ab",
        "end_turn",
    )
    assert (outcome.model, outcome.remote, outcome.body) == ("m-2026", {"id": "msg_1"}, body)
    assert (outcome.input_tokens, outcome.output_tokens, outcome.citations) == (3, 2, None)


def test_tokens_in_are_all_of_them_and_usage_stays_as_it_came():
    usage = {
        "input_tokens": 10, "cache_creation_input_tokens": 5, "cache_read_input_tokens": 100, "output_tokens": 2,
        "output_tokens_details": {"thinking_tokens": 1}, "service_tier": "batch",
    }  # fmt: skip
    outcome = message_outcome(message(text("x"), usage=usage))
    assert (outcome.input_tokens, outcome.output_tokens, outcome.usage) == (115, 2, usage)


@pytest.mark.parametrize("usage", [None, {}, {"input_tokens": -5, "output_tokens": "few"}, [1], "no"])
def test_bad_usage_is_unknown_and_never_negative(usage):
    outcome = message_outcome(message(text("x"), usage=usage))
    assert (outcome.state, outcome.input_tokens, outcome.output_tokens) == (JobState.COMPLETED, None, None)


def test_a_count_of_the_cache_that_cannot_be_makes_the_whole_unknown():
    usage = {
        "input_tokens": 10,
        "cache_read_input_tokens": -100,
        "cache_creation_input_tokens": None,
        "output_tokens": 2,
    }
    outcome = message_outcome(message(text("x"), usage=usage))
    assert (outcome.input_tokens, outcome.output_tokens) == (None, 2)
    assert "cache_read_input_tokens -100" in (outcome.note or "")
    assert tokens_of(usage, outcome.input_tokens, outcome.output_tokens) is None


@pytest.mark.parametrize(
    ("body", "state", "kind", "words"),
    [
        (message(text("cut"), reason="max_tokens"), "completed", None, "cut"),
        (message(text("half"), reason="pause_turn"), "completed", None, "half"),
        (message(text(""), reason="stop_sequence"), "failed", "bad_reply", None),
        (message({"type": "tool_use", "name": "t", "input": {}}, reason="tool_use"), "completed", None, None),
        (message(text("I can"), reason="refusal"), "failed", "refusal", "I can"),
        (message(reason="refusal", stop_details={"explanation": "no"}), "failed", "refusal", None),
        (message(), "failed", "bad_reply", None),
        (message({"type": "thinking", "thinking": "x"}, reason="max_tokens"), "failed", "bad_reply", None),
        ({"content": "no"}, "failed", "bad_reply", None),
        ({"content": [7, None]}, "failed", "bad_reply", None),
        ({"type": "error", "error": {"type": "api_error", "message": "late"}}, "failed", "api_error", None),
        ([], "failed", "bad_reply", None),
        (None, "failed", "bad_reply", None),
    ],
)  # fmt: skip
def test_every_answer_ends_in_a_named_state(body, state, kind, words):
    outcome = message_outcome(body)
    assert (outcome.state, outcome.error_kind, outcome.raw_response) == (state, kind, words)
    assert (outcome.error is None) == (state == "completed")
    assert outcome.body == body


def test_an_errored_row_is_nested_twice():
    inner = {"type": "invalid_request_error", "message": "max_tokens: too large"}
    outcome = result_outcome(
        {"type": "errored", "error": {"type": "error", "error": inner, "request_id": "req_9"}}
    )
    assert (outcome.state, outcome.error_kind) == (JobState.FAILED, "invalid_request_error")
    assert (outcome.error, outcome.remote) == ("max_tokens: too large", {"request_id": "req_9"})
    flat = result_outcome({"type": "errored", "error": {"type": "overloaded_error", "message": "Overloaded"}})
    assert (flat.error_kind, flat.error) == ("overloaded_error", "Overloaded")


@pytest.mark.parametrize(
    ("result", "state", "kind"),
    [
        ({"type": "expired"}, "expired", "expired"),
        ({"type": "canceled"}, "cancelled", "cancelled"),
        ({"type": "errored"}, "failed", "provider"),
        ({"type": "errored", "error": "words"}, "failed", "provider"),
        ({"type": "succeeded"}, "failed", "bad_reply"),
        ({"type": "odd"}, "failed", "bad_reply"),
        ({}, "failed", "bad_reply"),
        (None, "failed", "bad_reply"),
        (["expired"], "failed", "bad_reply"),
        ({"type": ["expired"]}, "failed", "bad_reply"),
    ],
)
def test_rows_of_every_kind(result, state, kind):
    outcome = result_outcome(result)
    assert (outcome.state, outcome.error_kind) == (state, kind)
    assert outcome.error


def test_one_unreadable_line_loses_one_row():
    good = json.dumps({"custom_id": "a", "result": {"type": "expired"}}).encode()
    assert read_answer(good, "results.jsonl line 1")
    assert read_answer(b"", "results.jsonl line 2") is None
    assert read_answer(b"\n", "results.jsonl line 2") is None
    for bad in (
        b"{",
        b"[]\n",
        b'{"custom_id":7}\n',
        b'{"result":{"type":"expired"}}\n',
        b"[" * 100_000,
    ):
        answer = read_answer(bad, "results.jsonl line 2")
        assert answer
        assert (answer.job_id, answer.outcome.error_kind) == ("", "bad_reply")
    torn = read_answer(
        b'{"custom_id":"a","result":{"type":"succeeded","x":"\xff"}}\n', "results.jsonl line 3"
    )
    assert torn
    assert "results.jsonl line 3: the result is not UTF-8" in (torn.outcome.error or "")
