"""An answer in OpenAI's form, read defensively: whatever came, it ends as an outcome with a named state."""

from __future__ import annotations

from batchtui.backends.wire.replies import error_code, error_words, tidy
from batchtui.model import JobState, Json, Outcome


def outcome_of(body: Json) -> Outcome:
    """The outcome of one request from its reply's body; `failed` with `bad_reply` where it holds no answer."""
    if not isinstance(body, dict):
        return failed(f"the reply is no JSON object but {type(body).__name__}", "bad_reply", body)
    choices = body.get("choices")
    if choices is None and "object" in body and "output" in body:
        return _completed(body, _response_text(body["output"]))
    if choices is None and isinstance(body.get("data") or body.get("results"), list):
        return _described(body, Outcome(state=JobState.COMPLETED, output=body.get("data") or body["results"]))
    if body.get("error") and not choices:
        return failed(tidy(error_words(body)) or "no reason given", error_code(body) or "provider", body)
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict):
        return _described(body, failed("no text in the reply: it holds no choices", "bad_reply", body))
    reason = choice.get("finish_reason")
    message = choice.get("message")
    if message is None and isinstance(choice.get("text"), str):
        message = {"content": choice["text"]}
    if not isinstance(message, dict):
        outcome = failed("no text in the reply: its choice holds no message", "bad_reply", body)
    else:
        outcome = _message(message, reason, body)
    outcome.finish_reason = reason if isinstance(reason, str) else None
    return outcome


def _message(message: dict[str, Json], reason: Json, body: dict[str, Json]) -> Outcome:
    text = _text(message.get("content"))
    if text is not None:
        return _completed(body, text)
    calls, refusal = message.get("tool_calls"), message.get("refusal")
    if isinstance(calls, list) and calls:
        outcome = _completed(body, None)
        outcome.output = calls
        return outcome
    if isinstance(refusal, str) and refusal:
        outcome = failed(f"the model refused: {tidy(refusal)}", "refusal", body)
    elif reason == "content_filter":
        outcome = failed("no text in the reply: the provider's filter held it back", "content_filter", body)
    else:
        outcome = failed("no text in the reply: its content is empty", "bad_reply", body)
    return _described(body, outcome)


def failed(error: str, kind: str, body: Json = None, state: JobState = JobState.FAILED) -> Outcome:
    return Outcome(state=state, error=error, error_kind=kind, body=body)


def _completed(body: dict[str, Json], text: str | None) -> Outcome:
    return _described(body, Outcome(state=JobState.COMPLETED, raw_response=text))


def _described(body: dict[str, Json], outcome: Outcome) -> Outcome:
    """What every reply tells beside its text: usage, model, id, and its words for the raw store."""
    usage = body.get("usage")
    outcome.usage, outcome.body = usage, body
    if isinstance(usage, dict):
        outcome.input_tokens = _count(usage.get("prompt_tokens", usage.get("input_tokens")))
        outcome.output_tokens = _count(usage.get("completion_tokens", usage.get("output_tokens")))
    model, remote = body.get("model"), body.get("id")
    outcome.model = model if isinstance(model, str) else None
    outcome.remote = {"id": remote} if isinstance(remote, str) else {}
    return outcome


def _count(value: Json) -> int | None:
    """A count of tokens as it can be trusted: a negative or worded one would make the cost wrong."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53 else None


def _text(content: Json) -> str | None:
    """Text of a message: plain, or the text parts of a list joined."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return None
    texts = [
        part if isinstance(part, str) else part.get("text")
        for part in content
        if isinstance(part, str | dict)
    ]
    known = [text for text in texts if isinstance(text, str)]
    return "".join(known) if known else None


def _response_text(output: Json) -> str | None:
    items = output if isinstance(output, list) else []
    texts = [_text(item.get("content")) for item in items if isinstance(item, dict)]
    return "".join(text for text in texts if text) or None
