"""Together's protocol as the demo server speaks it: what its official client does not look at."""

from __future__ import annotations

import hashlib
import json

import pytest

CHAT = "/v1/chat/completions"
FILES, BATCHES = "/together/v1/files", "/together/v1/batches"
ROW = {"custom_id": "a", "body": {"model": "demo-small", "messages": [{"role": "user", "content": "hi"}]}}
CONTENT = json.dumps(ROW).encode() + b"\n"


def announce(client, content: bytes = CONTENT, name: str = "tok.jsonl", **fields):
    told = {"purpose": "batch-api", "file_name": name, "file_type": "jsonl"}
    told |= {"checksum": hashlib.sha256(content).hexdigest()} | fields
    return client.post(FILES, files={name: (None, value) for name, value in told.items()})


def upload(client) -> str:
    told = announce(client)
    assert client.put(told.headers["location"], content=CONTENT).status_code == 200
    file_id = told.headers["x-together-file-id"]
    assert client.post(f"{FILES}/{file_id}/preprocess").json()["id"] == file_id
    return file_id


def test_an_upload_in_three_steps(demo) -> None:
    client = demo()
    told = announce(client)
    file_id = told.headers["x-together-file-id"]
    assert (told.status_code, client.get(FILES).json()) == (302, {"data": []})
    assert client.put(told.headers["location"], content=b"other").status_code == 400
    assert client.put("/together/storage/none", content=b"x").status_code == 403
    assert client.put(told.headers["location"], content=CONTENT).status_code == 200
    assert [file["filename"] for file in client.get(FILES).json()["data"]] == ["tok.jsonl"]
    again = announce(client, name="other.jsonl")
    assert (again.status_code, again.json()) == (409, {"file_id": file_id})


@pytest.mark.parametrize("fields", [{"purpose": "batch"}, {"checksum": "abc"}, {"file_name": ""}])
def test_an_announcement_is_checked(demo, fields) -> None:
    assert announce(demo(), **fields).status_code == 400


def test_a_create_wraps_its_job_and_the_list_is_bare(demo) -> None:
    client = demo()
    created = client.post(BATCHES, json={"input_file_id": upload(client), "endpoint": CHAT}).json()
    assert created.keys() == {"job", "warning"}
    [listed] = client.get(BATCHES).json()
    assert listed["id"] == created["job"]["id"]
    assert created["job"]["created_at"].endswith("Z")
    assert "metadata" not in created["job"]
    [entry] = [entry for entry in client.ledger() if entry["op"] == "create"]
    assert (entry["kind"], entry["token"], entry["job_ids"]) == ("together", "tok", ["a"])


def test_a_create_is_checked(demo) -> None:
    client = demo()
    for asked in (
        {},
        {"input_file_id": "none", "endpoint": CHAT},
        {"input_file_id": upload(client), "endpoint": "/v1/x"},
    ):
        reply = client.post(BATCHES, json=asked)
        assert reply.status_code in (400, 404)
        assert reply.json()["error"]["message"]
    assert client.get(BATCHES).json() == []
