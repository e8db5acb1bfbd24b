"""What counts as an answer: the same rule for every provider's form, in a reply and in a row of a batch."""

from __future__ import annotations

import json
from typing import Any

import pytest

from batchtui.backends.answers.openai import outcome_of
from batchtui.backends.anthropic.answers import message_outcome
from batchtui.backends.file_batches.files import read_answer
from batchtui.backends.gemini.rows import outcome_of as gemini_outcome
from batchtui.backends.gemini.rows import row_outcome as gemini_row
from batchtui.model import JobState, Outcome

CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2}


def chat(content: Any, reason: str | None = "stop", **more: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"content": content, **more}, "finish_reason": reason}], "usage": USAGE}


def response(*items: Any, status: str = "completed", **more: Any) -> dict[str, Any]:
    return {"object": "response", "status": status, "output": list(items), **more}


def message_item(*parts: Any, **more: Any) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": list(parts), **more}


def said(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": []}


THOUGHT = {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]}
CUT = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
HELD = {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}


def read(body: dict[str, Any]) -> Outcome:
    """As a direct reply; a row of a batch must say the same."""
    outcome = outcome_of(body)
    line = json.dumps({"custom_id": "a", "response": {"status_code": 200, "body": body}, "error": None})
    answer = read_answer(line.encode(), "line 1")
    assert answer is not None
    assert answer.outcome == outcome
    return outcome


