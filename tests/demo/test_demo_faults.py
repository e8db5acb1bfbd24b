"""The fault spec, and what each fault does to calls."""

from __future__ import annotations

import threading
import time

import httpx
import pytest

from batchtui.demo.faults import parse_faults
from batchtui.errors import BadInput


def test_a_spec_is_read_with_its_units() -> None:
    faults = parse_faults("429=0.2, drop.create=1,latency=50ms,late=2s,duration=1m,seed=7", retry_after=1)
    assert faults.shares == {"429": 0.2, "drop.create": 1.0}
    assert (faults.latency, faults.late, faults.duration, faults.retry_after) == (0.05, 2.0, 60.0, 1.0)
    assert faults.fate("create").drop
    assert not faults.fate("poll").drop


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("latancy=50ms", 'did you mean "latency"'),
        ("drop.creat=1", 'did you mean "create"'),
        ("429", "expected NAME=VALUE"),
        ("drop=2", "share from 0 to 1"),
        ("drop=nan", "share from 0 to 1"),
        ("late=soon", "a duration such as 50ms"),
        ("seed=1.5", "a whole number"),
        ("late.create=1", "unknown name"),
    ],
)
def test_a_bad_spec_is_refused_and_says_why(spec: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        parse_faults(spec)


def test_the_same_seed_draws_the_same() -> None:
    one, other = (parse_faults("drop=0.5,seed=3") for _ in range(2))
    drawn = [one.fate("chat").drop for _ in range(50)]
    assert drawn == [other.fate("chat").drop for _ in range(50)]
    assert 10 < sum(drawn) < 40


def test_a_refusal_says_how_long_to_wait_and_stands_in_the_ledger(demo) -> None:
    client = demo("429=1", retry_after=1)
    reply = client.post(
        "/v1/chat/completions", content=b"{}", headers={"X-Client-Request-Id": "tok/a%2Fb%20%C3%A9"}
    )
    assert reply.status_code == 429
    assert (reply.headers["retry-after"], reply.headers["retry-after-ms"]) == ("1", "1000")
    assert reply.headers["x-ratelimit-remaining-requests"] == "0"
    assert reply.json()["error"].keys() == {"message", "type", "param", "code"}
    assert reply.json()["error"]["code"] == "rate_limit_exceeded"
    [entry] = client.ledger()
    assert entry == {
        "seq": 1,
        "kind": "chat",
        "op": "chat",
        "status": 429,
        "token": "tok",
        "remote_id": None,
        "job_ids": ["a/b é"],
        "answered": True,
    }


def test_a_short_wait_is_asked_for_in_milliseconds_first(demo) -> None:
    reply = demo("429=1").chat()
    assert 100 <= int(reply.headers["retry-after-ms"]) <= 300
    assert reply.headers["retry-after"] == "1"


def test_a_failure_comes_before_the_work(demo, rows) -> None:
    client = demo("500.create=1")
    file_id = client.upload(rows(2)).json()["id"]
    reply = client.create(file_id, token="mine")
    assert reply.status_code == 500
    assert reply.json()["error"]["type"] == "server_error"
    assert client.get("/v1/batches").json()["data"] == []
    assert [(e["op"], e["status"], e["token"]) for e in client.ledger()] == [
        ("upload", 200, None),
        ("create", 500, "mine"),
    ]


def test_a_dropped_reply_comes_after_the_work(demo, rows) -> None:
    client = demo("drop.create=1,drop.chat=1")
    file_id = client.upload(rows(2)).json()["id"]
    with pytest.raises(httpx.RemoteProtocolError):
        client.create(file_id)
    with pytest.raises(httpx.RemoteProtocolError):
        client.chat()
    [batch] = client.get("/v1/batches").json()["data"]
    created, asked = client.ledger()[1:]
    assert created["remote_id"] == batch["id"]
    assert created["job_ids"] == ["r0", "r1"]
    assert (created["status"], created["answered"]) == (200, False)
    assert (asked["status"], asked["answered"]) == (200, False)


def test_faults_reach_polls_and_lists_but_never_the_ledger(demo) -> None:
    client = demo("drop=1")
    for path in ("/v1/batches", "/v1/batches/x", "/v1/files/x/content", "/v1/models"):
        with pytest.raises(httpx.TransportError):
            client.get(path)
    assert client.ledger() == []


def test_a_late_create_turns_up_although_its_reply_was_dropped_at_once(demo, rows) -> None:
    client = demo("late=3s,drop.create=1,seed=5")
    file_id = client.upload(rows(3)).json()["id"]
    with pytest.raises(httpx.TransportError):
        client.create(file_id, token="late")
    assert client.get("/v1/batches").json()["data"] == []
    [batch] = _until(lambda: client.get("/v1/batches").json()["data"])
    assert batch["metadata"] == {"batchtui_token": "late"}
    assert client.ledger()[-1]["answered"] is False
    assert client.until(batch["id"])["request_counts"] == {"total": 3, "completed": 3, "failed": 0}


def test_a_late_create_turns_up_although_its_client_died(demo, rows) -> None:
    client = demo("late=1s,seed=5")
    file_id = client.upload(rows(1)).json()["id"]
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            client.base_url.join("/v1/batches"),
            json={
                "input_file_id": file_id,
                "endpoint": "/v1/chat/completions",
                "completion_window": "24h",
                "metadata": {"batchtui_token": "gone"},
            },
            timeout=httpx.Timeout(5, read=0.1),
        )
    assert client.get("/v1/batches").json()["data"] == []
    _until(lambda: client.get("/v1/batches").json()["data"])
    entry = client.ledger()[-1]
    assert (entry["op"], entry["token"], entry["answered"]) == ("create", "gone", False)


