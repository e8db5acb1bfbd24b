"""The input file of a batch: reading and judging its lines, and writing one line of a result file for each."""

from __future__ import annotations

import random
import re
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import msgspec

from batchtui.demo.kinds.base import ApiError
from batchtui.demo.kinds.openai import bodies as bodies
from batchtui.demo.kinds.openai.shape import error_body
from batchtui.demo.world import Stopping, World
from batchtui.model import Json

MAX_ROWS, MAX_BYTES, MAX_PROBLEMS = 50_000, 200_000_000, 100
_DRAWN = re.compile(r"^[0-9a-f]{8}-")
"""What a client may put before its ids, drawn anew each time; a seed must not depend on it."""

_PARTIAL = (
    ApiError(400, "The prompt was flagged as violating the usage policy.", code="invalid_prompt"),
    ApiError(
        400,
        "This model's maximum context length is 8192 tokens.",
        code="context_length_exceeded",
        param="messages",
    ),
    ApiError(429, "Rate limit reached for requests of this organization.", code="rate_limit_exceeded"),
)
_UNDONE = {
    "expired": ("batch_expired", "This request could not be executed before the completion window expired."),
    "cancelled": ("batch_cancelled", "This request was not executed because the batch was cancelled."),
}


class Unfit(Exception):
    """A line, or a file, that makes the whole batch fail."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.param = code, message, param

    def at(self, line: int | None) -> dict[str, Json]:
        """As it stands in a batch's `errors.data`."""
        return {"code": self.code, "message": self.message, "param": self.param, "line": line}


class RowForm:
    """The lines of OpenAI's files; providers that differ say how."""

    errors_apart = True
    """Whether failures have a file of their own."""
    max_rows, max_bytes = MAX_ROWS, MAX_BYTES

    def read(self, found: Input, line: dict[str, Json]) -> tuple[Json, Json]:
        """The id and the body of a line of the input. Raises Unfit."""
        if line.get("method") != "POST":
            raise Unfit("invalid_method", "Invalid value: 'method' must be POST.", "method")
        if line.get("url") != found.endpoint:
            text = "The URL provided for this request does not match the batch endpoint."
            raise Unfit("mismatched_url", text, "url")
        return line.get("custom_id"), line.get("body")

    def refusal(self, endpoint: str, body: dict[str, Json]) -> ApiError | None:
        """Why a row's body is refused, or None."""
        return bodies.refusal(endpoint, body)

    def done(self, world: World, row_id: str, answer: Json) -> Json:
        return self._line(world, row_id, self._response(world, 200, answer), None)

    def failed(self, world: World, row_id: str, failure: ApiError) -> Json:
        response = self._response(world, failure.status, self.error_body(failure))
        return self._line(world, row_id, response, None)

    def undone(self, world: World, row_id: str, ended_as: str) -> Json:
        """The line of a row that never ran; None for none."""
        code, message = _UNDONE[ended_as]
        return self._line(world, row_id, None, {"code": code, "message": message})

    def error_body(self, failure: ApiError) -> Json:
        return error_body(failure)

    @staticmethod
    def _response(world: World, status: int, body: Json) -> Json:
        return {"status_code": status, "request_id": world.new_id(""), "body": body}

    @staticmethod
    def _line(world: World, row_id: str, response: Json, error: Json) -> Json:
        return {"id": world.new_id("batch_req_"), "custom_id": row_id, "response": response, "error": error}


OPENAI = RowForm()


@dataclass(slots=True)
class Input:
    """A scanned input file. `order` is the order of processing, `failing` says of each row in that order if it fails."""

    path: Path
    endpoint: str
    number: int
    form: RowForm = OPENAI
    default_model: str | None = None
    ids: list[str] = field(default_factory=list)
    offsets: array[int] = field(default_factory=lambda: array("Q"))
    order: list[int] = field(default_factory=list)
    failing: bytes = b""
    model: str | None = None
    tokens: int = 0
    """Of all prompts, counted only where a queue of tokens can be full."""
    problems: list[dict[str, Json]] = field(default_factory=list)


