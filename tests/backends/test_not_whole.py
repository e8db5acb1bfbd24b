"""Of every kind that gives results as lines: what is not whole is never taken for an end."""

from __future__ import annotations

import json

import pytest

from batchtui.backends.base import Transient
from tests.backends.jobs_help import submission
from tests.backends.odd_server import reply

LONG = "x" * 400


def row(kind: str, job_id: str) -> str:
    if kind == "anthropic":
        message = {"content": [{"type": "text", "text": job_id}]}
        return json.dumps({"custom_id": job_id, "result": {"type": "succeeded", "message": message}}) + "\n"
    if kind == "gemini":
        answer = {"candidates": [{"content": {"parts": [{"text": job_id}]}, "finishReason": "STOP"}]}
        return json.dumps({"key": job_id, "response": answer}) + "\n"
    body = {"choices": [{"message": {"content": job_id}}]}
    return json.dumps({"custom_id": job_id, "response": {"status_code": 200, "body": body}}) + "\n"


def facts(kind: str, url: str) -> dict[str, str]:
    if kind == "anthropic":
        return {"results_url": f"{url}/results/{LONG}"}
    return {"output_file_id": f"files/{LONG}" if kind == "gemini" else LONG}


KINDS = ("openai", "mistral", "together", "gemini", "anthropic")
WRONG = {
    "404": lambda whole: reply(404, {"error": {"message": "not yet"}}),
    "204": lambda whole: reply(204, ""),
    "empty": lambda whole: reply(200, ""),
    "a page": lambda whole: reply(200, "<html>log in</html>"),
    "cut in a line": lambda whole: reply(200, whole[:-20]),
    "too long a length": lambda whole: _announced(whole, len(whole) + 9),
    "too short a length": lambda whole: _announced(whole, len(whole) - 9),
    "no end said": lambda whole: b"HTTP/1.1 200 X\r\nConnection: close\r\n\r\n" + whole.encode(),
}


def _announced(whole: str, length: int) -> bytes:
    return f"HTTP/1.1 200 X\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{whole}".encode()


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("kind", KINDS)
async def test_it_is_transient_and_then_all_is_there(odd, make, kind, wrong):
    backend = make(kind, odd.url)
    whole = row(kind, "a") + row(kind, "b")
    told = [WRONG[wrong](whole)]

    def answer(request):
        if "results" not in request.path and "content" not in request.path and "download" not in request.path:
            return reply(200, {})  # of the file nothing is told
        return told[0]

    odd.answer = answer
    one = submission(remote_id="b", facts=facts(kind, odd.url))
    with pytest.raises(Transient):
        async for _ in backend.results(one, None):
            pass
    told[0] = reply(200, whole)
    assert [found.job_id async for found in backend.results(one, None)] == ["a", "b"]
    assert LONG in odd.seen[0].path


@pytest.mark.parametrize("kind", ["openai", "mistral", "together", "gemini"])
async def test_at_the_second_look_the_size_of_the_file_is_asked_for(odd, make, kind):
    backend = make(kind, odd.url)
    whole = row(kind, "a") + row(kind, "b")
    size = {"bytes": len(whole)} if kind != "gemini" else {"sizeBytes": str(len(whole))}

    def answer(request):
        if "content" in request.path or "download" in request.path:
            return reply(200, row(kind, "a"))
        return reply(200, size)

    odd.answer = answer
    one = submission(remote_id="b", facts=facts(kind, odd.url))
    assert [found.job_id async for found in backend.results(one, None)] == ["a"]
    one.look = 2
    with pytest.raises(Transient, match="bytes came, and it holds"):
        async for _ in backend.results(one, None):
            pass
