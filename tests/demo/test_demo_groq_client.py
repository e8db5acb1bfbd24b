"""The official `groq` client against the demo server: OpenAI's protocol under another root, with other names of methods."""

from __future__ import annotations

import json

import pytest

from tests.demo.official_clients import ended, submit

groq = pytest.importorskip("groq", reason="needs the extra `conformance`")
pytestmark = pytest.mark.conformance


@pytest.fixture
def sdk(demo_server):
    clients = []

    def make(faults: str = "", *, key: str = "any", **options: object):
        server = demo_server(faults, **options)
        clients.append(groq.Groq(base_url=server.url, api_key=key, max_retries=0))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def test_create_poll_results(sdk, rows) -> None:
    client = sdk()
    batch = submit(client, rows(4) + rows(1, prompt="[[fail]]").replace(b'"r0"', b'"bad"'), "7d")
    assert (batch.status, batch.completion_window) == ("validating", "7d")
    batch = ended(client, batch)
    assert (batch.status, batch.metadata) == ("completed", {"batchtui_token": "tok"})
    assert (batch.request_counts.total, batch.request_counts.completed, batch.request_counts.failed) == (
        5,
        4,
        1,
    )
    lines = [json.loads(line) for line in client.files.content(batch.output_file_id).text().splitlines()]
    assert sorted(line["custom_id"] for line in lines) == ["r0", "r1", "r2", "r3"]
    [error] = client.files.content(batch.error_file_id).text().splitlines()
    assert json.loads(error)["response"]["body"]["error"]["code"] == "invalid_prompt"
    assert client.files.info(batch.output_file_id).purpose == "batch_output"
    assert [one.id for one in client.batches.list().data] == [batch.id]
    assert client.files.delete(batch.output_file_id).deleted


def test_cancel_and_expiry(sdk, rows) -> None:
    client = sdk(duration="5s")
    batch = submit(client, rows(20))
    assert client.batches.cancel(batch.id).status == "cancelling"
    assert ended(client, batch).status == "cancelled"
    client = sdk("expire=0.5")
    assert ended(client, submit(client, rows(4))).expired_at


def test_chat_models_and_errors(sdk) -> None:
    client, messages = sdk(), [{"role": "user", "content": "hello there"}]
    answer = client.chat.completions.create(model="demo-small", messages=messages)
    assert answer.choices[0].message.content
    assert client.models.list().data
    with pytest.raises(groq.NotFoundError):
        client.chat.completions.create(model="unknown-model", messages=messages)
    with pytest.raises(groq.BadRequestError):
        client.batches.create(input_file_id="none", endpoint="/v1/chat/completions", completion_window="24h")
    with pytest.raises(groq.NotFoundError):
        client.batches.retrieve("batch_none")
    with pytest.raises(groq.AuthenticationError):
        sdk(key="wrong").models.list()
    with pytest.raises(groq.RateLimitError):
        sdk("429=1").models.list()
    with pytest.raises(groq.InternalServerError):
        sdk("500=1").models.list()
    with pytest.raises(groq.APIConnectionError):
        sdk("drop=1").models.list()
