"""Anthropic's messages and message batches over plain HTTP: what no client of its own would ask, and faults."""

from __future__ import annotations

import json
import time

import pytest

BATCHES = "/anthropic/v1/messages/batches"
HEADERS = {"anthropic-version": "2026-10-21", "x-api-key": "any"}


def params(prompt="hello", **more):
    return {
        "model": "demo-small",
        "max_tokens": 50,
        "messages": [{"role": "user", "content": prompt}],
        **more,
    }


def requests(count, **more):
    return [{"custom_id": f"0123abcd-r{n}", "params": params(f"row {n}", **more)} for n in range(count)]


@pytest.fixture
def claude(demo):
    """`claude(faults)`: a client that sends Anthropic's headers."""

    def make(faults="", **options):
        client = demo(faults, **options)
        client.headers.update(HEADERS)
        return client

    return make


def create(client, count=3, **more):
    return client.post(BATCHES, json={"requests": requests(count, **more)}).raise_for_status().json()


def ended(client, batch):
    end = time.monotonic() + 20
    while batch["processing_status"] != "ended":
        assert time.monotonic() < end
        time.sleep(0.01)
        batch = client.get(f"{BATCHES}/{batch['id']}").raise_for_status().json()
    return batch


def results(client, batch):
    return [
        json.loads(line) for line in client.get(batch["results_url"]).raise_for_status().text.splitlines()
    ]


def test_counts_stand_still_until_the_end_and_results_come_mixed(claude) -> None:
    client = claude(duration="300ms")
    batch = create(client, 30)
    seen = set()
    assert client.get(f"{BATCHES}/{batch['id']}/results").status_code == 404
    while batch["processing_status"] != "ended":
        seen.add(tuple(batch["request_counts"].values()))
        assert batch["results_url"] is None
        batch = client.get(f"{BATCHES}/{batch['id']}").json()
    assert seen == {(30, 0, 0, 0, 0)}
    assert batch["request_counts"]["succeeded"] == 30
    ids = [row["custom_id"] for row in results(client, batch)]
    assert sorted(ids) == sorted(f"0123abcd-r{n}" for n in range(30))
    assert ids != sorted(ids)


def test_a_key_and_a_version_are_asked_for(claude) -> None:
    client = claude()
    assert client.post("/anthropic/v1/messages", json=params()).status_code == 200
    for headers in ({"x-api-key": "wrong"}, {"x-api-key": "", "authorization": "Bearer wrong"}):
        refused = client.get(BATCHES, headers=headers)
        assert (refused.status_code, refused.json()["error"]["type"]) == (401, "authentication_error")
    del client.headers["anthropic-version"]
    for path in (BATCHES, f"{BATCHES}/b", "/anthropic/v1/models"):
        refused = client.get(path)
        assert refused.status_code == 400
        assert "anthropic-version" in refused.json()["error"]["message"]
        assert refused.json()["request_id"] == refused.headers["request-id"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"requests": []}, "1 to 100000"),
        ({}, "requests"),
        ({"requests": [{"custom_id": "a b", "params": {}}]}, "requests.0.custom_id"),
        ({"requests": [{"custom_id": "a", "params": {}}] * 2}, "unique"),
        ({"requests": [{"custom_id": "a"}]}, "params"),
        ([], "requests"),
    ],
)
def test_a_create_that_is_wrong(claude, body, words) -> None:
    refused = claude().post(BATCHES, json=body)
    assert (refused.status_code, refused.json()["error"]["type"]) == (400, "invalid_request_error")
    assert words in refused.json()["error"]["message"]


