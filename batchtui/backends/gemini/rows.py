"""Result lines of Gemini: `{key, response}` or `{key, error}`, read defensively into outcomes."""

from __future__ import annotations

from batchtui.backends.answers.said import (
    BAD_REPLY,
    CONTENT_FILTER,
    PROVIDER,
    Said,
    answered,
    failed,
    told_instead,
)
from batchtui.backends.answers.usage import described, doubt, first_count
from batchtui.backends.base import Answer
from batchtui.backends.file_batches import files
from batchtui.backends.wire.errors.error_kinds import one_name
from batchtui.backends.wire.replies import error_words, tidy
from batchtui.model import JobState, Json, Outcome
from batchtui.results.judging.stops import Stop, stop_of

RPC_CODES = {
    1: "cancelled", 2: "unknown", 3: "invalid_argument", 4: "deadline_exceeded", 5: "not_found", 6: "already_exists",
    7: "permission_denied", 8: "resource_exhausted", 9: "failed_precondition", 10: "aborted", 11: "out_of_range",
    12: "unimplemented", 13: "internal", 14: "unavailable", 15: "data_loss", 16: "unauthenticated",
}  # fmt: skip
_FINE = (Stop.DONE, Stop.LENGTH)
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
_ASKED, _MADE, _THOUGHT = "promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount"


def read_answer(line: bytes, place: str) -> Answer | None:
    """The answer that a result line holds, None for a blank line. `place`: for messages."""
    return files.read_answer(line, place, id_key="key", outcome=row_outcome)


def row_outcome(row: dict[str, Json]) -> Outcome:
    """What a result row says: its error, else its answer."""
    response = files.unpacked(row.get("response"))
    if error := row.get("error") or row.get("status"):
        word = _code_of(error)
        words = tidy(error_words(error))
        outcome = files.beside(response, outcome_of)
        outcome.state = JobState.CANCELLED if word == "cancelled" else JobState.FAILED
        outcome.error, outcome.error_kind = words or "no reason given", one_name(word, words) or PROVIDER
        outcome.body = row
        return outcome
    if isinstance(response, str):
        return failed("the response is text that is no JSON", "bad_reply", row)
    if not isinstance(response, dict):
        return failed("the row holds neither a response nor an error", "bad_reply", row)
    return outcome_of(response)


def _code_of(error: Json) -> str | None:
    """The word for an error: of its number, or its own where that is a status of HTTP."""
    code, word = (error.get("code"), error.get("status")) if isinstance(error, dict) else (None, None)
    if isinstance(code, int) and code in RPC_CODES:
        return RPC_CODES[code]
    return word.lower() if isinstance(word, str) and word.lower() in RPC_CODES.values() else None


def outcome_of(response: dict[str, Json]) -> Outcome:
    """The outcome of one GenerateContentResponse."""
    candidates = response.get("candidates")
    known = [one for one in candidates if isinstance(one, dict)] if isinstance(candidates, list) else []
    if known:
        outcome = answered([_said(one) for one in known])
    elif blocked := _block_reason(response):
        outcome = failed(f"the prompt was blocked: {blocked}", "blocked")
    else:
        outcome = failed(
            f"no text in the reply: it holds {told_instead(response) or 'no candidates'}", BAD_REPLY
        )
    return _counted(
        described(outcome, response, usage="usageMetadata", model="modelVersion", id_key="responseId")
    )


def _said(candidate: dict[str, Json]) -> Said:
    """Text without the model's thoughts, the functions that it calls, and the pictures that it made."""
    reason, content = candidate.get("finishReason"), candidate.get("content")
    word = reason if isinstance(reason, str) else ""
    said = Said(finish_reason=word or None)
    if stop_of(word) not in _FINE:
        words, more = _HELD_BACK.get(word, "the answer broke off"), candidate.get("finishMessage")
        told = f": {tidy(more)}" if isinstance(more, str) and more else ""
        said.detail = f"{words} ({tidy(word)}){told}"
        if stop_of(word) is not Stop.FILTER:
            said.error = (said.detail, CONTENT_FILTER)
    parts = content.get("parts") if isinstance(content, dict) else None
    known = [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    texts = [part for part in known if isinstance(part.get("text"), str)]
    answer = [part["text"] for part in texts if not part.get("thought")]
    said.text = "".join(answer) if answer else None
    said.reasoning = [part["text"] for part in texts if part.get("thought")]
    said.tool_calls = [part["functionCall"] for part in known if isinstance(part.get("functionCall"), dict)]
    media = [part for part in known if part.get("inlineData") or part.get("fileData")]
    said.output = [part for part in media if not part.get("thought")] or None
    return said


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


def _counted(outcome: Outcome) -> Outcome:
    """Tokens: thinking is billed as output, and is not among those of the candidates."""
    if isinstance(usage := outcome.usage, dict):
        outcome.input_tokens = first_count(usage, _ASKED)
        made, thought = first_count(usage, _MADE), first_count(usage, _THOUGHT)
        if _MADE in usage and made is None:
            outcome.output_tokens = None
        else:
            outcome.output_tokens = None if made is None and thought is None else (made or 0) + (thought or 0)
        if _MADE not in usage and thought is None and outcome.input_tokens is not None:
            total = first_count(usage, "totalTokenCount")  # counts of zero are left out
            outcome.output_tokens = None if total is None else max(0, total - outcome.input_tokens)
        doubt(outcome, (_ASKED, _MADE, _THOUGHT))
    return outcome
