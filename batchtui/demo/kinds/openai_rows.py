"""The input file of a batch: reading and judging its lines, and writing one line of a result file for each."""

from __future__ import annotations

import random
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import msgspec

from batchtui.demo.kinds import openai_bodies as bodies
from batchtui.demo.kinds.base import ApiError
from batchtui.demo.kinds.openai_shape import error_body
from batchtui.demo.world import Stopping, World
from batchtui.model import Json

MAX_ROWS, MAX_BYTES, MAX_PROBLEMS = 50_000, 200_000_000, 100

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


@dataclass(slots=True)
class Input:
    """A scanned input file. `order` is the order of processing, `failing` says of each row in that order if it fails."""

    path: Path
    endpoint: str
    number: int
    ids: list[str] = field(default_factory=list)
    offsets: array[int] = field(default_factory=lambda: array("Q"))
    order: list[int] = field(default_factory=list)
    failing: bytes = b""
    model: str | None = None
    problems: list[dict[str, Json]] = field(default_factory=list)


def scan(world: World, path: Path, endpoint: str, number: int) -> Input:
    """Reads all lines (in a thread). `number` counts the server's batches, so that chances differ from one to the next."""
    found, seen, failing = Input(path, endpoint, number), set[str](), bytearray()
    offset = 0
    if path.stat().st_size > MAX_BYTES:
        found.problems.append(
            Unfit("file_too_large", f"The input file is larger than {MAX_BYTES} bytes.").at(None)
        )
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
            found.ids.append(row["custom_id"])
            found.offsets.append(start)
            failing.append(_failure(world, found, row) is not None)
    if not found.ids and not found.problems:
        found.problems.append(Unfit("empty_file", "The input file is empty.").at(None))
    if len(found.ids) > MAX_ROWS:
        found.problems.append(
            Unfit("too_many_tasks", f"The input file has more than {MAX_ROWS} requests.").at(None)
        )
    found.order = list(range(len(found.ids)))
    random.Random(f"{world.faults.seed}/{number}").shuffle(found.order)
    found.failing = bytes(failing[index] for index in found.order)
    return found


def _row(found: Input, line: bytes, seen: set[str]) -> dict[str, Json]:
    """One line decoded. Raises Unfit."""
    try:
        row = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise Unfit("invalid_json_line", "This line is not parseable as valid JSON.")
    custom_id, body = row.get("custom_id"), row.get("body")
    if not isinstance(custom_id, str) or not custom_id:
        raise Unfit("missing_required_parameter", "Missing required parameter: 'custom_id'.", "custom_id")
    if custom_id in seen:
        text = f"The custom_id '{custom_id[:100]}' is used by an earlier request of this batch."
        raise Unfit("duplicate_custom_id", text, "custom_id")
    seen.add(custom_id)
    if row.get("method") != "POST":
        raise Unfit("invalid_method", "Invalid value: 'method' must be POST.", "method")
    if row.get("url") != found.endpoint:
        text = "The URL provided for this request does not match the batch endpoint."
        raise Unfit("mismatched_url", text, "url")
    if not isinstance(body, dict):
        raise Unfit("missing_required_parameter", "Missing required parameter: 'body'.", "body")
    model = body.get("model")
    if isinstance(model, str) and model != (found.model or model):
        text = (
            f"The model '{model[:100]}' does not match the model of the batch, '{(found.model or '')[:100]}'."
        )
        raise Unfit("mismatched_model", text, "body.model")
    found.model = found.model or (model if isinstance(model, str) else None)
    return row


def _failure(world: World, found: Input, row: dict[str, Json]) -> ApiError | None:
    refused = bodies.refusal(found.endpoint, row["body"])
    if refused is None and world.faults.chance("partial", found.number, row["custom_id"]):
        return _PARTIAL[sum(row["custom_id"].encode("utf-8", "replace")) % len(_PARTIAL)]
    return refused


def write(
    world: World, found: Input, done: int, ended_as: str, output: IO[bytes], errors: IO[bytes]
) -> tuple[int, int]:
    """Writes the first `done` rows in order of processing, then the rest as never run; answers tokens in and out."""
    spent_in = spent_out = 0
    with found.path.open("rb") as source:
        for index in found.order[:done]:
            if world.stopping.is_set():
                raise Stopping
            source.seek(found.offsets[index])
            row = msgspec.json.decode(source.readline())
            failure = _failure(world, found, row)
            if failure is None:
                body = bodies.respond(found.endpoint, row["body"], world.faults, world.new_id)
                more_in, more_out = bodies.usage_of(body)
                spent_in, spent_out = spent_in + more_in, spent_out + more_out
            else:
                body = error_body(failure)
            response = {
                "status_code": failure.status if failure else 200,
                "request_id": world.new_id(""),
                "body": body,
            }
            out = errors if failure else output
            out.write(_line(world, found.ids[index], response, None))
    for index in found.order[done:]:
        code, message = _UNDONE[ended_as]
        errors.write(_line(world, found.ids[index], None, {"code": code, "message": message}))
    return spent_in, spent_out


def _line(world: World, custom_id: str, response: Json, error: Json) -> bytes:
    line = {"id": world.new_id("batch_req_"), "custom_id": custom_id, "response": response, "error": error}
    return msgspec.json.encode(line) + b"\n"
