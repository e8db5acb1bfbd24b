"""The demo's energy API as a plain client sees it: what the kind itself does not use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.daly_help import block, energy_model


@pytest.fixture
def api(demo: Callable[..., Any]) -> Callable[..., Any]:
    """`api(faults)`: a client that is signed in."""

    def signed_in(faults: str = "") -> Any:
        client = demo(faults)
        told = client.post("/daly/auth/token", json={"workspace_id": "wk", "user_id": "uk"}).json()
        assert told["token_type"] == "bearer"
        client.headers["Authorization"] = f"Bearer {told['access_token']}"
        return client

    return signed_in


def test_a_synchronous_run_is_there_at_once(api: Callable[..., Any]) -> None:
    client = api()
    told = client.post("/daly/energymodels", json=energy_model(name="North")).json()
    assert told["energyYieldSummary"]
    assert told["taskDetails"]["executionMode"] == "sync_in_process"
    assert client.get(f"/daly/tasks/{told['taskId']}").json()["status"] == "completed"


def test_a_run_is_changed_and_run_again_when_it_has_ended(api: Callable[..., Any]) -> None:
    client = api("duration=150ms")
    told = client.post("/daly/energymodels?async=true", json=energy_model()).json()
    path = f"/daly/energymodels/{told['energyModelId']}"
    assert [client.put(path, json=energy_model()).status_code, client.post(f"{path}/run").status_code] == [
        409,
        409,
    ]
    assert client.get(path).status_code == 409
    while client.get(f"/daly/tasks/{told['taskId']}").json()["status"] != "completed":
        pass
    changed = energy_model(blocks=[block(layout={"arrayType": "fixed", "gcr": 0.8})])
    assert client.put(path, json=changed).status_code == 200
    again = client.post(f"{path}/run?async=true").json()
    assert (again["energyModelId"], again["revision"]) == (told["energyModelId"], "v0002")
    while client.get(path).status_code == 409:
        pass
    assert client.get(path).json()["plantSummary"]["gcr"] == 0.8
    assert client.get(path, params={"include": "inputs"}).json()["inputs"] == changed


def test_the_list_is_filtered_and_paged(api: Callable[..., Any]) -> None:
    client = api()
    for name in ("a", "never", "never"):
        client.post("/daly/energymodels?async=true", json=energy_model(name=name))
    client.post("/daly/tasks/3/cancel")
    page = client.get("/daly/tasks", params={"page": 2, "page_size": 2}).json()
    assert (page["total"], page["pageSize"], [task["id"] for task in page["tasks"]]) == (3, 2, [1])
    cancelled = client.get("/daly/tasks", params={"status": "cancelled"}).json()["tasks"]
    assert [task["id"] for task in cancelled] == [3]
    assert client.get("/daly/tasks", params={"created_after": "2999-01-01"}).json()["tasks"] == []
    assert client.get("/daly/tasks", params={"page_size": 1001}).status_code == 422
    assert client.post("/daly/tasks/3/cancel").status_code == 409
    assert client.post("/daly/tasks/9/cancel").status_code == 404


def test_nothing_is_told_without_a_token(demo: Callable[..., Any]) -> None:
    client = demo()
    assert client.get("/daly/tasks").status_code == 401
    refused = client.post("/daly/auth/token", json={"workspace_id": "wk", "user_id": "wrong"})
    assert refused.status_code == 401


def test_a_bad_input_is_refused_field_by_field(api: Callable[..., Any]) -> None:
    reply = api().post("/daly/energymodels?async=true", json={"blocks": [{}], "colour": "red"})
    assert reply.status_code == 422
    places = [".".join(map(str, fault["loc"])) for fault in reply.json()["detail"]]
    assert {"body", "body.colour", "body.blocks.0.albedo", "body.blocks.0"} <= set(places)
