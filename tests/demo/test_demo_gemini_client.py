"""The official `google-genai` client cannot tell the demo server from the real one."""

from __future__ import annotations

import json
import time

import pytest

genai = pytest.importorskip("google.genai", reason="needs the extra `conformance`")
errors = pytest.importorskip("google.genai.errors", reason="needs the extra `conformance`")
pytestmark = pytest.mark.conformance

DONE = {
    "JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED", "JOB_STATE_EXPIRED",
}  # fmt: skip


@pytest.fixture
def sdk(demo_server):
    clients = []

    def make(faults: str = "", *, key: str = "any", version: str | None = None, **options: object):
        server = demo_server(faults, **options)
        http = {"base_url": f"{server.url}/gemini"} | ({"api_version": version} if version else {})
        clients.append(genai.Client(api_key=key, http_options=http))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def row(key: str, text: str) -> bytes:
    request = {"contents": [{"role": "user", "parts": [{"text": text}]}]}
    return json.dumps({"key": key, "request": request}).encode() + b"\n"


def submit(client, tmp_path, content: bytes, model: str = "demo-small", name: str = "tok"):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    stored = client.files.upload(file=path, config={"mime_type": "application/jsonl", "display_name": name})
    return client.batches.create(model=model, src=stored.name, config={"display_name": name})


def ended(client, batch):
    deadline = time.monotonic() + 20
    while batch.state.name not in DONE:
        assert time.monotonic() < deadline
        time.sleep(0.02)
        batch = client.batches.get(name=batch.name)
    return batch


@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_create_poll_results_by_file(sdk, tmp_path, version: str) -> None:
    client = sdk(version=version)
    rows = b"".join(row(f"r{n}", f"question {n}") for n in range(5))
    batch = submit(client, tmp_path, rows + row("bad", "[[fail]]") + row("shut", "[[blocked]]"))
    assert batch.state.name == "JOB_STATE_PENDING"
    batch = ended(client, batch)
    assert (batch.state.name, batch.display_name, batch.model) == (
        "JOB_STATE_SUCCEEDED",
        "tok",
        "models/demo-small",
    )
    assert batch.create_time <= batch.update_time <= batch.end_time
    lines = [json.loads(line) for line in client.files.download(file=batch.dest.file_name).splitlines()]
    assert [line["key"] for line in lines] != sorted(line["key"] for line in lines)
    by_key = {line["key"]: line for line in lines}
    assert set(by_key) == {"bad", "shut", *(f"r{n}" for n in range(5))}
    answer = genai.types.GenerateContentResponse.model_validate(by_key["r3"]["response"])
    assert answer.text.startswith("On “question 3”")
    assert answer.candidates[0].finish_reason.name == "STOP"
    assert answer.usage_metadata.thoughts_token_count == 16
    assert by_key["bad"]["error"]["code"] == 3
    blocked = genai.types.GenerateContentResponse.model_validate(by_key["shut"]["response"])
    assert blocked.prompt_feedback.block_reason.name == "PROHIBITED_CONTENT"
    assert blocked.candidates is None


def test_an_upload_in_pieces_comes_back_whole(sdk, tmp_path) -> None:
    client = sdk(duration="0s")
    rows = b"".join(row(f"r{n}", "x" * 100_000) for n in range(90))
    assert len(rows) > 8 << 20, "two chunks of the client's"
    batch = ended(client, submit(client, tmp_path, rows))
    assert len(client.files.download(file=batch.dest.file_name).splitlines()) == 90


def test_inline_rows_come_back_in_their_order(sdk) -> None:
    client = sdk()
    rows = [{"contents": f"question {n}", "metadata": {"key": f"k{n}"}} for n in range(4)]
    batch = ended(client, client.batches.create(model="demo-small", src=rows, config={"display_name": "d"}))
    answers = batch.dest.inlined_responses
    assert [one.metadata["key"] for one in answers] == ["k0", "k1", "k2", "k3"]
    assert all(one.response.text.startswith(f"On “question {n}”") for n, one in enumerate(answers))
    assert not client.batches.list()[0].dest, "the list leaves them out"


def test_structured_answers(sdk) -> None:
    client = sdk()
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    config = {"response_mime_type": "application/json", "response_json_schema": schema}
    answer = client.models.generate_content(model="demo-small", contents="how many", config=config)
    assert isinstance(json.loads(answer.text)["n"], int)


def test_lists_page_by_themselves(sdk, tmp_path) -> None:
    client = sdk()
    made = [submit(client, tmp_path, row("r", "x"), name=f"t{n}").name for n in range(5)]
    assert [batch.name for batch in client.batches.list(config={"page_size": 2})] == made[::-1]
    assert len(list(client.files.list(config={"page_size": 2}))) == 5
    client.files.delete(name=next(iter(client.files.list())).name)
    assert len(list(client.files.list())) == 4
    assert "demo-small" in {model.display_name for model in client.models.list()}


def test_cancel_and_delete(sdk, tmp_path) -> None:
    client = sdk(duration="5s")
    batch = submit(client, tmp_path, row("r", "x") * 1)
    client.batches.cancel(name=batch.name)
    batch = ended(client, batch)
    assert batch.state.name == "JOB_STATE_CANCELLED"
    with pytest.raises(errors.ClientError) as late:
        client.batches.cancel(name=batch.name)
    assert (late.value.code, late.value.status) == (400, "INVALID_ARGUMENT")
    client.batches.delete(name=batch.name)
    with pytest.raises(errors.ClientError) as gone:
        client.batches.get(name=batch.name)
    assert (gone.value.code, gone.value.status) == (404, "NOT_FOUND")


def test_a_failed_input_and_an_expired_batch(sdk, tmp_path) -> None:
    client = sdk()
    assert ended(client, submit(client, tmp_path, row("r", "x") + b"oops\n")).state.name == "JOB_STATE_FAILED"
    client = sdk("expire=0.5")
    batch = ended(client, submit(client, tmp_path, b"".join(row(str(n), "x") for n in range(4))))
    assert (batch.state.name, batch.dest) == ("JOB_STATE_EXPIRED", None)


def test_errors_arrive_as_their_own_classes(sdk, tmp_path) -> None:
    client = sdk()
    with pytest.raises(errors.ClientError) as missing:
        submit(client, tmp_path, row("r", "x"), model="unknown-model")
    assert (missing.value.code, missing.value.status) == (404, "NOT_FOUND")
    with pytest.raises(errors.ClientError) as nothing:
        client.batches.create(model="demo-small", src="files/none")
    assert nothing.value.code == 404
    with pytest.raises(errors.ClientError) as refused:
        sdk(key="wrong").batches.list()
    assert refused.value.details["error"]["details"][0]["reason"] == "API_KEY_INVALID"
    with pytest.raises(errors.ClientError) as limited:
        sdk("429=1").batches.list()
    assert (limited.value.code, limited.value.status) == (429, "RESOURCE_EXHAUSTED")
    assert limited.value.details["error"]["details"][0]["retryDelay"].endswith("s")
    with pytest.raises(errors.ServerError):
        sdk("500=1").batches.list()
