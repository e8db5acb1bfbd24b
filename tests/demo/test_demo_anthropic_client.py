"""The official `anthropic` client cannot tell the demo server from the real one."""

from __future__ import annotations

import time

import pytest

anthropic = pytest.importorskip("anthropic", reason="needs the extra `conformance`")
pytestmark = pytest.mark.conformance
HELLO = [{"role": "user", "content": "hello there"}]


@pytest.fixture
def sdk(demo_server):
    clients = []

    def make(faults: str = "", *, auth=None, **options: object):
        server = demo_server(faults, **options)
        auth = auth or {"api_key": "any"}
        clients.append(anthropic.Anthropic(base_url=f"{server.url}/anthropic", max_retries=0, **auth))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def submit(client, count: int, prompt: str = "row {}", **more):
    params = {"model": "demo-small", "max_tokens": 50, **more}
    rows = [
        {
            "custom_id": f"r{n}",
            "params": {**params, "messages": [{"role": "user", "content": prompt.format(n)}]},
        }
        for n in range(count)
    ]
    return client.messages.batches.create(requests=rows)


def ended(client, batch):
    deadline = time.monotonic() + 20
    while batch.processing_status != "ended":
        assert time.monotonic() < deadline
        time.sleep(0.02)
        batch = client.messages.batches.retrieve(batch.id)
    return batch


def test_create_poll_results_delete(sdk) -> None:
    client = sdk("partial=0.4,seed=2")
    batch = submit(client, 10)
    assert (batch.processing_status, batch.request_counts.processing) == ("in_progress", 10)
    assert (batch.expires_at - batch.created_at).total_seconds() == 86_400
    batch = ended(client, batch)
    assert batch.ended_at
    assert batch.request_counts.succeeded + batch.request_counts.errored == 10
    rows = {row.custom_id: row.result for row in client.messages.batches.results(batch.id)}
    assert set(rows) == {f"r{n}" for n in range(10)}
    good = next(result for result in rows.values() if result.type == "succeeded")
    assert good.message.content[0].text
    assert good.message.usage.service_tier == "batch"
    bad = next(result for result in rows.values() if result.type == "errored")
    assert bad.error.error.message
    assert bad.error.request_id
    assert client.messages.batches.delete(batch.id).type == "message_batch_deleted"
    with pytest.raises(anthropic.NotFoundError):
        client.messages.batches.retrieve(batch.id)


def test_lists_page_by_themselves(sdk) -> None:
    client = sdk()
    made = [submit(client, 1).id for _ in range(5)]
    assert [batch.id for batch in client.messages.batches.list(limit=2)] == made[::-1]
    middle = client.messages.batches.list(limit=2, before_id=made[0])
    assert [batch.id for batch in middle] == [made[2], made[1], made[4], made[3]]
    assert [model.id for model in client.models.list(limit=1)] == ["demo-small", "demo-large", "demo-embed"]
    assert client.models.retrieve("demo-small").display_name == "Demo Small"


def test_cancel_and_expiry(sdk) -> None:
    client = sdk(duration="5s")
    batch = submit(client, 20)
    assert client.messages.batches.cancel(batch.id).processing_status == "canceling"
    batch = ended(client, batch)
    assert batch.cancel_initiated_at
    assert {row.result.type for row in client.messages.batches.results(batch.id)} <= {"canceled", "succeeded"}
    with pytest.raises(anthropic.BadRequestError):
        client.messages.batches.cancel(batch.id)
    client = sdk("expire=0.5")
    batch = ended(client, submit(client, 4))
    assert (batch.request_counts.succeeded, batch.request_counts.expired) == (2, 2)


def test_both_forms_of_the_key(sdk) -> None:
    ask = {"model": "demo-small", "max_tokens": 20, "messages": HELLO}
    assert sdk(auth={"api_key": None, "auth_token": "token"}).messages.create(**ask).content
    headers = {"api_key": None, "default_headers": {"X-Api-Key": "wrong", "Authorization": anthropic.Omit()}}
    for wrong in ({"api_key": "wrong"}, {"api_key": None, "auth_token": "wrong"}, headers):
        with pytest.raises(anthropic.AuthenticationError):
            sdk(auth=wrong).messages.create(**ask)


def test_errors_arrive_as_their_own_classes(sdk) -> None:
    client, ask = sdk(), {"max_tokens": 20, "messages": HELLO}
    with pytest.raises(anthropic.NotFoundError) as missing:
        client.messages.create(model="unknown-model", **ask)
    assert missing.value.request_id
    assert missing.value.body["error"]["type"] == "not_found_error"
    with pytest.raises(anthropic.APIStatusError) as broke:
        client.messages.create(model="broke-model", **ask)
    assert (broke.value.status_code, type(broke.value).__name__) == (402, "PaymentRequiredError")
    with pytest.raises(anthropic.BadRequestError):
        client.messages.create(model="demo-small", extra_body={"temperature": 1}, **ask)
    with pytest.raises(anthropic.BadRequestError):
        client.messages.batches.create(requests=[])
    with pytest.raises(anthropic.AnthropicError, match="results_url"):
        client.messages.batches.results(submit(client, 1).id)
    with pytest.raises(anthropic.RateLimitError):
        sdk("429=1").models.list()
    with pytest.raises(anthropic.InternalServerError):
        sdk("500=1").models.list()
    with pytest.raises(anthropic.APIConnectionError):
        sdk("drop=1").models.list()


def test_its_own_retries_get_through(sdk) -> None:
    client = sdk("429=0.4,seed=4").with_options(max_retries=8)
    for _ in range(5):
        assert next(iter(client.models.list())).id == "demo-small"


def test_messages_in_every_form(sdk) -> None:
    client = sdk()
    ask = {"model": "demo-small", "max_tokens": 500, "messages": HELLO}
    whole = client.messages.create(thinking={"type": "adaptive"}, **ask)
    assert [block.type for block in whole.content] == ["thinking", "text"]
    assert whole.usage.output_tokens_details.thinking_tokens
    with client.messages.stream(thinking={"type": "adaptive"}, **ask) as stream:
        pieces = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert pieces == whole.content[1].text
    assert (final.stop_reason, final.content[1].text) == ("end_turn", pieces)
    assert final.usage.output_tokens == whole.usage.output_tokens
    assert client.messages.count_tokens(model="demo-small", messages=HELLO).input_tokens > 0