@pytest.mark.parametrize(
    ("more", "kind", "words"),
    [
        ({"temperature": 1}, "invalid_request_error", "temperature"),
        ({"stream": True}, "invalid_request_error", "stream"),
        ({"max_tokens": 0}, "invalid_request_error", "max_tokens"),
        ({"model": "unknown-model"}, "not_found_error", "unknown-model"),
        ({"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
         "invalid_request_error", "additionalProperties"),
    ],
)  # fmt: skip
def test_params_are_judged_only_in_the_results(claude, more, kind, words) -> None:
    client = claude(duration="10ms")
    batch = ended(client, create(client, 1, **more))
    assert batch["request_counts"]["errored"] == 1
    [row] = results(client, batch)
    error = row["result"]["error"]
    assert (row["result"]["type"], error["type"], error["error"]["type"]) == ("errored", "error", kind)
    assert words in error["error"]["message"]
    assert error["request_id"].startswith("req_")


def test_the_older_version_takes_sampling_parameters(claude) -> None:
    client = claude()
    body = params(temperature=1)
    assert client.post("/anthropic/v1/messages", json=body).status_code == 400
    older = {"anthropic-version": "2023-06-01"}
    assert client.post("/anthropic/v1/messages", json=body, headers=older).status_code == 200


def test_expiry_partial_failure_and_cancel(claude) -> None:
    client = claude("expire=0.6,partial=0.3,seed=4,duration=100ms")
    counts = ended(client, create(client, 50))["request_counts"]
    assert (counts["expired"], counts["succeeded"] + counts["errored"]) == (20, 30)
    assert counts["errored"] > 2
    client = claude(duration="5s")
    batch = create(client, 10)
    cancelling = client.post(f"{BATCHES}/{batch['id']}/cancel").json()
    assert (cancelling["processing_status"], cancelling["request_counts"]["processing"]) == ("canceling", 10)
    batch = ended(client, batch)
    assert batch["cancel_initiated_at"]
    assert {row["result"]["type"] for row in results(client, batch)} <= {"canceled", "succeeded"}
    assert client.post(f"{BATCHES}/{batch['id']}/cancel").status_code == 400


def test_lists_page_both_ways_newest_first(claude) -> None:
    client = claude(duration="5s")
    made = [create(client, 1)["id"] for _ in range(5)][::-1]

    def listed(**query):
        return client.get(BATCHES, params=query).json()

    first = listed(limit=2)
    assert ([one["id"] for one in first["data"]], first["has_more"]) == (made[:2], True)
    second = listed(limit=2, after_id=first["last_id"])
    assert [one["id"] for one in second["data"]] == made[2:4]
    back = listed(limit=2, before_id=second["first_id"])
    assert ([one["id"] for one in back["data"]], back["has_more"]) == (made[:2], False)
    assert not listed(after_id=made[-1])["data"]
    for query in ({"limit": 0}, {"limit": 1001}, {"after_id": "none"}):
        assert client.get(BATCHES, params=query).status_code == 400


def test_delete_comes_after_the_end(claude) -> None:
    client = claude(duration="300ms")
    batch = create(client, 1)
    path = f"{BATCHES}/{batch['id']}"
    assert client.delete(path).status_code == 400
    ended(client, batch)
    assert client.delete(path).json() == {"id": batch["id"], "type": "message_batch_deleted"}
    assert client.get(path).status_code == 404


def test_the_ledger_knows_batches_by_the_mark_in_their_ids(claude) -> None:
    client = claude("429.create=0.5,seed=1", duration="5s")
    statuses = [client.post(BATCHES, json={"requests": requests(2)}).status_code for _ in range(6)]
    entries = client.ledger()
    assert [entry["status"] for entry in entries] == statuses
    assert {200, 429} == set(statuses)
    assert {(entry["kind"], entry["op"], entry["token"]) for entry in entries} == {
        ("anthropic", "create", "0123abcd")
    }
    assert all(entry["job_ids"] == ["r0", "r1"] for entry in entries)


def test_a_refusal_tells_how_long_to_wait(claude) -> None:
    refused = claude("429=1", retry_after=1).post("/anthropic/v1/messages", json=params())
    assert (refused.status_code, refused.json()["error"]["type"]) == (429, "rate_limit_error")
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["anthropic-ratelimit-requests-remaining"] == "0"


def test_a_late_create_is_made_although_its_reply_was_dropped(claude) -> None:
    client = claude("drop.create=1,late=100ms")
    with pytest.raises(Exception, match=r"disconnected|reset|closed"):
        create(client)
    end = time.monotonic() + 5
    while not client.get(BATCHES).json()["data"]:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_answers_think_cite_nothing_stop_and_refuse_as_asked(claude) -> None:
    client = claude()

    def ask(prompt="hello", **more):
        return client.post("/anthropic/v1/messages", json=params(prompt, **more)).raise_for_status().json()

    assert [block["type"] for block in ask(thinking={"type": "adaptive"})["content"]] == ["thinking", "text"]
    assert ask(max_tokens=2)["stop_reason"] == "max_tokens"
    stopped = ask(stop_sequences=["picture", ":"])
    assert (stopped["stop_reason"], stopped["stop_sequence"]) == ("stop_sequence", ":")
    refused = ask("[[refuse]]")
    assert (refused["stop_reason"], refused["content"]) == ("refusal", [])
    cached = ask(system=[{"type": "text", "text": "long " * 50, "cache_control": {"type": "ephemeral"}}])[
        "usage"
    ]
    assert cached["cache_read_input_tokens"] > 50
    schema = {
        "type": "object",
        "properties": {"a": {"type": "integer"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    made = ask(output_config={"format": {"type": "json_schema", "schema": schema}})
    assert isinstance(json.loads(made["content"][0]["text"])["a"], int)
