"""What of an answer is judged by a schema: never thinking, never a draft, never one of two."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from batchtui.backends.answers.openai import outcome_of
from batchtui.engine.shared.judging import Judge, judge_outcome
from batchtui.model import JobState, Outcome

SCHEMA = {
    "type": "object",
    "required": ["n"],
    "additionalProperties": False,
    "properties": {"n": {"type": "integer"}},
}


@pytest.fixture
async def judge() -> AsyncIterator[Judge]:
    judge = Judge()
    yield judge
    await judge.close()


def message(content: Any, reason: str = "stop", **more: Any) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": content, **more}, "finish_reason": reason}


async def judged(judge: Judge, *choices: dict[str, Any]) -> Outcome:
    outcome = outcome_of({"choices": list(choices)})
    await judge_outcome(judge, SCHEMA, outcome)
    return outcome


async def test_thinking_is_never_judged(judge: Judge) -> None:
    for choice in (
        message('<think>draft {"n": 9}</think>\n\n{"n": 4}'),
        message('draft {"n": 9}\n</think>\n\n{"n": 4}'),
        message('[THINK]draft {"n": 9}[/THINK]{"n": 4}'),
        message('<|channel|>analysis<|message|>{"n": 9}<|end|><|start|>assistant<|channel|>final<|message|>{"n": 4}'),
        message('{"n": 4}', reasoning_content='{"n": 9}'),
        message('{"n": 4}', "length", reasoning='{"n": 9}'),
        message('```json\n{"n": 4}\n```', "length", reasoning='{"n": 9}'),
        message('{"n": 4} and again {"n": 4}', reasoning='{"n": 9}'),
        message('```json\n{"n": 4}\n```\nSo {"n": 4}.', reasoning='{"n": 9}'),
    ):  # fmt: skip
        outcome = await judged(judge, choice)
        assert (outcome.state, outcome.parsed_response) == (JobState.COMPLETED, {"n": 4}), choice
        assert '{"n": 9}' in (outcome.reasoning or "")


@pytest.mark.parametrize(
    ("choice", "state", "words"),
    [
        (message('◁think▷maybe {"n": 9}', "length"), "invalid", "token limit"),
        (message("", "length", reasoning='{"n": 9}'), "invalid", "token limit"),
        (message('I would say {"n": 9}, or rather', "length"), "invalid", "token limit"),
        (message('```json\n{"n": 9}\n```\nNo, wait:', "length"), "invalid", "token limit"),
        (message('{"n": 9', "length"), "invalid", "it ends too early"),
        (message('So {"n": 9} it', "content_filter"), "invalid", "not JSON"),
        (message('{"n": 9} or {"n": 4}'), "invalid", "the answer holds 2 JSON values that fit"),
        (message('Draft:\n```json\n{"n": 9}\n```\nAnswer: {"n": 4}'), "invalid", "2 JSON values that fit"),
        (message('```\n{"n": 9}\n```\n```\n{"n": 4}\n```'), "invalid", "2 JSON values that fit"),
        (message('<think>{"n": 9}'), "failed", "no end"),
        (message('<think>{"n": 9}</think>'), "failed", "no answer"),
        (message('{"n": 9}', "error"), "failed", "broke off"),
        (message('{"n": 9}', refusal="I will not"), "failed", "refused"),
    ],
)
async def test_a_draft_is_never_the_answer(
    judge: Judge, choice: dict[str, Any], state: str, words: str
) -> None:
    outcome = await judged(judge, choice)
    assert (outcome.state, outcome.parsed_response) == (state, None)
    assert words in (outcome.error or "")


async def test_of_several_answers_each_is_read(judge: Judge) -> None:
    outcome = await judged(judge, message('{"n": 4}'), message("four"), message('{"n": 5}'), message(""))
    assert (outcome.state, outcome.parsed_response) == (JobState.COMPLETED, {"n": 4})
    assert outcome.choices is not None
    assert [one.get("parsed_response") for one in outcome.choices] == [{"n": 4}, None, {"n": 5}, None]
    assert [one.get("error_kind") for one in outcome.choices] == [None, "schema", None, "bad_reply"]
    assert outcome.note == "4 answers were given, and 2 of them fit the schema"
    both = await judged(judge, message('{"n": 4}'), message('{"n": 5}'))
    assert (both.parsed_response, both.note) == ({"n": 4}, None)


async def test_of_several_answers_the_first_that_fits_is_the_jobs_own(judge: Judge) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    outcome = await judged(
        judge,
        message(None, "tool_calls", tool_calls=[call]),
        message('{"n": "x"}'),
        message('```json\n{"n": 5}\n```', "length", reasoning="hm"),
        message('{"n": 6}'),
    )
    assert (outcome.state, outcome.error, outcome.parsed_response) == (JobState.COMPLETED, None, {"n": 5})
    assert (outcome.finish_reason, outcome.reasoning, outcome.tool_calls) == ("length", "hm", None)
    assert outcome.repaired == "the code fence around it was taken off"
    assert (
        outcome.note == "cut off at its token limit (length); answer 3 of 4, the first that fits the schema"
    )
    assert outcome.choices is not None
    assert [one.get("error_kind") for one in outcome.choices] == [None, "schema", None, None]


async def test_of_several_answers_none_of_which_fits_the_first_says_why(judge: Judge) -> None:
    outcome = await judged(judge, message('{"m": 4}'), message("four"), message("", refusal="no"))
    assert (outcome.state, outcome.error_kind, outcome.raw_response) == ("invalid", "schema", '{"m": 4}')
    assert "'n' is a required property" in (outcome.error or "")
    assert outcome.note is None
