"""The two files of a batch in OpenAI's form: the lines that go up, and the lines that come back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from batchtui.backends.answers.openai import error_in, outcome_of
from batchtui.backends.answers.said import failed
from batchtui.backends.base import Answer
from batchtui.backends.wire.errors.error_kinds import by_status, one_name
from batchtui.backends.wire.replies import error_code, error_words, parse_json, tidy, told
from batchtui.backends.wire.unreadable import unreadable
from batchtui.model import JobState, Json, Outcome

LONG_LINE = 100_000
"""Bytes of a line (one with files in it) that earn the loop a turn of their own."""
SLICE = 500
"""Lines built between two turns of the loop: about 5 ms, so that other batches go on."""
CUSTOM_ID_LIMIT = 64
_ENDED_ROWS = {"batch_expired": JobState.EXPIRED, "batch_cancelled": JobState.CANCELLED}


def is_custom_id(text: str, limit: int = CUSTOM_ID_LIMIT) -> bool:
    """Whether a `custom_id` may read so."""
    return 0 < len(text) <= limit and text.isprintable()


def input_line(custom_id: str, endpoint: str, body: dict[str, Json]) -> bytes:
    """One line of the input file, ASCII and compact, with its LF."""
    line = {"custom_id": custom_id, "method": "POST", "url": endpoint, "body": body}
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


async def write_input(path: Path, lines: Iterable[bytes]) -> None:
    """Write the lines in slices, giving the loop its turn between them."""
    with path.open("wb") as file:
        for number, line in enumerate(lines, start=1):
            file.write(line)
            if number % SLICE == 0 or len(line) > LONG_LINE:
                await asyncio.sleep(0)


def is_torn(line: bytes) -> bool:
    """The last line of a download that was cut: no LF at its end, and no JSON."""
    if line.endswith(b"\n"):
        return False
    try:
        parse_json(line)
    except ValueError:
        return True
    return False


def read_answer(
    line: bytes,
    place: str,
    *,
    id_key: str = "custom_id",
    outcome: Callable[[dict[str, Json]], Outcome] | None = None,
) -> Answer | None:
    """The answer that a result line holds, None for a blank line. `place`: for messages.

    `id_key` and `outcome` are for lines in another form than OpenAI's.

    Of a line that cannot be read at least the job is told where its id can be made out, else the id is empty.
    """
    text = line.decode("utf-8", "replace").strip("\r\n")
    if not text.strip():
        return None
    try:
        row = parse_json(text)
    except ValueError as fault:
        return unreadable(text, f"{place} cannot be read: {fault}", id_key)
    job_id = row.get(id_key) if isinstance(row, dict) else None
    if isinstance(job_id, int):
        job_id = str(job_id)
    if not isinstance(job_id, str):
        return Answer("", failed(f"{place} names no job", "bad_reply", row), text)
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as fault:
        message = f"{place}: the result is not UTF-8 (byte {fault.start}); its bytes are kept as they came"
        return Answer(job_id, failed(message, "bad_reply", row), text)
    return Answer(job_id, (outcome or row_outcome)(row), text)


def row_outcome(row: dict[str, Json]) -> Outcome:
    """What a result row says: its error, else its status, else its completion."""
    response = unpacked(row.get("response"))
    if error := error_in(row):
        words, code = error
        state = _ENDED_ROWS.get(code, JobState.FAILED)
        kind = {JobState.EXPIRED: "expired", JobState.CANCELLED: "cancelled"}.get(state, code)
        outcome = beside(unpacked(response.get("body")) if isinstance(response, dict) else None, outcome_of)
        outcome.state, outcome.error, outcome.error_kind, outcome.body = state, words, kind, row
        return outcome
    if not isinstance(response, dict):
        return failed("the row holds neither a response nor an error", "bad_reply", row)
    bare = "choices" in response  # some servers put the completion itself here
    body = response if bare else unpacked(response.get("body"))
    status = _status(response.get("status_code"))
    if not bare and status >= 400:
        words = tidy(error_words(body)) or "no reason given"
        kind = one_name(error_code(body), words) or by_status(status)
        outcome = failed(told(f"{words} ({status})", body), kind, body)
    else:
        outcome = outcome_of(body)
    request = response.get("request_id")
    if isinstance(request, str) and request:
        outcome.remote = {**outcome.remote, "request_id": request}
    return outcome


def beside(body: Json, read: Callable[[dict[str, Json]], Outcome]) -> Outcome:
    """What a row gave beside its error: it may have been paid for, so that it is kept."""
    given = read(body) if isinstance(body, dict) else Outcome(state=JobState.FAILED)
    return given if given.state is JobState.COMPLETED else Outcome(state=JobState.FAILED)


def unpacked(value: Json) -> Json:
    """A body that came as JSON text inside the JSON (Llama Stack) opened; anything else as it is."""
    if isinstance(value, str):
        try:
            return parse_json(value)
        except ValueError:
            return value
    return value


def _status(value: Json) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return 200
