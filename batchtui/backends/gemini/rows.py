"""Result lines of Gemini: `{key, response}` or `{key, error}`, read defensively into outcomes."""

from __future__ import annotations

from batchtui.backends.base import Answer
from batchtui.backends.file_batches import files
from batchtui.backends.prompts.completion import failed
from batchtui.backends.wire.replies import error_words, parse_json, tidy
from batchtui.model import JobState, Json, Outcome

RPC_CODES = {
    1: "cancelled", 2: "unknown", 3: "invalid_argument", 4: "deadline_exceeded", 5: "not_found", 6: "already_exists",
    7: "permission_denied", 8: "resource_exhausted", 9: "failed_precondition", 10: "aborted", 11: "out_of_range",
    12: "unimplemented", 13: "internal", 14: "unavailable", 15: "data_loss", 16: "unauthenticated",
}  # fmt: skip
_FINE = ("STOP", "MAX_TOKENS", "FINISH_REASON_UNSPECIFIED", "")
_HELD_BACK = {
    "SAFETY": "the safety filter held the answer back",
    "RECITATION": "the answer was held back because it recites a source",
    "LANGUAGE": "the answer was held back because of its language",
    "BLOCKLIST": "the answer was held back because of a forbidden word",
    "PROHIBITED_CONTENT": "the answer was held back as prohibited content",
    "SPII": "the answer was held back because it may hold personal data",
    "IMAGE_SAFETY": "the safety filter held the image back",
    "MALFORMED_FUNCTION_CALL": "the model made a call that cannot be read",
    "OTHER": "the answer broke off, and no reason is given",
}
_NO_ROOM = "the tokens ran out before an answer began; give a higher max_tokens"


def read_answer(line: bytes, place: str) -> Answer | None:
    """The answer that a result line holds, None for a blank line. `place`: for messages."""
    return files.read_answer(line, place, id_key="key", outcome=row_outcome)


def row_outcome(row: dict[str, Json]) -> Outcome:
    """What a result row says: its error, else its answer."""
    if error := row.get("error"):
        code = error.get("code") if isinstance(error, dict) else None
        word = RPC_CODES.get(code) if isinstance(code, int) else None
        state = JobState.CANCELLED if word == "cancelled" else JobState.FAILED
        return failed(tidy(error_words(error)) or "no reason given", word or "provider", row, state)
    response = row.get("response")
    if isinstance(response, str):  # JSON text inside the JSON
        try:
            response = parse_json(response)
        except ValueError:
            return failed("the response is text that is no JSON", "bad_reply", row)
    if not isinstance(response, dict):
        return failed("the row holds neither a response nor an error", "bad_reply", row)
    return outcome_of(response)


def outcome_of(response: dict[str, Json]) -> Outcome:
    """The outcome of one GenerateContentResponse."""
    candidates = response.get("candidates")
    candidate = candidates[0] if isinstance(candidates, list) and candidates else None
    if isinstance(candidate, dict):
        outcome = _candidate(candidate, response)
    elif blocked := _block_reason(response):
        outcome = failed(f"the prompt was blocked: {blocked}", "blocked", response)
    else:
        outcome = failed("no text in the reply: it holds no candidates", "bad_reply", response)
    return _described(response, outcome)


def _candidate(candidate: dict[str, Json], response: dict[str, Json]) -> Outcome:
    reason = candidate.get("finishReason")
    word = reason if isinstance(reason, str) else ""
    text, calls = _answer(candidate.get("content"))
    if word not in _FINE:
        more = candidate.get("finishMessage")
        words = _HELD_BACK.get(word, "the answer broke off")
        outcome = failed(f"{words} ({tidy(word)})", "content_filter", response)
        if isinstance(more, str) and more:
            outcome.error = f"{outcome.error}: {tidy(more)}"
        outcome.raw_response = text
    elif text is not None or calls:
        outcome = Outcome(state=JobState.COMPLETED, raw_response=text, output=calls or None)
    elif word == "MAX_TOKENS":
        outcome = failed(_NO_ROOM, "max_tokens", response)
    else:
        outcome = failed("no text in the reply: its content is empty", "bad_reply", response)
    outcome.finish_reason = word or None
    return outcome


def _answer(content: Json) -> tuple[str | None, list[Json]]:
    """Text without the model's thoughts, and the functions that it calls."""
    parts = content.get("parts") if isinstance(content, dict) else None
    known = [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    texts = [part["text"] for part in known if isinstance(part.get("text"), str) and not part.get("thought")]
    calls = [part["functionCall"] for part in known if isinstance(part.get("functionCall"), dict)]
    return ("".join(texts) if texts else None), calls


def _block_reason(response: dict[str, Json]) -> str:
    """Why a prompt was not answered, with the kinds of harm that were seen in it."""
    feedback = response.get("promptFeedback")
    if not isinstance(feedback, dict) or not feedback.get("blockReason"):
        return ""
    words = tidy(str(feedback.get("blockReasonMessage") or feedback["blockReason"]))
    ratings = feedback.get("safetyRatings")
    harms = [
        str(rating.get("category")).removeprefix("HARM_CATEGORY_").lower()
        for rating in (ratings if isinstance(ratings, list) else [])
        if isinstance(rating, dict)
        and (rating.get("blocked") or rating.get("probability") in ("MEDIUM", "HIGH"))
    ]
    return f"{words} ({tidy(', '.join(harms))})" if harms else words


def _described(response: dict[str, Json], outcome: Outcome) -> Outcome:
    """Usage (thinking is billed as output, and not among the candidates' tokens), model, id and raw words."""
    usage = response.get("usageMetadata")
    outcome.usage, outcome.body = usage, response
    if isinstance(usage, dict):
        outcome.input_tokens = _count(usage.get("promptTokenCount"))
        made, thought = _count(usage.get("candidatesTokenCount")), _count(usage.get("thoughtsTokenCount"))
        outcome.output_tokens = None if made is None and thought is None else (made or 0) + (thought or 0)
        if outcome.output_tokens is None and outcome.input_tokens is not None:
            total = _count(usage.get("totalTokenCount"))  # counts of zero are left out
            outcome.output_tokens = None if total is None else max(0, total - outcome.input_tokens)
    model, remote = response.get("modelVersion"), response.get("responseId")
    outcome.model = model if isinstance(model, str) else None
    outcome.remote = {"id": remote} if isinstance(remote, str) else {}
    return outcome


def _count(value: Json) -> int | None:
    """A count of tokens as it can be trusted."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53 else None
