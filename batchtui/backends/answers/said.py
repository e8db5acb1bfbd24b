"""The one rule of what an answer is: what a reply said, whoever said it, becomes an outcome with a named state.

Text of answer items is the answer, tool calls and made images or sound are answers too. Thinking is none. An answer
that was cut is kept and flagged; what was cut before it began is no answer.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from batchtui.backends.answers.thinking import split
from batchtui.backends.wire.replies import error_words, parse_json, tidy
from batchtui.model import JobState, Json, Outcome
from batchtui.results.citing.citations import Citation, moved
from batchtui.results.judging.stops import Stop, flag_of, stop_of

BAD_REPLY, CONTENT_FILTER, REFUSAL, PROVIDER = "bad_reply", "content_filter", "refusal", "provider"
_SHOWN = ("reasoning", "tool_calls", "output", "error", "error_kind", "note")
"""What a choice tells beside its text and its finish reason, where there is something."""


@dataclass(slots=True)
class Said:
    """One choice of a reply, in no provider's form. `text` is the text of its answer items alone.

    `detail` says more of why it stopped, in the provider's words or ours; `error` is what went wrong, and its kind.
    """

    text: str | None = None
    reasoning: list[str] = field(default_factory=list)
    tool_calls: list[Json] = field(default_factory=list)
    refusal: str | None = None
    output: Json = None
    citations: list[Citation] | None = None
    finish_reason: str | None = None
    detail: str | None = None
    error: tuple[str, str] | None = None


def failed(error: str, kind: str, body: Json = None, state: JobState = JobState.FAILED) -> Outcome:
    return Outcome(state=state, error=error, error_kind=kind, body=body)


def json_name(value: Json) -> str:
    """What such a value is called."""
    names = {type(None): "null", bool: "a truth value", str: "a text", list: "a list"}
    return names.get(type(value), "a number")


def told_instead(body: dict[str, Json]) -> str:
    """What a reply says that holds no answer, in its own words; empty where it says nothing."""
    said = {key: body[key] for key in ("error", "errors", "message", "detail", "msg") if body.get(key)}
    words = tidy(error_words(said))
    return f'"{words}" in place of an answer' if words else ""


def answered(choices: Sequence[Said]) -> Outcome:
    """The outcome of a reply: its first choice that is an answer, else its first; all of them where there are several."""
    outcomes = [settled(said) for said in choices]
    taken = next((n for n, one in enumerate(outcomes) if one.state is JobState.COMPLETED), 0)
    outcome = outcomes[taken]
    if len(outcomes) > 1:
        outcome.choices = [_choice(one) for one in outcomes]
        if taken:
            add_note(outcome, f"answer {taken + 1} of {len(outcomes)}, since the first is none")
    return outcome


def settled(said: Said) -> Outcome:
    """One choice, judged."""
    outcome = Outcome(state=JobState.COMPLETED, finish_reason=said.finish_reason)
    unfinished = _take_text(outcome, said)
    outcome.tool_calls = said.tool_calls or None
    outcome.output = said.output if said.output is not None else outcome.tool_calls
    stop = stop_of(said.finish_reason)
    fault = _fault(said, stop)
    if fault is None and outcome.raw_response is None and outcome.output is None:
        fault = _no_answer(said, stop, unfinished, thought=outcome.reasoning is not None)
    if fault:
        outcome.state = JobState.FAILED
        outcome.error, outcome.error_kind = fault
        return outcome
    if flag := flag_of(said.finish_reason):
        add_note(outcome, f"{flag}: {said.detail}" if said.detail else flag)
    if not all(map(_whole, said.tool_calls)):
        add_note(outcome, "the arguments of a tool call are no whole JSON")
    return outcome


def left_no_room(outcome: Outcome) -> bool:
    """Whether the token limit was reached before an answer began."""
    return (
        outcome.error_kind == BAD_REPLY
        and outcome.raw_response is None
        and stop_of(outcome.finish_reason) is Stop.LENGTH
    )


def add_note(outcome: Outcome, words: str) -> None:
    outcome.note = f"{outcome.note}; {words}" if outcome.note else words


def _take_text(outcome: Outcome, said: Said) -> bool:
    """Text and thinking apart; whether the thinking in the text has no end. Text of which nothing is seen is none."""
    text = said.text or ""
    found = split(text, cut=stop_of(said.finish_reason) is Stop.LENGTH)
    thoughts = [*said.reasoning, *([found.thinking] if found.thinking else [])]
    outcome.reasoning = "\n\n".join(thought for thought in thoughts if thought.strip()) or None
    answer = text[found.start : found.end]
    if not _is_blank(answer):
        outcome.raw_response = answer
        outcome.citations = moved(said.citations, found.start, len(answer))
    return found.unfinished


def _is_blank(text: str) -> bool:
    """Whether nothing of it is seen: spaces, and marks that have no width."""
    return all(char.isspace() or unicodedata.category(char) in ("Cf", "Cc") for char in text)


def _fault(said: Said, stop: Stop) -> tuple[str, str] | None:
    """Why it is no answer whatever text there is: the words and the kind."""
    if said.error:
        return said.error
    if said.refusal or stop is Stop.REFUSAL:
        return f"the model refused: {tidy(said.refusal or said.detail or 'it gave no reason')}", REFUSAL
    if stop is Stop.ERROR:
        more = f": {tidy(said.detail)}" if said.detail else ""
        return f"the answer broke off ({tidy(said.finish_reason or '')}){more}", PROVIDER
    if stop is Stop.LENGTH and said.tool_calls and not _whole(said.tool_calls[-1]):
        return "the token limit cut its tool call off; give a higher max_tokens", BAD_REPLY
    return None


def _no_answer(said: Said, stop: Stop, unfinished: bool, thought: bool) -> tuple[str, str]:
    if stop is Stop.FILTER:
        return said.detail or "no text in the reply: the provider's filter held it back", CONTENT_FILTER
    if stop is Stop.LENGTH:
        first = "it was still thinking: " if thought else ""
        return f"{first}the token limit left no room for an answer; give a higher max_tokens", BAD_REPLY
    if unfinished:
        return "no text in the reply: its thinking has no end", BAD_REPLY
    if thought:
        return "no text in the reply: it holds what the model thought, and no answer", BAD_REPLY
    more = f" ({tidy(said.finish_reason)})" if said.finish_reason else ""
    return f"no text in the reply: its content is empty{more}", BAD_REPLY


def _whole(call: Json) -> bool:
    """Whether a tool call has all of its arguments, where they are JSON in a text or should be a table."""
    if isinstance(call, dict) and call.get("type") == "tool_use" and isinstance(call.get("input"), str):
        return False
    function = call.get("function") if isinstance(call, dict) else None
    arguments = function.get("arguments") if isinstance(function, dict) else None
    if arguments is None and isinstance(call, dict):
        arguments = call.get("arguments")
    if not isinstance(arguments, str):
        return True
    try:
        parse_json(arguments)
    except ValueError:
        return False
    return True


def take_choice(outcome: Outcome, choice: dict[str, Json]) -> None:
    """Make another choice of the same reply the job's own."""
    outcome.state, outcome.error, outcome.error_kind = JobState.COMPLETED, None, None
    outcome.raw_response, outcome.finish_reason = choice["text"], choice["finish_reason"]
    outcome.reasoning, outcome.note = choice.get("reasoning"), choice.get("note")
    outcome.tool_calls = choice.get("tool_calls")
    outcome.output = choice.get("output", outcome.tool_calls)
    outcome.citations = None  # a choice has none


def _choice(outcome: Outcome) -> dict[str, Json]:
    more = {name: value for name in _SHOWN if (value := getattr(outcome, name)) is not None}
    if more.get("output") is more.get("tool_calls"):
        more.pop("output", None)
    return {"text": outcome.raw_response, "finish_reason": outcome.finish_reason, **more}
