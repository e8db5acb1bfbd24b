"""One name for what means one thing: servers say in many ways that a prompt does not fit the model."""

from __future__ import annotations

import json
from typing import Any

import pytest

from batchtui.backends.anthropic.answers import result_outcome
from batchtui.backends.base import Refused
from batchtui.backends.file_batches.files import read_answer
from batchtui.backends.gemini.rows import read_answer as read_gemini
from batchtui.backends.wire.errors.error_kinds import TOO_LONG
from batchtui.backends.wire.replies import Reply, raise_for

VLLM = "This model's maximum context length is 4096 tokens. However, you requested 9000 tokens (8000 in the messages)."


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"error": {"message": "too many tokens", "type": "invalid_request_error", "code": TOO_LONG}}),
        (400, {"object": "error", "message": VLLM, "type": "BadRequestError", "param": None, "code": 400}),
        (400, {"error": {"message": VLLM, "type": "BadRequestError", "param": None, "code": 400}}),
        (422, {"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 9000",
               "error_type": "validation"}),
        (422, {"error": "Input validation error: `inputs` must have less than 4095 tokens. Given: 9000",
               "error_type": "validation"}),
        (400, {"error": {"code": 400, "message": "the request exceeds the available context size. try increasing it",
                         "type": "exceed_context_size_error", "n_prompt_tokens": 9000, "n_ctx": 4096}}),
        (400, {"error": {"message": "The input (9000 tokens) is longer than the model's context length (4096 tokens)."}}),
        (400, {"error": {"message": "the input length exceeds the context length"}}),
        (400, {"object": "error", "message": "Prompt contains 9000 tokens, too large for model with 4096 maximum context length",
               "type": "invalid_request_prompt", "code": "3051"}),
    ],
)  # fmt: skip
def test_a_prompt_that_does_not_fit_is_one_kind(status: int, body: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        raise_for(Reply(status, {}, body, json.dumps(body)))
    assert caught.value.kind == TOO_LONG
    assert caught.value.message.startswith("too long for the model: ")
    line = json.dumps({"custom_id": "a", "response": {"status_code": status, "body": body}, "error": None})
    answer = read_answer(line.encode(), "line 1")
    assert answer is not None
    assert answer.outcome.error_kind == TOO_LONG


def test_rows_of_other_forms_say_it_alike() -> None:
    inner = {"type": "invalid_request_error", "message": "prompt is too long: 210000 tokens > 200000 maximum"}
    outcome = result_outcome({"type": "errored", "error": {"type": "error", "error": inner}})
    assert outcome.error_kind == TOO_LONG
    words = "The input token count (9000) exceeds the maximum number of tokens allowed (4096)."
    answer = read_gemini(json.dumps({"key": "a", "error": {"code": 3, "message": words}}).encode(), "line 1")
    assert answer is not None
    assert answer.outcome.error_kind == TOO_LONG


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (
            400,
            {"error": {"message": "max_tokens is too large: 9000", "code": "invalid_value"}},
            "invalid_value",
        ),
        (400, {"error": {"message": "unknown field"}}, "refused"),
        (400, {"error": "the context is missing"}, "refused"),
        (413, {"error": {"message": "body exceeds 4 MB"}}, "too_large"),
    ],
)
def test_other_refusals_keep_their_names(status: int, body: dict[str, Any], kind: str) -> None:
    with pytest.raises(Refused) as caught:
        raise_for(Reply(status, {}, body, json.dumps(body)))
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": 429, "message": "slow down"}, "rate_limit"),
        ({"code": 503, "message": "upstream"}, "server"),
        ({"code": "x1", "message": "odd"}, "x1"),
        ({"message": "odd"}, "provider"),
    ],
)
def test_an_error_with_a_number_alone_is_named_by_it(error: dict[str, Any], kind: str) -> None:
    answer = read_answer(json.dumps({"custom_id": "a", "response": None, "error": error}).encode(), "line 1")
    assert answer is not None
    assert answer.outcome.error_kind == kind