def scan(
    world: World,
    path: Path,
    endpoint: str,
    number: int,
    form: RowForm = OPENAI,
    model: str | None = None,
) -> Input:
    """Reads all lines (in a thread). `number` counts the server's batches, so that chances differ from one to the next.

    `model` is that of the batch, where it is not named in the rows.
    """
    found, seen, failing = Input(path, endpoint, number, form, model), set[str](), bytearray()
    offset = 0
    if path.stat().st_size > form.max_bytes:
        text = f"The input file is larger than {form.max_bytes} bytes."
        found.problems.append(Unfit("file_too_large", text).at(None))
    with path.open("rb") as lines:
        for line_number, line in enumerate(lines, 1):
            if world.stopping.is_set():
                raise Stopping
            start, offset = offset, offset + len(line)
            if not line.strip():
                continue
            try:
                row = _row(found, line, seen)
            except Unfit as fault:
                if len(found.problems) < MAX_PROBLEMS:
                    found.problems.append(fault.at(line_number))
                continue
            found.ids.append(row[0])
            found.offsets.append(start)
            if world.faults.enqueued is not None:
                found.tokens += bodies.prompt_tokens(row[1])
            failing.append(_failure(world, found, row) is not None)
    if not found.ids and not found.problems:
        found.problems.append(Unfit("empty_file", "The input file is empty.").at(None))
    if len(found.ids) > form.max_rows:
        text = f"The input file has more than {form.max_rows} requests."
        found.problems.append(Unfit("too_many_tasks", text).at(None))
    found.order = list(range(len(found.ids)))
    random.Random(f"{world.faults.seed}/{number}").shuffle(found.order)
    found.failing = bytes(failing[index] for index in found.order)
    return found


def _decoded(found: Input, line: bytes) -> tuple[Json, Json]:
    """The id and the body of a line, with the batch's model where it names none. Raises Unfit."""
    try:
        row = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise Unfit("invalid_json_line", "This line is not parseable as valid JSON.")
    custom_id, body = found.form.read(found, row)
    if found.default_model and isinstance(body, dict):
        body = {"model": found.default_model, **body}
    return custom_id, body


def _row(found: Input, line: bytes, seen: set[str]) -> tuple[str, dict[str, Json]]:
    """One line decoded and judged. Raises Unfit."""
    custom_id, body = _decoded(found, line)
    if not isinstance(custom_id, str) or not custom_id:
        raise Unfit("missing_required_parameter", "Missing required parameter: 'custom_id'.", "custom_id")
    if custom_id in seen:
        text = f"The custom_id '{custom_id[:100]}' is used by an earlier request of this batch."
        raise Unfit("duplicate_custom_id", text, "custom_id")
    seen.add(custom_id)
    if not isinstance(body, dict):
        raise Unfit("missing_required_parameter", "Missing required parameter: 'body'.", "body")
    model = body.get("model")
    if isinstance(model, str) and model != (found.model or model):
        text = (
            f"The model '{model[:100]}' does not match the model of the batch, '{(found.model or '')[:100]}'."
        )
        raise Unfit("mismatched_model", text, "body.model")
    found.model = found.model or (model if isinstance(model, str) else None)
    return custom_id, body


def _failure(world: World, found: Input, row: tuple[str, dict[str, Json]]) -> ApiError | None:
    refused = found.form.refusal(found.endpoint, row[1])
    job_id = _DRAWN.sub("", row[0])
    if refused is None and world.faults.chance("partial", found.number, job_id):
        return _PARTIAL[sum(job_id.encode("utf-8", "replace")) % len(_PARTIAL)]
    return refused


def write(
    world: World, found: Input, done: int, ended_as: str, output: IO[bytes], errors: IO[bytes]
) -> tuple[int, int]:
    """Writes the first `done` rows in order of processing, then the rest as never run; answers tokens in and out."""
    spent_in = spent_out = 0
    form = found.form
    with found.path.open("rb") as source:
        for index in found.order[:done]:
            if world.stopping.is_set():
                raise Stopping
            source.seek(found.offsets[index])
            row_id, body = _decoded(found, source.readline())
            failure = _failure(world, found, (row_id, body))
            if failure is None:
                answer = bodies.respond(found.endpoint, body, world.faults, world.new_id)
                more_in, more_out = bodies.usage_of(answer)
                spent_in, spent_out = spent_in + more_in, spent_out + more_out
                line = form.done(world, row_id, answer)
            else:
                line = form.failed(world, row_id, failure)
            out = errors if failure and form.errors_apart else output
            out.write(msgspec.json.encode(line) + b"\n")
    for index in found.order[done:]:
        line = form.undone(world, found.ids[index], ended_as)
        if line is not None:
            errors.write(msgspec.json.encode(line) + b"\n")
    return spent_in, spent_out
