"""Mistral's protocol as the demo server speaks it: what its official client does not look at."""

from __future__ import annotations

import json

import pytest

CHAT = "/v1/chat/completions"
ROW = {"custom_id": "a", "body": {"messages": [{"role": "user", "content": "hi"}]}}
JOBS = "/mistral/v1/batch/jobs"


def create(client, **asked):
    return client.post(JOBS, json={"endpoint": CHAT, "model": "demo-small", "requests": [ROW]} | asked)


def test_errors_stand_flat(demo) -> None:
    client = demo("429.list=1")
    limited = client.get(JOBS)
    assert limited.json().keys() == {"object", "message", "type", "param", "code"}
    assert (limited.json()["object"], limited.json()["type"]) == ("error", "rate_limit_error")
    assert float(limited.headers["retry-after"]) > 0
    refused = client.get(f"{JOBS}/x", headers={"authorization": "Bearer wrong"})
    assert (refused.status_code, refused.json()["type"]) == (401, "authentication_error")
    for path in (f"{JOBS}/none", "/mistral/v1/files/none", "/mistral/v1/nothing"):
        assert (client.get(path).status_code, client.get(path).json()["object"]) == (404, "error")


@pytest.mark.parametrize(
    "asked",
    [
        {"endpoint": "/v1/none"},
        {"requests": []},
        {"input_files": ["none"]},
        {"requests": [], "input_files": ["none"]},
        {"timeout_hours": 0},
        {"timeout_hours": 168},
        {"model": "unknown-model"},
    ],
)
def test_a_create_is_checked(demo, asked) -> None:
    client = demo()
    assert create(client, **asked).status_code in (400, 404, 422)
    assert client.get(JOBS).json() == {"object": "list", "data": [], "total": 0}


def test_the_list_takes_pairs_of_metadata_and_checks_its_pages(demo) -> None:
    client = demo()
    made = [create(client, metadata={"who": who}).json()["id"] for who in ("x", "y", "x")]
    found = client.get(f"{JOBS}?who=x&page_size=1").json()
    assert ([job["id"] for job in found["data"]], found["total"]) == ([made[2]], 2)
    assert client.get(f"{JOBS}?order_by=created").json()["data"][0]["id"] == made[0]
    assert client.get(f"{JOBS}?page=x").status_code == 422
    assert client.get(f"{JOBS}?page_size=0").status_code == 422


def test_the_model_stands_in_the_job_or_in_the_row(demo) -> None:
    client = demo(duration="0s")
    bare = create(client, model=None).json()["id"]
    named = {**ROW, "body": ROW["body"] | {"model": "demo-large"}}
    own = create(client, model=None, requests=[named]).json()["id"]
    rows = {}
    for one in (bare, own):
        while (job := client.get(f"{JOBS}/{one}").json())["completed_at"] is None:
            pass
        content = client.get(f"/mistral/v1/files/{job['output_file'] or job['error_file']}/content")
        assert content.headers["content-type"] == "application/octet-stream"
        rows[one] = json.loads(content.text)["response"]
    assert rows[bare]["status_code"] == 400
    assert rows[own]["body"]["model"] == "demo-large"
