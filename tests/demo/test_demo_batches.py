"""Files and Batches over a socket: bytes, pages, states, both result files, cancel and expiry."""

from __future__ import annotations

import json
import os

import pytest

CHAT = "/v1/chat/completions"


def test_a_file_comes_back_byte_for_byte(demo) -> None:
    client, content = demo(), os.urandom(3_000_000) + b"\r\n--x\r\n\x00"
    stored = client.upload(content, "näme.bin", "user_data").json()
    assert (stored["object"], stored["bytes"], stored["filename"]) == ("file", len(content), "näme.bin")
    assert client.get(f"/v1/files/{stored['id']}/content").content == content
    assert client.get(f"/v1/files/{stored['id']}").json() == stored
    assert client.delete(f"/v1/files/{stored['id']}").json() == {
        "id": stored["id"],
        "object": "file",
        "deleted": True,
    }
    assert client.get(f"/v1/files/{stored['id']}/content").status_code == 404


def test_uploads_are_checked(demo) -> None:
    client = demo()
    assert client.upload(b"x", purpose="nonsense").json()["error"]["param"] == "purpose"
    assert client.upload(b"x", name="rows.txt").json()["error"]["param"] == "file"
    assert client.post("/v1/files", data={"purpose": "batch"}).status_code == 400
    assert client.post("/v1/files", files={"file": ("a.jsonl", b"")}).status_code == 400
    assert client.post("/v1/files", content=b"no form").status_code == 400
    assert (
        client.post("/v1/files", content=b"x", headers={"content-type": "multipart/form-data"}).status_code
        == 400
    )


def test_lists_are_paged(demo) -> None:
    client = demo()
    made = [client.upload(b"x", f"{n}.jsonl").json()["id"] for n in range(5)]
    first = client.get("/v1/files?limit=2&order=asc").json()
    assert [file["id"] for file in first["data"]] == made[:2]
    assert (first["first_id"], first["last_id"], first["has_more"]) == (made[0], made[1], True)
    rest = client.get(f"/v1/files?limit=3&order=asc&after={made[1]}&purpose=batch").json()
    assert [file["id"] for file in rest["data"]] == made[2:]
    assert rest["has_more"] is False
    assert [file["id"] for file in client.get("/v1/files").json()["data"]] == made[::-1]
    assert client.get("/v1/files?purpose=vision").json()["data"] == []
    for query in ("limit=0", "limit=x", "after=file-none", "order=up"):
        assert client.get(f"/v1/files?{query}").status_code == 400


def test_batches_are_listed_newest_first_in_pages(demo, rows) -> None:
    client = demo()
    made = [client.batch(rows(1), token=str(n))["id"] for n in range(5)]
    first = client.get("/v1/batches?limit=3").json()
    assert [batch["id"] for batch in first["data"]] == made[:1:-1]
    second = client.get(f"/v1/batches?limit=3&after={first['last_id']}").json()
    assert [batch["id"] for batch in second["data"]] == made[1::-1]
    assert (first["has_more"], second["has_more"]) == (True, False)
    assert client.get("/v1/batches?limit=101").status_code == 400


def test_a_batch_goes_through_its_states(demo, rows) -> None:
    client = demo(duration="1s")
    content = rows(40, prompt="row {}") + rows(1, prompt="[[fail]] {}").replace(b'"r0"', b'"bad"')
    batch = client.batch(content, token="mine", metadata={"batchtui_token": "mine", "other": "kept"})
    assert batch["status"] == "validating"
    assert batch["metadata"] == {"batchtui_token": "mine", "other": "kept"}
    assert batch["output_file_id"] is None
    counts = set()
    assert client.until(batch["id"], "in_progress")["request_counts"]["total"] == 41
    while (now := client.get(f"/v1/batches/{batch['id']}").json())["status"] == "in_progress":
        counts.add(now["request_counts"]["completed"])
    assert len(counts) > 5
    assert now["status"] == "finalizing"
    done = client.until(batch["id"])
    assert done["request_counts"] == {"total": 41, "completed": 40, "failed": 1}
    assert done["created_at"] <= done["in_progress_at"] <= done["finalizing_at"] <= done["completed_at"]
    answers = client.lines(done["output_file_id"])
    ids = [line["custom_id"] for line in answers]
    assert sorted(ids) == sorted(f"r{n}" for n in range(40))
    assert ids != sorted(ids, key=lambda name: int(name[1:]))
    assert all(line["error"] is None and line["response"]["status_code"] == 200 for line in answers)
    used = sum(line["response"]["body"]["usage"]["completion_tokens"] for line in answers)
    assert done["usage"]["output_tokens"] == used
    [failed] = client.lines(done["error_file_id"])
    assert (failed["custom_id"], failed["error"], failed["response"]["status_code"]) == ("bad", None, 400)
    assert failed["response"]["body"]["error"].keys() == {"message", "type", "param", "code"}


def test_a_file_that_would_be_empty_is_not_made(demo, rows) -> None:
    client = demo(duration="0s")
    good = client.until(client.batch(rows(2))["id"])
    assert good["error_file_id"] is None
    bad = client.until(client.batch(rows(2, model="broke-model"))["id"])
    assert bad["output_file_id"] is None
    assert bad["status"] == "completed"
    assert {line["response"]["status_code"] for line in client.lines(bad["error_file_id"])} == {429}


