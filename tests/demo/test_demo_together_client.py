"""The official `together` client cannot tell the demo server from the real one."""

from __future__ import annotations

import json
import time

import pytest

together = pytest.importorskip("together", reason="needs the extra `conformance`")
pytestmark = pytest.mark.conformance

CHAT = "/v1/chat/completions"
DONE = ("COMPLETED", "FAILED", "EXPIRED", "CANCELLED")


@pytest.fixture
def sdk(demo_server):
    clients = []

    def make(faults: str = "", *, key: str = "any", **options: object):
        server = demo_server(faults, **options)
        clients.append(together.Together(base_url=f"{server.url}/together", api_key=key, max_retries=0))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def rows(count: int, prompt: str = "question {}", name: str = "r{}") -> bytes:
    return b"".join(
        json.dumps(
            {
                "custom_id": name.format(n),
                "body": {"model": "demo-small", "messages": [{"role": "user", "content": prompt.format(n)}]},
            }
        ).encode()
        + b"\n"
        for n in range(count)
    )


def upload(client, tmp_path, content: bytes):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    return client.files.upload(file=path, purpose="batch-api", check=False)


def submit(client, tmp_path, content: bytes):
    stored = upload(client, tmp_path, content)
    assert (stored.filename, stored.bytes) == ("rows.jsonl", len(content))
    return client.batches.create(input_file_id=stored.id, endpoint=CHAT).job


def ended(client, job):
    deadline = time.monotonic() + 20
    while job.status not in DONE:
        assert time.monotonic() < deadline
        time.sleep(0.02)
        job = client.batches.retrieve(job.id)
    return job


def lines(client, file_id) -> list:
    return [json.loads(line) for line in client.files.content(id=file_id).read().splitlines()]


def test_create_poll_results(sdk, tmp_path) -> None:
    client = sdk()
    job = submit(client, tmp_path, rows(4) + rows(1, "[[fail]]", "bad"))
    assert (job.status, job.progress, job.output_file_id) == ("VALIDATING", 0.0, None)
    job = ended(client, job)
    assert (job.status, job.progress, job.error, job.x_model_id) == ("COMPLETED", 100.0, None, "demo-small")
    assert job.created_at <= job.completed_at <= job.job_deadline
    answers = lines(client, job.output_file_id)
    assert sorted(line["custom_id"] for line in answers) == ["r0", "r1", "r2", "r3"]
    [error] = lines(client, job.error_file_id)
    assert error["response"]["body"]["error"]["code"] == "invalid_prompt"
    assert client.files.delete(id=job.output_file_id).deleted


def test_the_same_bytes_are_one_file(sdk, tmp_path) -> None:
    client = sdk()
    first = upload(client, tmp_path, rows(2))
    assert upload(client, tmp_path, rows(2)).id == first.id
    assert client.files.retrieve(first.id).processing_status == "COMPLETED"
    assert [file.id for file in client.files.list().data] == [first.id]


def test_the_list_is_bare(sdk, tmp_path) -> None:
    client = sdk()
    made = [submit(client, tmp_path, rows(n + 1)).id for n in range(3)]
    assert [job.id for job in client.batches.list()] == made[::-1]


def test_cancel(sdk, tmp_path) -> None:
    client = sdk(duration="5s")
    job = submit(client, tmp_path, rows(20))
    client.batches.cancel(job.id)
    assert ended(client, job).status == "CANCELLED"
    with pytest.raises(together.BadRequestError):
        client.batches.cancel(job.id)


def test_a_failed_input_and_an_expired_job(sdk, tmp_path) -> None:
    client = sdk()
    failed = ended(client, submit(client, tmp_path, rows(1) + b"oops\n"))
    assert failed.status == "FAILED"
    assert failed.error.startswith("line 2: ")
    client = sdk("expire=0.5")
    job = ended(client, submit(client, tmp_path, rows(4)))
    assert (job.status, job.progress) == ("EXPIRED", 50.0)
    assert len(lines(client, job.output_file_id)) == 2


def test_errors_arrive_as_their_own_classes(sdk, tmp_path) -> None:
    client = sdk()
    with pytest.raises(together.NotFoundError):
        client.batches.create(input_file_id="file-none", endpoint=CHAT)
    with pytest.raises(together.NotFoundError):
        client.batches.retrieve("none")
    with pytest.raises(together.AuthenticationError):
        sdk(key="wrong").batches.list()
    with pytest.raises(together.RateLimitError):
        sdk("429=1").batches.list()
    with pytest.raises(together.InternalServerError):
        sdk("500=1").batches.list()
    with pytest.raises(together.APIConnectionError):
        sdk("drop=1").batches.list()
