"""An answer in OpenAI's form, read defensively: whatever came, it ends as an outcome with a named state."""

from __future__ import annotations

from batchtui.backends.answers import responses
from batchtui.backends.answers.parts import take_content, thoughts_beside
from batchtui.backends.answers.plain import plain_outcome
from batchtui.backends.answers.said import (
    BAD_REPLY,
    PROVIDER,
    Said,
    answered,
    failed,
    json_name,
    told_instead,
)
from batchtui.backends.answers.usage import described, doubt, first_count
from batchtui.backends.wire.errors.error_kinds import by_status, one_name
from batchtui.backends.wire.errors.inner_errors import FINAL, status_inside
from batchtui.backends.wire.replies import error_code, error_words, tidy
from batchtui.model import Json, Outcome
from batchtui.results.judging.stops import Stop, stop_of

_IN, _OUT = ("prompt_tokens", "input_tokens"), ("completion_tokens", "output_tokens")


def outcome_of(body: Json) -> Outcome:
    """The outcome of one request from its reply's body; `failed` with `bad_reply` where it holds no answer."""
    if isinstance(body, list) and len(body) == 1:
        body = body[0]
    if not isinstance(body, dict):
        return failed(f"the reply is no JSON object but {json_name(body)}", BAD_REPLY, body)
    outcome = described(_read(body), body)
    if isinstance(outcome.usage, dict):
        outcome.input_tokens = first_count(outcome.usage, *_IN)
        outcome.output_tokens = first_count(outcome.usage, *_OUT)
        doubt(outcome, (*_IN, *_OUT))
    return outcome


def _read(body: dict[str, Json]) -> Outcome:
    choices, fault = body.get("choices"), error_in(body)
    if choices is None and responses.is_response(body):
        return answered([responses.said_in(body, fault)])
    if fault and not choices:
        return failed(*fault)
    if choices is None and (outcome := plain_outcome(body)):
        return outcome
    found = [one for one in choices if isinstance(one, dict)] if isinstance(choices, list) else []
    if not found:
        words = told_instead(body)
        return failed(f"no text in the reply: it holds {words or 'no choices'}", BAD_REPLY)
    return answered([_choice(one, fault) for one in sorted(found, key=_index)])


def error_in(holder: dict[str, Json]) -> tuple[str, str] | None:
    """What the `error` of a body, a choice or a row says, and its kind; None for one that says nothing."""
    bare = holder if holder.get("object") == "error" else None  # as some servers put it
    error = bare or holder.get("error")
    said = {"error": error}
    words, code = tidy(error_words(said)), error_code(said)
    parts = error.values() if isinstance(error, dict) else [error]
    told = any(part not in (None, "", [], {}, False) for part in parts)
    if not told:
        return None
    return words or "no reason given", one_name(code, words) or (_name(bare or error) or PROVIDER)


def _name(error: Json) -> str | None:
    """What an error with no code in words is called, by the status that it holds."""
    status = status_inside(error) if isinstance(error, dict) else FINAL
    return by_status(status) if status != FINAL else None


def _index(choice: dict[str, Json]) -> int:
    index = choice.get("index")
    return index if isinstance(index, int) else 0


def _choice(choice: dict[str, Json], fault: tuple[str, str] | None) -> Said:
    reason, message = choice.get("finish_reason"), choice.get("message")
    if isinstance(reason, dict):
        reason = reason.get("type")
    said = Said(finish_reason=reason if isinstance(reason, str) else None)
    if stop_of(said.finish_reason) is Stop.FILTER and (seen := _filtered(choice)):
        said.detail = f"the provider's filter held it back: {seen}"
    said.error = fault or error_in(choice)
    if message is None and isinstance(choice.get("text"), str):  # completions without turns
        message = {"content": choice["text"], **{k: v for k, v in choice.items() if k.startswith("reason")}}
    if not isinstance(message, dict):
        if stop_of(said.finish_reason) in (Stop.DONE, Stop.UNKNOWN):  # else that is why
            said.error = said.error or ("no text in the reply: its choice holds no message", BAD_REPLY)
        return said
    said.error = said.error or error_in(message)
    take_content(said, message.get("content"))
    said.reasoning += thoughts_beside(message)
    said.tool_calls = _calls(message)
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal.strip():
        said.refusal = refusal
    _take_media(said, message)
    return said


def _filtered(choice: dict[str, Json]) -> str:
    """What the filter saw in it, as Azure tells."""
    results = choice.get("content_filter_results") or choice.get("content_filter_result")
    seen = [
        f"{name} ({told['severity']})" if told.get("severity") else str(name)
        for name, told in (results.items() if isinstance(results, dict) else ())
        if isinstance(told, dict) and told.get("filtered") is True
    ]
    return tidy(", ".join(seen))


def _calls(message: dict[str, Json]) -> list[Json]:
    calls, one = message.get("tool_calls"), message.get("function_call")
    known = [call for call in (calls if isinstance(calls, list) else [calls]) if isinstance(call, dict)]
    if known:
        return known
    return [{"type": "function", "function": one}] if isinstance(one, dict) and one.get("name") else []


def _take_media(said: Said, message: dict[str, Json]) -> None:
    """Sound and pictures are the output; what is said in the sound is the text."""
    audio, images = message.get("audio"), message.get("images")
    if isinstance(audio, dict) and audio:
        said.output = audio
        transcript = audio.get("transcript")
        if isinstance(transcript, str) and not (said.text or "").strip():
            said.text = transcript
    elif isinstance(images, list) and images:
        said.output = images
