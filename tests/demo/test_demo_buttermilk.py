"""The demo's Buttermilk: what the sheet of its protocol says, call by call."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

Demo = Callable[..., httpx.Client]
API = "/buttermilk/api/batches"


def made(client: httpx.Client, flow: str = "demo", **asked: Any) -> dict[str, Any]:
    return dict(client.post(API, json={"flow": flow, "shuffle": False, **asked}).raise_for_status().json())


def until(client: httpx.Client, batch_id: str, *states: str) -> dict[str, Any]:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        batch = client.get(f"{API}/{batch_id}").json()
        if batch["status"] in states:
            return dict(batch)
        time.sleep(0.01)
    raise AssertionError(f"still {batch['status']}")


def test_a_flow_over_its_records(demo: Demo) -> None:
    client = demo()
    reply = client.post(API, json={"flow": "demo", "shuffle": False, "max_records": 3})
    batch = reply.json()
    assert (reply.status_code, batch["status"], batch["total_jobs"]) == (200, "pending", 3)
    assert re.fullmatch("batch-[0-9A-Za-z]{8}", batch["id"])
    assert batch["created_at"].endswith("+00:00")
    ended = until(client, batch["id"], "completed")
    assert (ended["completed_jobs"], ended["failed_jobs"], ended["total_jobs"]) == (2, 1, 3)
    failed = client.get(f"{API}/{batch['id']}/jobs/r1").json()
    assert failed["error"]
    assert failed["job_definition"]["status"] == "failed"
    assert "result" not in failed
    assert "error" not in client.get(f"{API}/{batch['id']}/jobs/r2").json()
    missing = client.get(f"{API}/{batch['id']}/jobs/r9")
    assert missing.status_code == 404
    assert "r9" in missing.json()["detail"]
    assert batch["id"] in missing.json()["detail"]
    listed = client.get(API, params={"status": "completed"}).json()
    assert [one["id"] for one in listed] == [batch["id"]]
    assert client.get(API, params={"status": "odd"}).json() == []


@pytest.mark.parametrize(
    ("body", "type_", "field"),
    [
        ({}, "missing", "flow"),
        ({"flow": "demo", "foo": 1}, "extra_forbidden", "foo"),
        ({"flow": "demo", "error_policy": "boom"}, "enum", "error_policy"),
        ({"flow": "demo", "max_records": "x"}, "int_parsing", "max_records"),
    ],
)
def test_a_body_that_is_wrong_is_told_by_field(demo: Demo, body: Any, type_: str, field: str) -> None:
    reply = demo().post(API, json=body)
    (fault,) = reply.json()["detail"]
    assert (reply.status_code, fault["type"], fault["loc"]) == (422, type_, ["body", field])


def test_other_refusals(demo: Demo) -> None:
    client = demo()
    broken = client.post(API, content=b"{")
    assert (broken.status_code, broken.json()["detail"][0]["type"]) == (422, "json_invalid")
    unknown = client.post(API, json={"flow": "x"})
    assert (unknown.status_code, "demo" in unknown.json()["detail"]) == (400, True)
    assert client.put(API).json() == {"detail": "Method Not Allowed"}
    assert client.get(f"{API}/", follow_redirects=False).status_code == 307
    assert client.get("/buttermilk/head/api/batches").json() == {"detail": "Not Found"}
    assert client.get("/buttermilk/head/api/flows").headers["content-type"].startswith("text/html")
    assert client.get(API).json() == []


def test_odd_ids_and_cancel(demo: Demo) -> None:
    client = demo()
    batch = made(client, "names")
    until(client, batch["id"], "completed")
    got = client.get(f"{API}/{batch['id']}/jobs/a%20b%3F%C3%BC").json()
    assert got["job_definition"]["record_id"] == "a b?ü"
    assert client.get(f"{API}/{batch['id']}/jobs/a%2Fb").json() == {"detail": "Not Found"}
    late = client.delete(f"{API}/{batch['id']}")
    assert (late.status_code, late.json()["detail"].startswith("Cannot cancel batch")) == (404, True)
    assert client.delete(f"{API}/batch-nosuch00").json()["detail"] == "Batch 'batch-nosuch00' not found"


def test_the_real_ways_are_there_on_request(demo: Demo) -> None:
    client = demo("duration=600ms")
    sane = made(client, "good", concurrency=1)
    real = made(client, "good", concurrency=1, parameters={"quirks": "real"})
    until(client, real["id"], "running")
    assert client.get(f"{API}/{real['id']}/jobs").json() == []
    assert len(client.get(f"{API}/{sane['id']}/jobs").json()) == 4
    client.delete(f"{API}/{sane['id']}")
    first = client.delete(f"{API}/{real['id']}").json()
    again = client.delete(f"{API}/{real['id']}").json()
    assert first["status"] == again["status"] == "cancelled"
    assert first["completed_at"] < again["completed_at"]
    assert until(client, real["id"], "completed")["completed_jobs"] == 4
    empty = made(client, "empty", parameters={"quirks": ["stuck_empty"]})
    callback = made(client, "good", parameters={"quirks": ["callback"]})
    until(client, callback["id"], "completed")
    assert client.get(f"{API}/{callback['id']}/jobs/r2").json()["result"] == {}
    assert client.get(f"{API}/{empty['id']}").json()["status"] == "pending"
    assert client.get(f"{API}/{sane['id']}").json()["status"] == "cancelled"
    client.post("/buttermilk/restart")
    assert client.get(API).json() == []


def test_error_policy(demo: Demo) -> None:
    client = demo()
    asked = {"error_policy": "stop", "concurrency": 1}
    assert until(client, made(client, **asked)["id"], "failed", "completed")["completed_jobs"] == 0
    ignored = made(client, **asked, parameters={"quirks": ["real"]})
    assert until(client, ignored["id"], "failed", "completed")["completed_jobs"] == 3
