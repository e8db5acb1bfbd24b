"""An answer in Anthropic's form, read defensively: whatever came, it ends as an outcome with a named state."""

from __future__ import annotations

from batchtui.backends.answers.said import PROVIDER, Said, answered, failed, json_name, told_instead
from batchtui.backends.answers.usage import described, doubt, first_count
from batchtui.backends.base import Answer
from batchtui.backends.wire.errors.error_kinds import one_name
from batchtui.backends.wire.replies import error_code, error_words, parse_json, tidy, told
from batchtui.backends.wire.unreadable import unreadable
from batchtui.model import JobState, Json, Outcome
from batchtui.results.citing.citations import cited_answer

_UNDONE = {
    "expired": (JobState.EXPIRED, "not done before the batch expired"),
    "canceled": (JobState.CANCELLED, "not done before the batch was cancelled"),
    "cancelled": (JobState.CANCELLED, "not done before the batch was cancelled"),
}
_INPUT_COUNTS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


def message_outcome(body: Json) -> Outcome:
    """The outcome of one message; `failed` with `bad_reply` where it holds no answer."""
    if not isinstance(body, dict):
        return failed(f"the reply is no JSON object but {json_name(body)}", "bad_reply", body)
    if body.get("type") == "error" or (body.get("error") and "content" not in body):
        return _refused(body, body)
    if "content" not in body and (words := told_instead(body)):
        return failed(f"no text in the reply: it holds {words}", "bad_reply", body)
    outcome = described(answered([_said(body)]), body)
    if isinstance(usage := outcome.usage, dict):
        told = [key for key in _INPUT_COUNTS if usage.get(key) is not None]
        counts = [known for key in told if (known := first_count(usage, key)) is not None]
        known_all = len(counts) == len(told) and _INPUT_COUNTS[0] in told
        outcome.input_tokens = sum(counts) if known_all else None
        outcome.output_tokens = first_count(usage, "output_tokens")
        doubt(outcome, (*_INPUT_COUNTS, "output_tokens"))
    return outcome


def _said(body: dict[str, Json]) -> Said:
    content, reason = body.get("content"), body.get("stop_reason")
    blocks = [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
    said = Said(finish_reason=reason if isinstance(reason, str) else None, detail=_refusal(body))
    said.text, said.citations = cited_answer(
        [block for block in blocks if block.get("type") in (None, "text")]
    )
    thoughts = [block.get("thinking") for block in blocks if block.get("type") == "thinking"]
    said.reasoning = [thought for thought in thoughts if isinstance(thought, str)]
    said.tool_calls = [block for block in blocks if block.get("type") == "tool_use"]
    return said


def _refusal(body: dict[str, Json]) -> str | None:
    """What is told of a refusal: an explanation, else a category."""
    details = body.get("stop_details")
    told = details if isinstance(details, dict) else {}
    words = told.get("explanation") or told.get("category")
    return str(words) if words else None


def custom_id_of(line: bytes) -> str | None:
    """The id that a result line names; None where it cannot be read."""
    try:
        row = parse_json(line.decode("utf-8", "replace"))
    except ValueError:
        return None
    found = row.get("custom_id") if isinstance(row, dict) else None
    return found if isinstance(found, str) else None


def read_answer(line: bytes, place: str) -> Answer | None:
    """The answer that a result line holds, None for a blank line. `place`: for messages.

    Of a line that cannot be read at least the job is told where its id can be made out, else the id is empty.
    """
    text = line.decode("utf-8", "replace").strip("\r\n")
    if not text.strip():
        return None
    try:
        row = parse_json(text)
    except ValueError as fault:
        return unreadable(text, f"{place} cannot be read: {fault}", "custom_id")
    job_id = row.get("custom_id") if isinstance(row, dict) else None
    if not isinstance(job_id, str):
        return Answer("", failed(f"{place} names no job", "bad_reply", row), text)
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as fault:
        message = f"{place}: the result is not UTF-8 (byte {fault.start}); its bytes are kept as they came"
        return Answer(job_id, failed(message, "bad_reply", row), text)
    return Answer(job_id, result_outcome(row.get("result")), text)


def result_outcome(result: Json) -> Outcome:
    """The outcome of a row's `result`: succeeded, errored, canceled or expired."""
    if not isinstance(result, dict):
        return failed("the row holds no result", "bad_reply", result)
    kind = result.get("type")
    if kind == "succeeded":
        return message_outcome(result.get("message"))
    if isinstance(kind, str) and kind in _UNDONE:
        state, words = _UNDONE[kind]
        return failed(words, str(state), result, state)
    error = result.get("error")
    if kind != "errored" and not error:
        return failed(f"the row's result is of no known type: {tidy(str(kind))}", "bad_reply", result)
    nested = error if isinstance(error, dict) and isinstance(error.get("error"), dict) else {"error": error}
    outcome = _refused(nested, result)
    request = nested.get("request_id")
    outcome.remote = {"request_id": request} if isinstance(request, str) else {}
    return outcome


def _refused(said: dict[str, Json], body: Json) -> Outcome:
    words = tidy(error_words(said))
    kind = one_name(error_code(said), words) or PROVIDER
    return failed(told(words, said) or "no reason given", kind, body)