def test_a_late_create_that_is_waited_for_is_answered_once_it_is_visible(demo, rows) -> None:
    client = demo("late=300ms")
    batch = client.batch(rows(1))
    assert [found["id"] for found in client.get("/v1/batches").json()["data"]] == [batch["id"]]
    assert client.ledger()[-1]["answered"] is True


def test_a_client_that_dies_while_it_waits_leaves_its_line(demo) -> None:
    client = demo("latency=10s")
    died = threading.Event()

    def ask() -> None:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(
                client.base_url.join("/v1/chat/completions"),
                json={"model": "demo-small", "messages": [{"role": "user", "content": "x"}]},
                headers={"X-Client-Request-Id": "tok/job"},
                timeout=httpx.Timeout(5, read=0.2),
            )
        died.set()

    threading.Thread(target=ask).start()
    assert died.wait(5)
    [entry] = client.ledger()
    assert (entry["status"], entry["job_ids"], entry["answered"]) == (200, ["job"], False)


def test_a_slow_reply_drips_and_is_whole(demo) -> None:
    client = demo("slow=1,drip=500ms")
    began, chunks = time.monotonic(), 0
    body = {"model": "demo-small", "messages": [{"role": "user", "content": "x"}]}
    with client.stream("POST", "/v1/chat/completions", json=body) as reply:
        for _ in reply.iter_raw():
            chunks += 1
    assert chunks >= 5
    assert time.monotonic() - began > 0.4
    assert client.ledger()[0]["answered"] is True


def test_a_bad_gateway_hides_that_the_work_was_done(demo) -> None:
    client = demo("502.chat=1")
    assert client.chat().status_code == 502
    assert [(entry["op"], entry["status"]) for entry in client.ledger()] == [("chat", 200)]
    assert client.get("/v1/models").status_code == 200


def test_broken_json_has_a_good_status(demo) -> None:
    reply = demo("badjson=1").chat()
    assert reply.status_code == 200
    with pytest.raises(ValueError, match=r"."):
        reply.json()


def test_latency_holds_every_call_back(demo) -> None:
    client = demo("latency=100ms")
    began = time.monotonic()
    assert client.get("/v1/models").status_code == 200
    assert time.monotonic() - began >= 0.1


def test_reset_forgets_everything_and_faults_can_be_changed(demo, rows) -> None:
    client = demo()
    batch = client.batch(rows(1), token="x")
    assert client.post("/__faults", content="500=1,seed=2").status_code == 200
    assert client.chat().status_code == 500
    assert client.post("/__faults", content="wrong=1").status_code == 400
    assert client.post("/__faults", content="").status_code == 200
    assert client.post("/__reset").status_code == 200
    assert client.ledger() == []
    assert client.get("/v1/files").json()["data"] == []
    assert client.get(f"/v1/batches/{batch['id']}").status_code == 404


def _until(look):
    """What `look` answers once it is not empty."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError("nothing turned up")
