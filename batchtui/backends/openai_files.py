"""The two files of a batch in OpenAI's form: the lines that go up, and the lines that come back."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable
from pathlib import Path

from batchtui.backends.base import Answer
from batchtui.backends.completion import failed, outcome_of
from batchtui.backends.replies import error_code, error_words, parse_json, tidy
from batchtui.model import JobState, Json, Outcome

SLICE = 500
"""Lines built between two turns of the loop: about 5 ms, so that other batches go on."""
CUSTOM_ID_LIMIT = 64
_OURS = re.compile(r"job-\d+")
_ENDED_ROWS = {"batch_expired": JobState.EXPIRED, "batch_cancelled": JobState.CANCELLED}


def wire_id(index: int, job_id: str) -> str:
    """The `custom_id` of a job: its own id where that fits, else its place in the batch."""
    fits = 0 < len(job_id) <= CUSTOM_ID_LIMIT and job_id.isprintable() and not _OURS.fullmatch(job_id)
    return job_id if fits else f"job-{index}"


def input_line(custom_id: str, endpoint: str, body: dict[str, Json]) -> bytes:
    """One line of the input file, ASCII and compact, with its LF."""
    line = {"custom_id": custom_id, "method": "POST", "url": endpoint, "body": body}
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


async def write_input(path: Path, lines: Iterable[bytes]) -> None:
    """Write the lines in slices, giving the loop its turn between them."""
    with path.open("wb") as file:
        for number, line in enumerate(lines, start=1):
            file.write(line)
            if number % SLICE == 0:
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


def read_answer(line: bytes, place: str) -> Answer | None:
    """The answer that a result line holds; None for a blank line or one that names no job. `place`: for messages."""
    text = line.decode("utf-8", "replace").strip("\r\n")
    if not text.strip():
        return None
    try:
        row = parse_json(text)
    except ValueError:
        return None
    job_id = row.get("custom_id") if isinstance(row, dict) else None
    if isinstance(job_id, int):
        job_id = str(job_id)
    if not isinstance(job_id, str):
        return None
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as fault:
        message = f"{place}: the result is not UTF-8 (byte {fault.start}); its bytes are kept as they came"
        return Answer(job_id, failed(message, "bad_reply", row), text)
    return Answer(job_id, row_outcome(row), text)


def row_outcome(row: dict[str, Json]) -> Outcome:
    """What a result row says: its error, else its status, else its completion."""
    error = row.get("error")
    if error:
        code = error_code(row) or "provider"
        state = _ENDED_ROWS.get(code, JobState.FAILED)
        kind = {JobState.EXPIRED: "expired", JobState.CANCELLED: "cancelled"}.get(state, code)
        return failed(tidy(error_words(error)) or code, kind, row, state)
    response = _unpacked(row.get("response"))
    if not isinstance(response, dict):
        return failed("the row holds neither a response nor an error", "bad_reply", row)
    bare = "choices" in response  # some servers put the completion itself here
    body = response if bare else _unpacked(response.get("body"))
    status = _status(response.get("status_code"))
    if not bare and status >= 400:
        words = tidy(error_words(body)) or "no reason given"
        outcome = failed(f"{words} ({status})", error_code(body) or _kind(status), body)
    else:
        outcome = outcome_of(body)
    request = response.get("request_id")
    if isinstance(request, str) and request:
        outcome.remote = {**outcome.remote, "request_id": request}
    return outcome


def _unpacked(value: Json) -> Json:
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


def _kind(status: int) -> str:
    if status in (401, 403):
        return "key"
    if status == 429:
        return "rate_limit"
    return "server" if status >= 500 else "refused"
