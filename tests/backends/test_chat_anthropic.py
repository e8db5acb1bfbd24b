"""Kind `chat` with `api = "anthropic"`: one message at a time."""

from __future__ import annotations

import pytest

from batchtui.backends import registry
from batchtui.backends.base import NeedsPerson, Refused, Transient, TryLater
from batchtui.config.keys.secrets import resolve_key
from batchtui.config.shape import BackendConfig
from batchtui.model import JobState
from tests.backends.jobs_help import job
from tests.backends.odd_server import KEY, reply

MESSAGE = {
    "id": "msg_1", "model": "m-2026", "content": [{"type": "text", "text": "hello"}], "stop_reason": "end_turn",
    "usage": {"input_tokens": 3, "cache_read_input_tokens": 4, "output_tokens": 2},
}  # fmt: skip


def no_note(facts):
    pass


@pytest.fixture
def chat(odd, make):
    return make("chat", odd.url, api="anthropic")


async def test_a_prompt_is_sent_and_its_answer_read(odd, chat):
    odd.script(reply(200, MESSAGE))
    outcome = await chat.run(job(3, "a b", model="m", prompt="hi", max_tokens=5), no_note)
    [sent] = odd.seen
    assert (sent.method, sent.path) == ("POST", "/v1/messages")
    assert (sent.headers["x-api-key"], sent.headers["anthropic-version"]) == (KEY, "2026-10-21")
    asked = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}], "stream": False}
    assert sent.json == asked
    assert (outcome.state, outcome.raw_response, outcome.model) == (JobState.COMPLETED, "hello", "m-2026")
    assert (outcome.input_tokens, outcome.output_tokens) == (7, 2)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (reply(529, {"error": {"type": "overloaded_error"}}), Transient),
        (reply(401, {"error": {"message": f"bad {KEY}"}}), NeedsPerson),
        (reply(429, {}, {"Retry-After": "7"}), TryLater),
        (reply(400, {"error": {"message": "no"}}), Refused),
        (None, Transient),
    ],
)
async def test_faults(odd, chat, data, fault):
    odd.script(data)
    with pytest.raises(fault) as caught:
        await chat.run(job(), no_note)
    assert KEY not in str(caught.value)


def test_its_rules_and_its_schema_are_anthropics(make):
    chat = make("chat", "http://127.0.0.1:9", api="anthropic", model="m")
    assert [key for key, _ in chat.check(job(prompt="x", temperature=1))] == ["temperature"]
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    assert "output_config" in chat.describe(job(prompt="x", schema=schema))
    plain = make("chat", "http://127.0.0.1:9", api="anthropic", model="m", native_schema=False)
    assert "output_config" not in plain.describe(job(prompt="x", schema=schema))
    assert chat.file_rules().documents


def test_its_address_and_key_are_anthropics():
    table = {"kind": "chat", "api": "anthropic"}
    assert registry.build("b", dict(table), None).setup.settings.base_url == "https://api.anthropic.com"
    config = BackendConfig(name="b", kind="chat", table=table, origin="config.toml")
    key = resolve_key(config, {"ANTHROPIC_API_KEY": "theirs", "OPENAI_API_KEY": "not theirs"})
    assert key
    assert key.reveal() == "theirs"


async def test_against_the_demo_server(demo, make):
    server = demo()
    chat = make("chat", f"{server.url}/anthropic", api="anthropic")
    outcome = await chat.run(job(1, "a b", model="demo-small", prompt="hi"), no_note)
    assert outcome.state is JobState.COMPLETED
    assert outcome.output_tokens
    assert (await chat.probe()).models == ["demo-embed", "demo-large", "demo-small"]
    [entry] = [line for line in server.ledger() if line["op"] == "chat"]
    assert (entry["kind"], entry["token"], entry["job_ids"]) == ("anthropic-chat", "token-1", ["a b"])
