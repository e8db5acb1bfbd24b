"""The requests of a message batch: reading and judging them, and writing one line of results for each."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import IO

import msgspec

from batchtui import typed
from batchtui.demo.kinds.anthropic import bodies as bodies
from batchtui.demo.kinds.anthropic.shape import error_body
from batchtui.demo.kinds.base import ApiError
from batchtui.demo.world import Stopping, World
from batchtui.model import Json

MAX_ROWS, MAX_BYTES = 100_000, 256_000_000
_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_DRAWN = re.compile(r"^[0-9a-f]{8}[-_]")
"""What a client may put before its ids, drawn anew each time; a seed must not depend on it."""
_PARTIAL = (
    ApiError(500, "Internal server error"),
    ApiError(529, "Overloaded"),
    ApiError(400, "prompt is too long: 210000 tokens > 200000 maximum"),
)
_UNDONE = {"expired": "expired", "cancelled": "canceled"}


class Request(msgspec.Struct):
    """One request as it was asked for; `params` are judged only once the batch is made."""

    custom_id: str
    params: msgspec.Raw


class Asked(msgspec.Struct):
    requests: list[Request]


@dataclass(slots=True)
class Rows:
    """The requests of a batch. `order` is the order of processing, `failing` says of each in that order if it fails."""

    requests: list[Request]
    number: int
    version: str
    order: list[int]
    failing: bytes


def read(world: World, data: bytes, number: int, version: str) -> Rows:
    """The body of a create (in a thread). Raises ApiError. `number` counts the server's batches."""
    if len(data) > MAX_BYTES:
        raise ApiError(413, "Request exceeds the maximum size")
    try:
        requests = typed.decode(data, Asked).requests
    except msgspec.ValidationError as fault:
        raise ApiError(400, f"requests: {fault}") from None
    except (msgspec.DecodeError, RecursionError):
        raise ApiError(400, "The request body is not valid JSON") from None
    _check(requests)
    rows = Rows(requests, number, version, list(range(len(requests))), b"")
    random.Random(f"{world.faults.seed}/{number}").shuffle(rows.order)
    rows.failing = bytes(_failure(world, rows, requests[index]) is not None for index in rows.order)
    return rows


def _check(requests: list[Request]) -> None:
    if not 1 <= len(requests) <= MAX_ROWS:
        raise ApiError(400, f"requests: expected 1 to {MAX_ROWS} items, got {len(requests)}")
    seen: set[str] = set()
    for place, request in enumerate(requests):
        if not _CUSTOM_ID.fullmatch(request.custom_id):
            pattern = "^[a-zA-Z0-9_-]{1,64}$"
            raise ApiError(400, f"requests.{place}.custom_id: String should match pattern '{pattern}'")
        if request.custom_id in seen:
            raise ApiError(400, f"requests: custom_id must be unique: {request.custom_id}")
        seen.add(request.custom_id)


def _params(request: Request) -> dict[str, Json]:
    params = msgspec.json.decode(request.params)
    return params if isinstance(params, dict) else {}


def _failure(world: World, rows: Rows, request: Request) -> ApiError | None:
    refused = bodies.refusal(_params(request), rows.version, batch=True)
    job_id = _DRAWN.sub("", request.custom_id)
    if refused is None and world.faults.chance("partial", rows.number, job_id):
        return _PARTIAL[sum(job_id.encode()) % len(_PARTIAL)]
    return refused


def write(world: World, rows: Rows, done: int, ended_as: str, out: IO[bytes]) -> None:
    """Results of the first `done` requests in order of processing, then of the rest as never run, in any order."""
    processed = set(rows.order[:done])
    mixed = list(rows.order)
    random.Random(f"{world.faults.seed}/{rows.number}/results").shuffle(mixed)
    for index in mixed:
        if world.stopping.is_set():
            raise Stopping
        request = rows.requests[index]
        result = _result(world, rows, request) if index in processed else {"type": _UNDONE[ended_as]}
        out.write(msgspec.json.encode({"custom_id": request.custom_id, "result": result}) + b"\n")


def _result(world: World, rows: Rows, request: Request) -> dict[str, Json]:
    failure = _failure(world, rows, request)
    if failure:
        error = error_body(failure.status, failure.message, world.new_id("req_"))
        return {"type": "errored", "error": error}
    message = bodies.respond(_params(request), world.faults, world.new_id, tier="batch")
    return {"type": "succeeded", "message": message}
