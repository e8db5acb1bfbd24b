"""An answer in Anthropic's form, read defensively: whatever came, it ends as an outcome with a named state."""

from __future__ import annotations

from batchtui.backends.base import Answer
from batchtui.backends.prompts.completion import failed
from batchtui.backends.wire.replies import error_code, error_words, parse_json, tidy, told
from batchtui.model import JobState, Json, Outcome
from batchtui.results.citations import cited_answer

_UNDONE = {
    "expired": (JobState.EXPIRED, "not done before the batch expired"),
    "canceled": (JobState.CANCELLED, "not done before the batch was cancelled"),
}
_INPUT_COUNTS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


def message_outcome(body: Json) -> Outcome:
    """The outcome of one message; `failed` with `bad_reply` where it holds no answer."""
    if not isinstance(body, dict):
        return failed(f"the reply is no JSON object but {type(body).__name__}", "bad_reply", body)
    if body.get("type") == "error" or (body.get("error") and "content" not in body):
        return failed(
            told(tidy(error_words(body)), body) or "no reason given", error_code(body) or "provider", body
        )
    content = body.get("content")
    blocks = [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
    texts = [block["text"] for block in blocks if isinstance(block.get("text"), str)]
    calls = [block for block in blocks if block.get("type") == "tool_use"]
    reason = body.get("stop_reason")
    if reason == "refusal":
        outcome = failed(f"the model refused: {_refusal(body)}", "refusal", body)
    elif texts or calls:
        outcome = Outcome(state=JobState.COMPLETED, body=body)
    else:
        why = f" ({tidy(reason)})" if isinstance(reason, str) else ""
        outcome = failed(f"no text in the reply{why}", "bad_reply", body)
    outcome.raw_response, outcome.citations = cited_answer(blocks)
    outcome.output = calls or None
    outcome.finish_reason = reason if isinstance(reason, str) else None
    _describe(outcome, body)
    return outcome


def _refusal(body: dict[str, Json]) -> str:
    details = body.get("stop_details")
    told = details if isinstance(details, dict) else {}
    words = told.get("explanation") or told.get("category") or "it gave no reason"
    return tidy(str(words))


def _describe(outcome: Outcome, body: dict[str, Json]) -> None:
    """Usage, model and id. Tokens in are all of them, those read from or written to the cache included."""
    usage = body.get("usage")
    outcome.usage = usage
    if isinstance(usage, dict):
        counts = [_count(usage.get(key)) for key in _INPUT_COUNTS]
        outcome.input_tokens = None if counts[0] is None else sum(count or 0 for count in counts)
        outcome.output_tokens = _count(usage.get("output_tokens"))
    model, remote = body.get("model"), body.get("id")
    outcome.model = model if isinstance(model, str) else None
    outcome.remote = {"id": remote} if isinstance(remote, str) else {}


def _count(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53 else None


def custom_id_of(line: bytes) -> str | None:
    """The id that a result line names; None where it cannot be read."""
    try:
        row = parse_json(line.decode("utf-8", "replace"))
    except ValueError:
        return None
    found = row.get("custom_id") if isinstance(row, dict) else None
    return found if isinstance(found, str) else None


def read_answer(line: bytes, place: str) -> Answer | None:
    """The answer that a result line holds; None for one that names no job. `place`: for messages."""
    text = line.decode("utf-8", "replace").strip("\r\n")
    try:
        row = parse_json(text)
    except ValueError:
        return None
    job_id = row.get("custom_id") if isinstance(row, dict) else None
    if not isinstance(job_id, str):
        return None
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
    outcome = failed(
        told(tidy(error_words(nested)), nested) or "no reason given", error_code(nested) or "provider", result
    )
    request = nested.get("request_id")
    outcome.remote = {"request_id": request} if isinstance(request, str) else {}
    return outcome
