"""Kind `chat`: what is sent, what a reply becomes, what is refused before sending."""

from __future__ import annotations

import pytest

from batchtui.backends.base import NeedsPerson, Refused, Transient, TryLater
from batchtui.model import JobState
from tests.backends.jobs_help import job
from tests.backends.odd_server import KEY, reply


def no_note(facts):
    pass


def good(content="hello", **message):
    return {
        "id": "chatcmpl-1",
        "model": "m-2026",
        "choices": [{"message": {"content": content, **message}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2},
    }


async def run(backend, one=None):
    return await backend.run(one or job(), no_note)


async def test_a_prompt_is_sent_and_its_answer_read(odd, make):
    chat = make("chat", odd.url, organization="org-1")
    odd.script(reply(200, good()))
    outcome = await run(
        chat, job(3, "é/1\n", model="m", system="Be brief.", prompt="hi", max_tokens=5, extra={"n": 1})
    )
    sent = odd.seen[0]
    assert (sent.method, sent.path) == ("POST", "/v1/chat/completions")
    assert sent.headers["x-client-request-id"] == "token-1/%C3%A9%2F1%0A"
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.headers["openai-organization"] == "org-1"
    assert sent.json == {
        "n": 1,
        "model": "m",
        "max_tokens": 5,
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}],
        "stream": False,
    }
    assert outcome.state is JobState.COMPLETED
    assert (outcome.raw_response, outcome.finish_reason, outcome.model) == ("hello", "stop", "m-2026")
    assert (outcome.input_tokens, outcome.output_tokens) == (3, 2)
    assert outcome.remote == {"id": "chatcmpl-1"}
    assert outcome.body == good()


async def test_fields_beside_a_whole_body_win(odd, make):
    chat = make("chat", odd.url, model="default")
    body = {
        "messages": [{"role": "system", "content": "old"}, {"role": "user", "content": "x"}],
        "temperature": 1,
    }
    assert chat.check(job(body=body)) == []
    odd.script(reply(200, good()))
    await run(chat, job(body=body, temperature=0.5, system="new"))
    assert odd.seen[0].json == {
        "messages": [{"role": "system", "content": "new"}, {"role": "user", "content": "x"}],
        "temperature": 0.5,
        "model": "default",
        "stream": False,
    }


@pytest.mark.parametrize(
    ("body", "state", "kind", "text"),
    [
        (good([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]), "completed", None, "ab"),
        (good(""), "failed", "bad_reply", None),
        (good(None, refusal="I cannot"), "failed", "refusal", None),
        (good(None), "failed", "bad_reply", None),
        (good(None, tool_calls=[{"id": "c"}]), "completed", None, None),
        (good({"odd": 1}), "failed", "bad_reply", None),
        ({"choices": []}, "failed", "bad_reply", None),
        ({"choices": "no"}, "failed", "bad_reply", None),
        ({"choices": [7]}, "failed", "bad_reply", None),
        ({"choices": [{"message": "no"}]}, "failed", "bad_reply", None),
        ({"choices": [{"text": "old form"}]}, "completed", None, "old form"),
        ({"error": {"message": "late failure", "code": "c1"}}, "failed", "c1", None),
        ([], "failed", "bad_reply", None),
        ({}, "failed", "bad_reply", None),
    ],
)
async def test_odd_answers_end_in_a_named_state(odd, make, body, state, kind, text):
    odd.script(reply(200, body))
    outcome = await run(make("chat", odd.url))
    assert (outcome.state, outcome.error_kind, outcome.raw_response) == (state, kind, text)
    assert outcome.body == body
    assert (outcome.error is None) == (state == "completed")


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": -5, "completion_tokens": "few"}, [1], "no"])
async def test_bad_usage_is_unknown_and_never_negative(odd, make, usage):
    odd.script(reply(200, {**good(), "usage": usage}))
    outcome = await run(make("chat", odd.url))
    assert outcome.state is JobState.COMPLETED
    assert (outcome.input_tokens, outcome.output_tokens) == (None, None)
    assert outcome.usage == usage


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (reply(500, "oops"), Transient),
        (reply(401, {"error": {"message": f"bad {KEY}"}}), NeedsPerson),
        (reply(429, {}, {"Retry-After": "7"}), TryLater),
        (reply(400, {"error": {"message": "no"}}), Refused),
        (None, Transient),
    ],
)
async def test_faults(odd, make, data, fault):
    odd.script(data)
    with pytest.raises(fault) as caught:
        await run(make("chat", odd.url))
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("work", "key"),
    [
        ({"prompt": "x"}, "model"),
        ({"model": "m"}, "prompt"),
        ({"model": "m", "prompt": "x", "messages": []}, "prompt"),
        ({"model": "m", "prompt": " \n"}, "prompt"),
        ({"model": "m", "messages": []}, "messages"),
        ({"model": "m", "messages": ["x"]}, "messages[0]"),
        ({"model": "m", "messages": [{"content": "x"}]}, "messages[0].role"),
        (
            {"model": "m", "messages": [{"role": "user", "content": "x"}, {"role": "user"}]},
            "messages[1].content",
        ),
        ({"model": "m", "body": {"messages": "x"}}, "body.messages"),
        ({"model": "m", "prompt": "x", "body": {"messages": [{}]}}, "prompt"),
        ({"model": "m", "prompt": "x", "endpoint": "/v1/images/generations"}, "endpoint"),
        ({"model": "m", "prompt": "x", "endpoint": "/v1/embeddings"}, "body"),
        ({"model": "m", "prompt": "x", "endpoint": "embeddings", "body": {"input": "x"}}, "prompt"),
        ({"model": "m", "prompt": "x", "max_tokens": 0}, "max_tokens"),
        ({"model": "m", "body": {"messages": [{"role": "user", "content": "x"}], "stream": True}}, "stream"),
    ],
)
def test_what_is_wrong_is_said_before_sending(make, work, key):
    wrong = make("chat", "http://127.0.0.1:9").check(job(**work))
    assert [found for found, _ in wrong] == [key]


def test_tokens_are_estimated_from_the_bytes(make):
    chat = make("chat", "http://127.0.0.1:9")
    assert chat.tokens(job(model="m", prompt="x" * 9)) == (3, 0)
    assert chat.tokens(job(model="m", prompt="é" * 4, max_tokens=50)) == (2, 50)
    assert chat.model(job(model="m", prompt="x")) == "m"


async def test_probe_lists_models_or_says_why_not(odd, make):
    chat = make("chat", odd.url)
    odd.script(reply(200, {"data": [{"id": "b"}, {"id": "a"}, {}]}), reply(401, {}), reply(404, "no"), None)
    probe = await chat.probe()
    assert (probe.ok, probe.models) == (True, ["a", "b"])
    assert not (await chat.probe()).ok
    assert (await chat.probe()).ok
    assert not (await chat.probe()).ok


async def test_against_the_demo_server(demo, make):
    server = demo()
    outcome = await run(make("chat", server.url), job(1, "a b", model="demo-small", prompt="hi"))
    assert outcome.state is JobState.COMPLETED
    assert outcome.raw_response
    assert outcome.output_tokens
    [entry] = [line for line in server.ledger() if line["op"] == "chat"]
    assert entry["token"] == "token-1"
    assert entry["job_ids"] == ["a b"]
