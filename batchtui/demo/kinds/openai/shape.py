"""What all kinds in OpenAI's manner share: replies with their headers, errors with all four keys, list pages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from batchtui.demo.kinds.base import ApiError, DemoKind, json_response
from batchtui.demo.kinds.openai.bodies import invalid
from batchtui.model import Json

T = TypeVar("T")


BASES = ("/v1", "/openai/v1")
"""Where the same is served: as OpenAI has it, and as Groq and Azure do."""


class OpenAIShape(DemoKind):
    """A kind that answers and refuses as OpenAI does."""

    requests_a_minute: ClassVar[int] = 10_000

    def headers(self) -> dict[str, str]:
        return {"x-request-id": self.world.new_id("req_"), "openai-version": "2020-10-01"}

    def error(self, fault: ApiError) -> Response:
        body = {
            "message": fault.message,
            "type": error_type(fault.status, fault.code),
            "param": fault.param,
            "code": fault.code,
        }
        headers = self.headers()
        if fault.after is not None:
            headers |= self._told_to_wait(fault.after)
        return json_response({"error": body}, fault.status, headers)

    def _told_to_wait(self, seconds: float) -> dict[str, str]:
        return {
            "retry-after-ms": str(math.ceil(seconds * 1000)),
            "retry-after": str(math.ceil(seconds)),
            "x-ratelimit-limit-requests": str(self.requests_a_minute),
            "x-ratelimit-remaining-requests": "0",
            "x-ratelimit-reset-requests": f"{math.ceil(seconds * 1000)}ms",
        }


def error_type(status: int, code: str | None) -> str:
    if code == "insufficient_quota":
        return code
    if status == 429:
        return "requests"
    return "server_error" if status >= 500 else "invalid_request_error"


def error_body(fault: ApiError) -> dict[str, Json]:
    """A refusal as it stands in a batch's error file."""
    kind = error_type(fault.status, fault.code)
    return {"error": {"message": fault.message, "type": kind, "param": fault.param, "code": fault.code}}


def page(request: Request, items: Sequence[dict[str, Json]], *, default: int, most: int) -> dict[str, Json]:
    """One page of a list by `limit` and `after`. Raises ApiError (400) for a bad limit or an unknown `after`."""
    asked, after, start = request.query_params.get("limit"), request.query_params.get("after"), 0
    limit = default if asked is None else int(asked) if asked.isdecimal() and len(asked) < 9 else 0
    if not 1 <= limit <= most:
        raise invalid("limit", f"expected an integer from 1 to {most}.")
    if after is not None:
        start = next((n for n, item in enumerate(items, 1) if item["id"] == after), 0)
        if not start:
            raise invalid("after", f"no such object: {after[:100]}.")
    data = list(items[start : start + limit])
    return {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
        "has_more": start + limit < len(items),
    }
