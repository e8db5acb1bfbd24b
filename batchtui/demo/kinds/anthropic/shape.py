"""What all kinds in Anthropic's manner share: headers, errors with their request id, pages that go both ways."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar

from starlette.requests import Request
from starlette.responses import Response

from batchtui.demo.kinds.base import ApiError, Call, DemoKind, json_response
from batchtui.model import Json

PREFIX = "/anthropic"
"""Where this server keeps Anthropic's paths: some of them are OpenAI's too. A client's base address ends so."""
VERSIONS = ("2023-01-01", "2023-06-01", "2026-10-21")
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    409: "invalid_request_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


class AnthropicShape(DemoKind):
    """A kind that answers and refuses as Anthropic does."""

    prefix: ClassVar[str] = PREFIX
    requests_a_minute: ClassVar[int] = 4_000

    def key(self, request: Request) -> str | None:
        return request.headers.get("x-api-key") or super().key(request)

    def headers(self) -> dict[str, str]:
        return {"request-id": self.world.new_id("req_"), "anthropic-organization-id": "demo"}

    def error(self, fault: ApiError) -> Response:
        headers = self.headers()
        if fault.after is not None:
            headers |= self._told_to_wait(fault.after)
        body = error_body(fault.status, fault.message, headers["request-id"])
        return json_response(body, fault.status, headers)

    def _told_to_wait(self, seconds: float) -> dict[str, str]:
        name = "anthropic-ratelimit-requests"
        return {
            "retry-after-ms": str(math.ceil(seconds * 1000)),
            "retry-after": str(math.ceil(seconds)),
            f"{name}-limit": str(self.requests_a_minute),
            f"{name}-remaining": "0",
            f"{name}-reset": rfc3339(time.time() + seconds),
        }


def error_body(status: int, message: str, request_id: str) -> dict[str, Json]:
    """A refusal as it is answered, and as it stands in a batch's results."""
    kind = _TYPES.get(status, "api_error")
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": request_id}


def version_of(call: Call) -> str:
    """The API version a call asks for. Raises ApiError (400) where it names none, or none that there is."""
    version = call.request.headers.get("anthropic-version")
    if not version:
        raise ApiError(400, "anthropic-version: header is required")
    if version not in VERSIONS:
        raise ApiError(400, f'anthropic-version: "{version[:40]}" is not a valid version')
    return version


def rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def page(request: Request, items: Sequence[dict[str, Json]]) -> dict[str, Json]:
    """One page of a list by `limit` and `after_id` or `before_id`. Raises ApiError (400)."""
    query = request.query_params
    asked, after, before = query.get("limit", "20"), query.get("after_id"), query.get("before_id")
    limit = int(asked) if asked.isdecimal() and len(asked) < 9 else 0
    if not 1 <= limit <= 1000:
        raise ApiError(400, "limit: Input should be between 1 and 1000")
    if after and before:
        raise ApiError(400, "Only one of after_id and before_id may be given")
    if before:
        end = _place(items, "before_id", before)
        start, more = max(0, end - limit), end > limit
        data = list(items[start:end])
    else:
        start = _place(items, "after_id", after) + 1 if after else 0
        data, more = list(items[start : start + limit]), start + limit < len(items)
    return {
        "data": data,
        "has_more": more,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
    }


def _place(items: Sequence[dict[str, Json]], name: str, wanted: str) -> int:
    place = next((n for n, item in enumerate(items) if item["id"] == wanted), None)
    if place is None:
        raise ApiError(400, f"{name}: no such object: {wanted[:100]}")
    return place
