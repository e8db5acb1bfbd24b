"""Gemini's protocol as the demo server speaks it: what its official client does not look at."""

from __future__ import annotations

import json
import time

import pytest

START = {"X-Goog-Upload-Protocol": "resumable", "X-Goog-Upload-Command": "start"}
CONTENTS = [{"role": "user", "parts": [{"text": "hi"}]}]


def rows(count: int) -> bytes:
    lines = ({"key": f"r{n}", "request": {"contents": CONTENTS}} for n in range(count))
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def upload(client, content: bytes, cut: int | None = None) -> str:
    told = {"file": {"display_name": "in.jsonl"}}
    place = client.post("/gemini/upload/v1beta/files", json=told, headers=START).headers["x-goog-upload-url"]
    pieces = [content] if cut is None else [content[:cut], content[cut:]]
    offset = 0
    for number, piece in enumerate(pieces, 1):
        command = "upload, finalize" if number == len(pieces) else "upload"
        headers = {"X-Goog-Upload-Offset": str(offset), "X-Goog-Upload-Command": command}
        reply = client.post(place, content=piece, headers=headers)
        offset += len(piece)
        assert reply.headers["x-goog-upload-status"] == ("final" if number == len(pieces) else "active")
    return reply.json()["file"]["name"]


def create(client, file_name: str, name: str = "batchtui-tok", version: str = "v1beta"):
    batch = {"displayName": name, "inputConfig": {"fileName": file_name}}
    return client.post(f"/gemini/{version}/models/demo-small:batchGenerateContent", json={"batch": batch})


def until_done(client, name: str):
    end = time.monotonic() + 20
    while not (operation := client.get(f"/gemini/v1beta/{name}").json()).get("done"):
        assert time.monotonic() < end
        time.sleep(0.02)
    return operation


def test_an_operation_from_its_creation_to_its_end(demo) -> None:
    client = demo(duration="300ms")
    content = rows(3)
    file_name = upload(client, content, cut=10)
    created = create(client, file_name).json()
    assert "done" not in created
    assert created["metadata"]["batchStats"] == {"requestCount": "3", "pendingRequestCount": "3"}
    done = until_done(client, created["name"])
    told = done["metadata"]
    assert told["batchStats"] == {"requestCount": "3", "successfulRequestCount": "3"}, "zeros are left out"
    assert (told["state"], told["displayName"]) == ("BATCH_STATE_SUCCEEDED", "batchtui-tok")
    assert done["response"]["responsesFile"] == told["output"]["responsesFile"]
    results = client.get(f"/gemini/v1/{told['output']['responsesFile']}:download?alt=media")
    assert {json.loads(line)["key"] for line in results.text.splitlines()} == {"r0", "r1", "r2"}
    [entry] = [entry for entry in client.ledger() if entry["op"] == "create"]
    assert (entry["kind"], entry["token"], entry["remote_id"]) == ("gemini", "tok", created["name"])


def test_what_was_uploaded_cannot_be_downloaded(demo) -> None:
    client = demo()
    file_name = upload(client, rows(1))
    assert client.get(f"/gemini/v1beta/{file_name}").json()["sizeBytes"] == str(len(rows(1)))
    assert client.get(f"/gemini/v1beta/{file_name}:download?alt=media").status_code == 400


def test_the_list_leaves_inline_answers_out(demo) -> None:
    client = demo(duration="0s")
    given = {"requests": {"requests": [{"request": {"contents": CONTENTS}, "metadata": {"key": "a"}}]}}
    asked = {"batch": {"displayName": "d", "inputConfig": given}}
    name = client.post("/gemini/v1/models/demo-small:batchGenerateContent", json=asked).json()["name"]
    done = until_done(client, name)
    [answer] = done["metadata"]["output"]["inlinedResponses"]["inlinedResponses"]
    assert answer["metadata"] == {"key": "a"}
    [listed] = client.get("/gemini/v1/batches").json()["operations"]
    assert "output" not in listed["metadata"]


def test_errors_in_googles_form(demo) -> None:
    client = demo("429.list=1,retry_after=2500ms")
    limited = client.get("/gemini/v1beta/batches").json()["error"]
    assert (limited["code"], limited["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert limited["details"][0]["retryDelay"] == "2.500s"
    refused = client.get("/gemini/v1beta/models", headers={"x-goog-api-key": "wrong"})
    assert (refused.status_code, refused.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert refused.json()["error"]["details"][0]["reason"] == "API_KEY_INVALID"
    for path in ("/gemini/v1beta/batches/none", "/gemini/v1beta/files/none", "/gemini/v9/files"):
        assert client.get(path).json()["error"]["status"] == "NOT_FOUND"


@pytest.mark.parametrize(
    "batch",
    [
        {},
        {"inputConfig": {}},
        {"inputConfig": {"fileName": "files/none"}},
        {"inputConfig": {"fileName": 7}},
        5,
    ],
)
def test_a_create_is_checked(demo, batch) -> None:
    client = demo()
    reply = client.post("/gemini/v1/models/demo-small:batchGenerateContent", json={"batch": batch})
    assert reply.status_code in (400, 404)
    assert "operations" not in client.get("/gemini/v1/batches").json()


def test_pieces_of_an_upload_must_fit(demo) -> None:
    client = demo()
    place = client.post("/gemini/upload/v1/files", json={}, headers=START).headers["x-goog-upload-url"]
    headers = {"X-Goog-Upload-Offset": "5", "X-Goog-Upload-Command": "upload"}
    assert client.post(place, content=b"x", headers=headers).status_code == 400
    assert client.post("/gemini/upload/v1/files?upload_id=none", content=b"x").status_code == 404
    assert client.post("/gemini/upload/v1/files", json={}).status_code == 400
