"""The official `openai` client cannot tell the demo server from the real one."""

from __future__ import annotations

import json

import pytest

from tests.demo.official_clients import ended, submit

openai = pytest.importorskip("openai", reason="needs the extra `conformance`")
pytestmark = pytest.mark.conformance


@pytest.fixture
def sdk(demo_server):
    clients = []

    def make(faults: str = "", *, key: str = "any", **options: object):
        server = demo_server(faults, **options)
        clients.append(openai.OpenAI(base_url=f"{server.url}/v1", api_key=key, max_retries=0))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def test_create_poll_results(sdk, rows) -> None:
    client = sdk()
    batch = submit(client, rows(4) + rows(1, prompt="[[fail]]").replace(b'"r0"', b'"bad"'))
    assert batch.status == "validating"
    batch = ended(client, batch)
    assert (batch.status, batch.metadata) == ("completed", {"batchtui_token": "tok"})
    assert (batch.request_counts.total, batch.request_counts.completed, batch.request_counts.failed) == (
        5,
        4,
        1,
    )
    lines = [json.loads(line) for line in client.files.content(batch.output_file_id).text.splitlines()]
    assert sorted(line["custom_id"] for line in lines) == ["r0", "r1", "r2", "r3"]
    [error] = client.files.content(batch.error_file_id).text.splitlines()
    assert json.loads(error)["response"]["body"]["error"]["code"] == "invalid_prompt"
    assert client.files.delete(batch.output_file_id).deleted


def test_lists_page_by_themselves(sdk, rows) -> None:
    client = sdk()
    made = [submit(client, rows(1)).id for _ in range(5)]
    assert [batch.id for batch in client.batches.list(limit=2)] == made[::-1]
    assert len(list(client.files.list(limit=2, purpose="batch", order="asc"))) == 5


def test_cancel(sdk, rows) -> None:
    client = sdk(duration="5s")
    batch = submit(client, rows(20))
    assert client.batches.cancel(batch.id).status == "cancelling"
    assert ended(client, batch).status == "cancelled"
    with pytest.raises(openai.ConflictError):
        client.batches.cancel(batch.id)


def test_a_failed_input_and_an_expired_batch(sdk, rows) -> None:
    client = sdk()
    failed = ended(client, submit(client, rows(1) + b"oops\n"))
    assert (failed.status, failed.errors.data[0].line) == ("failed", 2)
    client = sdk("expire=0.5")
    assert ended(client, submit(client, rows(4))).expired_at


def test_errors_arrive_as_their_own_classes(sdk) -> None:
    client, messages = sdk(), [{"role": "user", "content": "hi"}]
    with pytest.raises(openai.NotFoundError) as missing:
        client.chat.completions.create(model="unknown-model", messages=messages)
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.RateLimitError) as broke:
        client.chat.completions.create(model="broke-model", messages=messages)
    assert (broke.value.code, broke.value.type) == ("insufficient_quota", "insufficient_quota")
    with pytest.raises(openai.BadRequestError) as bad:
        client.batches.create(
            input_file_id="file-none", endpoint="/v1/chat/completions", completion_window="24h"
        )
    assert bad.value.param == "input_file_id"
    assert bad.value.request_id
    with pytest.raises(openai.NotFoundError):
        client.batches.retrieve("batch_none")
    with pytest.raises(openai.AuthenticationError):
        sdk(key="wrong").models.list()
    with pytest.raises(openai.RateLimitError) as limited:
        sdk("429=1").models.list()
    assert limited.value.code == "rate_limit_exceeded"
    with pytest.raises(openai.InternalServerError):
        sdk("500=1").models.list()
    with pytest.raises(openai.APIConnectionError):
        sdk("drop=1").models.list()


def test_its_own_retries_get_through(sdk) -> None:
    client = sdk("429=0.4,seed=4").with_options(max_retries=8)
    for _ in range(5):
        assert next(iter(client.models.list())).id == "demo-small"


def test_chat_in_every_form(sdk) -> None:
    client, messages = sdk(), [{"role": "user", "content": "hello there"}]
    whole = client.chat.completions.create(model="demo-small", messages=messages)
    chunks = list(
        client.chat.completions.create(
            model="demo-small", messages=messages, stream=True, stream_options={"include_usage": True}
        )
    )
    assert (
        "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        == whole.choices[0].message.content
    )
    assert chunks[-1].usage == whole.usage
    assert client.responses.create(model="demo-small", input="hello there").output_text.startswith(
        "On “hello there”"
    )
    assert (
        len(
            client.embeddings.create(model="demo-embed", input="x", encoding_format="float").data[0].embedding
        )
        == 16
    )