@pytest.mark.parametrize(
    ("body", "text", "reasoning"),
    [
        (chat("4", reasoning_content="hm"), "4", "hm"),
        (chat("4", reasoning="hm", reasoning_details=[{"type": "reasoning.text", "text": "hm"}]), "4", "hm"),
        (chat("4", reasoning_details=[{"type": "reasoning.summary", "summary": "hm"}]), "4", "hm"),
        (chat("4", thinking_blocks=[{"type": "thinking", "thinking": "hm"}]), "4", "hm"),
        (chat("<think>b</think>4", reasoning="a"), "4", "a\n\nb"),
        (chat([{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "4"}]),
         "4", "hm"),
        (chat([{"type": "reference", "reference_ids": [1]}, {"type": "text", "text": "4"}]), "4", None),
        ({"choices": [{"text": "<think>hm</think>4", "finish_reason": "stop"}]}, "4", "hm"),
        (response(THOUGHT, message_item(said("4"))), "4", "hm"),
        (response({"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}, message_item(said("4"))),
         "4", "hm"),
        (response(message_item(said("<think>hm</think>4"))), "4", "hm"),
        (response(message_item(said("hm"), phase="commentary"), message_item(said("4"), phase="final_answer")), "4", "hm"),
        (response(message_item(said("four is "), said("4"))), "four is 4", None),
    ],
)  # fmt: skip
def test_thinking_has_a_field_of_its_own(body: dict[str, Any], text: str, reasoning: str | None) -> None:
    outcome = read(body)
    assert (outcome.state, outcome.raw_response, outcome.reasoning) == (JobState.COMPLETED, text, reasoning)
    assert outcome.note is None


NO_ROOM = "the token limit left no room for an answer"


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (chat("", "length"), "bad_reply", NO_ROOM),
        (chat(None, "length", reasoning_content="hm"), "bad_reply", f"it was still thinking: {NO_ROOM}"),
        (chat(" \n", "max_tokens"), "bad_reply", NO_ROOM),
        (chat("<think>hm", "length"), "bad_reply", NO_ROOM),
        (chat("<think>hm</think>\n", "model_length"), "bad_reply", NO_ROOM),
        (response(THOUGHT, **CUT), "bad_reply", NO_ROOM),
        (response(message_item(said("")), **CUT), "bad_reply", NO_ROOM),
        (chat(""), "bad_reply", "its content is empty (stop)"),
        (chat("<think>hm</think>"), "bad_reply", "what the model thought, and no answer"),
        (chat("<think>hm"), "bad_reply", "its thinking has no end"),
        (response(), "bad_reply", "its content is empty"),
        (response(THOUGHT), "bad_reply", "no answer"),
        (chat("", "content_filter"), "content_filter", "the provider's filter held it back"),
        (response(**HELD), "content_filter", "filter"),
        (chat(None, refusal="I will not"), "refusal", "the model refused: I will not"),
        (chat("", refusal="I will not"), "refusal", "I will not"),
        (chat([{"type": "refusal", "refusal": "I will not"}]), "refusal", "I will not"),
        (response(message_item({"type": "refusal", "refusal": "I will not"})), "refusal", "I will not"),
        (chat("half", "error"), "provider", "the answer broke off (error)"),
        (chat("half", "insufficient_system_resource"), "provider", "broke off"),
        ({"choices": [{**chat("half")["choices"][0], "error": {"message": "upstream", "code": "x1"}}]}, "x1", "upstream"),
        (chat("half") | {"error": {"message": "upstream", "code": "x1"}}, "x1", "upstream"),
        (response(message_item(said("half")), status="failed", error={"code": "server_error", "message": "late"}),
         "server_error", "late"),
        (response(message_item(said("half")), status="failed"), "provider", "the response failed"),
        (response(message_item(said("half")), status="in_progress"), "bad_reply", "in_progress"),
        (response(message_item(said("half")), status="cancelled"), "provider", "cancelled"),
        ({"object": "error", "message": "late", "type": "BadRequestError", "code": 400}, "BadRequestError", "late"),
        ({"object": "list", "data": []}, "bad_reply", "its list of data is empty"),
        (chat("\u200b\u200b\ufeff"), "bad_reply", "its content is empty"),
        (chat("half", "ERROR_TOXIC"), "provider", "the answer broke off (ERROR_TOXIC)"),
        (chat("half", "engine_overloaded"), "provider", "broke off"),
        (chat("half", "user-cancel"), "provider", "broke off"),
        (chat(None, "tool_calls", tool_calls=[None]), "bad_reply", "its content is empty"),
        ({"choices": [{"finish_reason": "content_filter", "content_filter_results":
            {"hate": {"filtered": True, "severity": "high"}, "violence": {"filtered": False}}}]},
         "content_filter", "hate (high)"),
        ({"choices": [{"finish_reason": "stop"}]}, "bad_reply", "its choice holds no message"),
        ({"detail": "the worker died"}, "bad_reply", '"the worker died" in place of an answer'),
        ({"message": "Endpoint request timed out"}, "bad_reply", "Endpoint request timed out"),
        ({"success": False, "errors": [{"code": 5006, "message": "no route"}]}, "bad_reply", "no route"),
        (chat("", "length", tool_calls=[CALL | {"function": {"name": "f", "arguments": '{"city":"Os'}}]), "bad_reply",
         "the token limit cut its tool call off"),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_not_completed(body: dict[str, Any], kind: str, words: str) -> None:
    outcome = read(body)
    assert (outcome.state, outcome.error_kind) == (JobState.FAILED, kind)
    assert words in (outcome.error or "")


@pytest.mark.parametrize(
    ("body", "reason", "words"),
    [
        (chat("half", "length"), "length", "cut off at its token limit"),
        (chat("half", "content_filter"), "content_filter", "cut off by the provider's filter"),
        (response(message_item(said("half")), **CUT), "max_output_tokens", "cut off at its token limit"),
        (response(message_item(said("half")), **HELD), "content_filter", "cut off by the provider's filter"),
        (
            response(message_item(said("half")), status="incomplete"),
            "incomplete",
            "it ended before it was done",
        ),
        (
            response(message_item(said("half"), status="incomplete")),
            "incomplete",
            "it ended before it was done",
        ),
        (chat("half", "max_total_tokens"), "max_total_tokens", "cut off at its token limit"),
        (chat("half", "time_limit"), "time_limit", "it ended before it was done"),
        (chat("half", "safety_ratings"), "safety_ratings", "cut off by the provider's filter"),
        (
            chat("half", "weird"),
            "weird",
            "it ended for a reason that is not known here, so that it may not be whole",
        ),
    ],
)
def test_a_text_that_was_cut_is_kept_and_flagged(body: dict[str, Any], reason: str, words: str) -> None:
    outcome = read(body)
    assert (outcome.state, outcome.raw_response, outcome.finish_reason) == (
        JobState.COMPLETED,
        "half",
        reason,
    )
    assert outcome.note == f"{words} ({reason})"


@pytest.mark.parametrize(
    "reason", ["STOP", "eos_token", "end_turn", "COMPLETE", "function_call", "", None, {"type": "stop"}]
)
def test_a_text_that_ended_as_it_should_has_no_flag(reason: Any) -> None:
    outcome = read(chat("four", reason))
    assert (outcome.state, outcome.raw_response, outcome.note) == (JobState.COMPLETED, "four", None)


def test_a_tool_call_without_whole_arguments_is_said_to_be() -> None:
    outcome = read(
        chat(None, "tool_calls", tool_calls=[CALL, CALL | {"function": {"arguments": '{"city":'}}])
    )
    assert outcome.state is JobState.COMPLETED
    assert outcome.note == "the arguments of a tool call are no whole JSON"
    cut = {"content": [{"type": "tool_use", "name": "f", "input": '{"city":'}], "stop_reason": "max_tokens"}
    assert message_outcome(cut).error == "the token limit cut its tool call off; give a higher max_tokens"


def test_what_stands_beside_an_error_of_a_row_is_kept() -> None:
    row = {"custom_id": "a", "error": {"code": "late", "message": "too late"}}
    openai = read_answer(
        json.dumps(row | {"response": {"status_code": 200, "body": chat("four")}}).encode(), "1"
    )
    answer = {"candidates": [{"content": {"parts": [{"text": "four"}]}, "finishReason": "STOP"}]}
    gemini = gemini_row(row | {"response": answer})
    assert openai is not None
    for outcome, kind in ((openai.outcome, "late"), (gemini, "provider")):
        assert (outcome.state, outcome.error_kind, outcome.error) == (JobState.FAILED, kind, "too late")
        assert outcome.raw_response == "four"
    assert openai.outcome.output_tokens == 2


def test_geminis_rows_of_errors_alone() -> None:
    for error in (
        {"code": 8, "message": "quota"},
        {"code": 429, "message": "quota", "status": "RESOURCE_EXHAUSTED"},
    ):
        for key in ("error", "status"):
            outcome = gemini_row({"key": "a", key: error})
            assert (outcome.error_kind, outcome.error) == ("resource_exhausted", "quota")
    lower = {"candidates": [{"content": {"parts": [{"text": "4"}]}, "finishReason": "stop"}]}
    assert gemini_row({"key": "a", "response": lower}).state is JobState.COMPLETED


FUNCTION = {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"city":"Oslo"}'}


@pytest.mark.parametrize(
    ("body", "text", "calls"),
    [
        (chat("", "tool_calls", tool_calls=[CALL]), None, [CALL]),
        (chat(None, "tool_calls", tool_calls=[CALL]), None, [CALL]),
        (chat("let me look", "tool_calls", tool_calls=[CALL]), "let me look", [CALL]),
        (chat("<think>hm</think>", "tool_calls", tool_calls=[CALL]), None, [CALL]),
        (chat(None, "function_call", function_call=CALL["function"]), None,
         [{"type": "function", "function": CALL["function"]}]),
        (response(THOUGHT, FUNCTION), None, [FUNCTION]),
        (response(message_item(said("let me look")), FUNCTION), "let me look", [FUNCTION]),
        (response({"type": "web_search_call", "id": "ws"}, message_item(said("found"))), "found", None),
    ],
)  # fmt: skip
def test_tool_calls_are_kept_beside_any_text(body: dict[str, Any], text: str | None, calls: Any) -> None:
    outcome = read(body)
    assert (outcome.state, outcome.raw_response, outcome.tool_calls) == (JobState.COMPLETED, text, calls)


def test_every_choice_is_kept_and_the_first_that_is_an_answer_is_the_jobs_own() -> None:
    body: dict[str, Any] = {
        "choices": [
            {"index": 2, "message": {"content": "three", "reasoning": "hm"}, "finish_reason": "length"},
            {"index": 1, "message": {"content": "two", "tool_calls": [CALL]}, "finish_reason": "stop"},
            {"index": 0, "message": {"content": "", "refusal": "no"}, "finish_reason": "stop"},
        ]
    }
    outcome = read(body)
    assert (outcome.state, outcome.raw_response, outcome.tool_calls) == (JobState.COMPLETED, "two", [CALL])
    assert outcome.note == "answer 2 of 3, since the first is none"
    assert outcome.choices == [
        {"text": None, "finish_reason": "stop", "error": "the model refused: no", "error_kind": "refusal"},
        {"text": "two", "finish_reason": "stop", "tool_calls": [CALL]},
        {"text": "three", "finish_reason": "length", "reasoning": "hm", "note": "cut off at its token limit (length)"},
    ]  # fmt: skip
    plain = read({"choices": [{"text": "a", "index": 0}, {"text": "b", "index": 1}]})
    assert [one["text"] for one in plain.choices or ()] == ["a", "b"]
    assert read(chat("one")).choices is None


def test_sound_and_pictures_are_the_output() -> None:
    audio = {"id": "a", "data": "UklGRg==", "transcript": "hello there"}
    outcome = read(chat(None, audio=audio))
    assert (outcome.state, outcome.raw_response, outcome.output) == (JobState.COMPLETED, "hello there", audio)
    images = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]
    outcome = read(chat("", images=images))
    assert (outcome.state, outcome.raw_response, outcome.output) == (JobState.COMPLETED, None, images)


def test_endpoints_that_hold_no_conversation() -> None:
    vectors = [{"object": "embedding", "index": 0, "embedding": [0.5]}]
    outcome = read({"object": "list", "data": vectors, "usage": {"prompt_tokens": 8, "total_tokens": 8}})
    assert (outcome.output, outcome.input_tokens, outcome.note) == (vectors, 8, None)
    assert read({"results": [{"flagged": False}]}).output == [{"flagged": False}]
    pages = read({"pages": [{"index": 0, "markdown": "# A"}, {"index": 1, "markdown": "b"}]})
    assert (pages.raw_response, len(pages.output)) == ("# A\n\nb", 2)
    assert read({"text": "hello there", "segments": []}).raw_response == "hello there"
    entries = [
        {"type": "tool.execution"},
        {"type": "message.output", "content": [{"type": "text", "text": "4"}]},
    ]
    assert read({"object": "conversation.response", "outputs": entries}).raw_response == "4"


@pytest.mark.parametrize(
    ("usage", "counts", "words"),
    [
        ({"prompt_tokens": "11", "completion_tokens": 7.0}, (11, 7), None),
        ({"prompt_tokens": -5, "completion_tokens": 7}, (None, 7), "prompt_tokens -5"),
        ({"prompt_tokens": 11, "completion_tokens": None}, (11, None), "completion_tokens None"),
        ({"input_tokens": "a few", "output_tokens": 7}, (None, 7), "input_tokens a few"),
        ({"prompt_tokens": 11, "completion_tokens": 1.5}, (11, None), "completion_tokens 1.5"),
        ({"prompt_tokens": 11, "completion_tokens": True}, (11, None), "completion_tokens True"),
        (None, (None, None), None),
    ],
)
def test_counts_that_cannot_be_are_unknown_and_said(usage: Any, counts: Any, words: str | None) -> None:
    outcome = read(chat("4") | {"usage": usage})
    assert (outcome.input_tokens, outcome.output_tokens) == counts
    assert (outcome.note is None) is (words is None)
    assert words is None or (words in outcome.note and "cost is not known" in outcome.note)  # type: ignore[operator]


@pytest.mark.parametrize(
    "error", [None, {}, "", {"code": None, "message": None}, {"message": "", "type": None}, []]
)
def test_an_error_that_says_nothing_is_none(error: Any) -> None:
    line = json.dumps({"custom_id": "a", "response": {"status_code": 200, "body": chat("4")}, "error": error})
    answer = read_answer(line.encode(), "line 1")
    assert answer is not None
    assert (answer.outcome.state, answer.outcome.raw_response) == (JobState.COMPLETED, "4")
    assert outcome_of(chat("4") | {"error": error}).state is JobState.COMPLETED


# ---- the other forms


def block(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": text, **more}


def anthropic(*content: Any, reason: str = "end_turn") -> Outcome:
    return message_outcome({"type": "message", "content": list(content), "stop_reason": reason})


def test_anthropics_form_goes_by_the_same_rule() -> None:
    thought, use = (
        {"type": "thinking", "thinking": "hm"},
        {"type": "tool_use", "id": "t", "name": "f", "input": {}},
    )
    outcome = anthropic(thought, block("let me look"), use, reason="tool_use")
    assert (outcome.raw_response, outcome.reasoning, outcome.tool_calls) == ("let me look", "hm", [use])
    for content in ([thought], [block("")], [block("<think>hm")]):
        cut = anthropic(*content, reason="max_tokens")
        assert (cut.state, cut.error_kind) == (JobState.FAILED, "bad_reply")
        assert NO_ROOM in (cut.error or "")
    assert anthropic(block("half"), reason="max_tokens").note == "cut off at its token limit (max_tokens)"
    assert anthropic(block("half"), reason="pause_turn").note == "it ended before it was done (pause_turn)"
    assert anthropic(block("half"), reason="model_context_window_exceeded").note


def test_citations_stay_at_their_words_when_thinking_is_taken_off() -> None:
    cited = {
        "type": "page_location",
        "cited_text": "It cost 4.",
        "document_title": "a.pdf",
        "start_page_number": 1,
    }
    outcome = anthropic(
        block("<think>hm", citations=[cited]), block("</think>\n\nIt is "), block("4", citations=[cited])
    )
    assert (outcome.raw_response, outcome.reasoning) == ("It is 4", "hm")
    assert outcome.citations is not None
    assert "at" not in outcome.citations[0]["metadata"]
    start, end = outcome.citations[1]["metadata"]["at"]
    assert outcome.raw_response[start:end] == "4"


def test_geminis_form_goes_by_the_same_rule() -> None:
    def candidate(*parts: Any, reason: str = "STOP") -> dict[str, Any]:
        return {"content": {"parts": list(parts)}, "finishReason": reason}

    thought, call = {"text": "hm", "thought": True}, {"functionCall": {"name": "f", "args": {}}}
    outcome = gemini_outcome(
        {"candidates": [candidate(thought, {"text": "look"}, call), candidate({"text": "two"})]}
    )
    assert (outcome.raw_response, outcome.reasoning, outcome.tool_calls) == (
        "look",
        "hm",
        [call["functionCall"]],
    )
    assert [one["text"] for one in outcome.choices or ()] == ["look", "two"]
    cut = gemini_outcome({"candidates": [candidate(thought, reason="MAX_TOKENS")]})
    assert (cut.state, cut.reasoning) == (JobState.FAILED, "hm")
    assert NO_ROOM in (cut.error or "")
    assert gemini_outcome({"candidates": [candidate({"text": "half"}, reason="MAX_TOKENS")]}).note
    picture = {"inlineData": {"mimeType": "image/png", "data": "AA=="}}
    assert gemini_outcome({"candidates": [candidate(picture)]}).output == [picture]