@pytest.mark.parametrize(
    ("spoil", "code", "line"),
    [
        (lambda content: content + b"{not json}\n", "invalid_json_line", 4),
        (lambda content: content + content.splitlines(keepends=True)[1], "duplicate_custom_id", 4),
        (lambda content: content.replace(b"demo-small", b"demo-large", 1), "mismatched_model", 2),
        (lambda content: content.replace(CHAT.encode(), b"/v1/embeddings", 1), "mismatched_url", 1),
        (lambda content: b"\xef\xbb\xbf" + content, "invalid_json_line", 1),
        (lambda content: b"", "empty_file", None),
    ],
)
def test_a_bad_input_file_fails_the_batch_and_names_the_line(
    demo, rows, spoil, code: str, line: int | None
) -> None:
    client = demo(duration="200ms")
    batch = client.until(client.batch(spoil(rows(3)))["id"])
    assert batch["status"] == "failed"
    assert batch["failed_at"]
    first = batch["errors"]["data"][0]
    assert (first["code"], first["line"]) == (code, line)
    assert (batch["output_file_id"], batch["error_file_id"]) == (None, None)


def test_a_create_is_checked(demo, rows) -> None:
    client = demo()
    file_id = client.upload(rows(1)).json()["id"]
    other = client.upload(b"x", "a.pdf", "user_data").json()["id"]
    for change, param in (
        ({"endpoint": "/v1/nope"}, "endpoint"),
        ({"completion_window": "7d"}, "completion_window"),
        ({"input_file_id": "file-none"}, "input_file_id"),
        ({"input_file_id": other}, "input_file_id"),
        ({"metadata": {"k": 1}}, "metadata"),
        ({"metadata": {str(n): "v" for n in range(17)}}, "metadata"),
    ):
        reply = client.create(file_id, **change)
        assert (reply.status_code, reply.json()["error"]["param"]) == (400, param)
    assert client.post("/v1/batches", json={}).json()["error"]["code"] == "missing_required_parameter"
    assert client.get("/v1/batches").json()["data"] == []


def test_a_cancelled_batch_keeps_what_was_done(demo, rows) -> None:
    client = demo(duration="1s")
    batch = client.batch(rows(50))
    while client.get(f"/v1/batches/{batch['id']}").json()["request_counts"]["completed"] < 5:
        pass
    asked = client.post(f"/v1/batches/{batch['id']}/cancel")
    assert (asked.status_code, asked.json()["status"]) == (200, "cancelling")
    done = client.until(batch["id"])
    assert done["status"] == "cancelled"
    kept, rest = client.lines(done["output_file_id"]), client.lines(done["error_file_id"])
    assert 5 <= len(kept) < 50
    assert {line["custom_id"] for line in kept + rest} == {f"r{n}" for n in range(50)}
    assert {(line["response"], line["error"]["code"]) for line in rest} == {(None, "batch_cancelled")}
    assert client.post(f"/v1/batches/{batch['id']}/cancel").status_code == 409
    assert client.post("/v1/batches/batch_none/cancel").status_code == 404
    assert [(e["op"], e["status"], e["remote_id"]) for e in client.ledger()[2:]] == [
        ("cancel", 200, batch["id"]),
        ("cancel", 409, batch["id"]),
        ("cancel", 404, "batch_none"),
    ]


def test_an_expired_batch_keeps_what_was_done(demo, rows) -> None:
    client = demo("expire=0.4,duration=300ms")
    done = client.until(client.batch(rows(10))["id"])
    assert (done["status"], done["request_counts"]["completed"]) == ("expired", 4)
    assert len(client.lines(done["output_file_id"])) == 4
    rest = client.lines(done["error_file_id"])
    assert [line["error"]["code"] for line in rest] == ["batch_expired"] * 6


def test_a_share_of_rows_fails_and_fails_anew_in_the_next_batch(demo, rows) -> None:
    client = demo("partial=0.5,duration=0s,seed=1")
    failed = []
    for _ in range(2):
        done = client.until(client.batch(rows(60))["id"])
        lines = client.lines(done["error_file_id"])
        assert done["request_counts"]["failed"] == len(lines)
        assert all(400 <= line["response"]["status_code"] < 500 and line["error"] is None for line in lines)
        failed.append({line["custom_id"] for line in lines})
    assert 15 < len(failed[0]) < 45
    assert failed[0] != failed[1]


def test_the_ledger_names_what_was_made_and_for_whom(demo, rows) -> None:
    client = demo()
    batch = client.batch(rows(3), token="tok")
    upload, create = client.ledger()
    assert (upload["kind"], upload["op"], upload["remote_id"]) == ("openai", "upload", batch["input_file_id"])
    assert create == {
        "seq": 2,
        "kind": "openai",
        "op": "create",
        "status": 200,
        "token": "tok",
        "remote_id": batch["id"],
        "job_ids": ["r0", "r1", "r2"],
        "answered": True,
    }


def test_a_batch_outlives_the_deletion_of_its_input(demo, rows) -> None:
    client = demo(duration="200ms")
    batch = client.batch(rows(2))
    client.delete(f"/v1/files/{batch['input_file_id']}")
    assert len(client.lines(client.until(batch["id"])["output_file_id"])) == 2


def test_other_endpoints_run_in_batches(demo) -> None:
    client = demo(duration="0s")
    for endpoint, asked in (("/v1/responses", {"input": "hi"}), ("/v1/embeddings", {"input": "hi"})):
        line = {"custom_id": "a", "method": "POST", "url": endpoint, "body": {"model": "m", **asked}}
        batch = client.batch(json.dumps(line).encode(), endpoint=endpoint)
        [answer] = client.lines(client.until(batch["id"])["output_file_id"])
        assert answer["response"]["body"]["model"] == "m"
