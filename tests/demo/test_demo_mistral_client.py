"""The official `mistralai` client cannot tell the demo server from the real one."""

from __future__ import annotations

import json
import time

import pytest

mistralai = pytest.importorskip("mistralai.client", reason="needs the extra `conformance`")
errors = pytest.importorskip("mistralai.client.errors", reason="needs the extra `conformance`")
pytestmark = pytest.mark.conformance

CHAT = "/v1/chat/completions"
DONE = ("SUCCESS", "FAILED", "TIMEOUT_EXCEEDED", "CANCELLED")


@pytest.fixture
def sdk(demo_server):
    def make(faults: str = "", *, key: str = "any", **options: object):
        server = demo_server(faults, **options)
        return mistralai.Mistral(api_key=key, server_url=f"{server.url}/mistral")

    return make


def rows(count: int, prompt: str = "question {}", name: str = "r{}") -> bytes:
    return b"".join(
        json.dumps(
            {
                "custom_id": name.format(n),
                "body": {"messages": [{"role": "user", "content": prompt.format(n)}]},
            }
        ).encode()
        + b"\n"
        for n in range(count)
    )


def submit(client, content: bytes, **asked: object):
    stored = client.files.upload(file={"file_name": "rows.jsonl", "content": content}, purpose="batch")
    told = {"model": "demo-small", "metadata": {"batchtui_token": "tok"}} | asked
    return client.batch.jobs.create(input_files=[stored.id], endpoint=CHAT, **told)


def ended(client, job):
    deadline = time.monotonic() + 20
    while job.status not in DONE:
        assert time.monotonic() < deadline
        time.sleep(0.02)
        job = client.batch.jobs.get(job_id=job.id)
    return job


def lines(client, file_id) -> list:
    return [json.loads(line) for line in client.files.download(file_id=file_id).iter_lines()]


def test_create_poll_results(sdk) -> None:
    client = sdk()
    job = submit(client, rows(4) + rows(1, "[[fail]]", "bad"))
    assert (job.status, job.output_file, job.total_requests) == ("QUEUED", None, 5)
    job = ended(client, job)
    assert (job.status, job.metadata, job.model) == ("SUCCESS", {"batchtui_token": "tok"}, "demo-small")
    assert (job.completed_requests, job.succeeded_requests, job.failed_requests) == (5, 4, 1)
    assert job.created_at <= job.started_at <= job.completed_at
    answers = lines(client, job.output_file)
    assert sorted(line["custom_id"] for line in answers) == ["r0", "r1", "r2", "r3"]
    completion = mistralai.models.ChatCompletionResponse.model_validate(answers[0]["response"]["body"])
    assert completion.choices[0].message.content.startswith("On “question")
    assert completion.usage.completion_tokens
    [error] = lines(client, job.error_file)
    assert error["response"]["body"]["type"] == "invalid_request_error"
    assert client.files.delete(file_id=job.output_file).deleted


def test_rows_and_results_inline(sdk) -> None:
    client = sdk()
    requests = [{"custom_id": "a", "body": {"messages": [{"role": "user", "content": "hello there"}]}}]
    job = ended(client, client.batch.jobs.create(requests=requests, endpoint=CHAT, model="demo-small"))
    assert job.input_files == []
    [answer] = client.batch.jobs.get(job_id=job.id, inline=True).outputs
    assert answer["custom_id"] == "a"


def test_the_list_filters_by_metadata_and_state(sdk) -> None:
    client = sdk()
    made = [submit(client, rows(1), metadata={"batchtui_token": f"t{n}"}).id for n in range(5)]
    assert [job.id for job in client.batch.jobs.list(page_size=3).data] == made[:1:-1]
    assert [job.id for job in client.batch.jobs.list(page=1, page_size=3).data] == made[1::-1]
    found = client.batch.jobs.list(metadata={"batchtui_token": "t2"})
    assert ([job.id for job in found.data], found.total) == ([made[2]], 1)
    for one in made:
        ended(client, client.batch.jobs.get(job_id=one))
    assert client.batch.jobs.list(status=["SUCCESS"]).total == 5
    assert client.files.list().total == 10
    assert "demo-small" in {model.id for model in client.models.list().data}


def test_cancel_and_delete(sdk) -> None:
    client = sdk(duration="5s")
    job = submit(client, rows(20))
    assert client.batch.jobs.cancel(job_id=job.id).status == "CANCELLATION_REQUESTED"
    assert ended(client, job).status == "CANCELLED"
    with pytest.raises(errors.SDKError) as late:
        client.batch.jobs.cancel(job_id=job.id)
    assert late.value.status_code == 400
    assert client.batch.jobs.delete(job_id=job.id).deleted
    with pytest.raises(errors.SDKError) as gone:
        client.batch.jobs.get(job_id=job.id)
    assert gone.value.status_code == 404


def test_a_failed_input_and_an_expired_job(sdk) -> None:
    client = sdk()
    job = ended(client, submit(client, rows(1) + b"oops\n"))
    assert (job.status, bool(job.errors[0].message)) == ("FAILED", True)
    client = sdk("expire=0.5")
    job = ended(client, submit(client, rows(4)))
    assert (job.status, job.succeeded_requests) == ("TIMEOUT_EXCEEDED", 2)
    assert len(lines(client, job.output_file)) == 2


def test_errors_arrive_as_the_clients_own(sdk) -> None:
    client = sdk()
    with pytest.raises(errors.SDKError) as model:
        submit(client, rows(1), model="unknown-model")
    assert model.value.status_code == 400
    with pytest.raises(errors.SDKError) as nothing:
        client.batch.jobs.create(input_files=["none"], endpoint=CHAT, model="demo-small")
    assert (nothing.value.status_code, json.loads(nothing.value.body)["object"]) == (404, "error")
    with pytest.raises(errors.MistralError) as refused:
        sdk(key="wrong").batch.jobs.list()
    assert json.loads(refused.value.body)["type"] == "authentication_error"
    with pytest.raises(errors.SDKError) as limited:
        sdk("429=1").batch.jobs.list()
    assert limited.value.headers["retry-after"]
    with pytest.raises(errors.SDKError) as broken:
        sdk("500=1").batch.jobs.list()
    assert broken.value.status_code == 500
