"""Replies that are not what they say: streams nobody asked for, errors of a good status, what is no answer at all.

Every question is asked once, whatever comes back, unless the reply itself says that asking again is right.
"""

from __future__ import annotations

import json

import pytest

from batchtui.backends.base import NeedsPerson, Refused, Transient, TryLater
from batchtui.model import JobState
from tests.backends.jobs_help import job
from tests.backends.odd_server import KEY, reply

STREAM = {"Content-Type": "text/event-stream"}
LINES = {"Content-Type": "application/x-ndjson"}
WHOLE = {
    "id": "c1",
    "object": "chat.completion",
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "four"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 11, "completion_tokens": 7},
}


def no_note(facts):
    pass


def chunk(delta, finish=None, **more):
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {"id": "c1", "object": "chat.completion.chunk", "model": "m", "choices": choices, **more}


def events(*values, end="data: [DONE]\n\n"):
    return "".join(f"data: {json.dumps(value)}\n\n" for value in values) + end


def named(*pairs):
    return "".join(f"event: {name}\ndata: {json.dumps({'type': name, **value})}\n\n" for name, value in pairs)


CHUNKS = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "fo"}),
    chunk({"content": "ur"}),
    chunk({}, "stop"),
    {"id": "c1", "object": "chat.completion.chunk", "model": "m", "choices": [], "usage": WHOLE["usage"]},
]
OLLAMA = [
    {"model": "m", "message": {"role": "assistant", "content": "fo"}, "done": False},
    {"model": "m", "message": {"role": "assistant", "content": "ur"}, "done": False},
    {"model": "m", "message": {"content": ""}, "done": True, "done_reason": "stop", "prompt_eval_count": 11,
     "eval_count": 7},
]  # fmt: skip
DONE = {"id": "r1", "object": "response", "status": "completed", "model": "m", "output": [
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "four"}]}
], "usage": {"input_tokens": 11, "output_tokens": 7}}  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        events(*CHUNKS),
        events(*CHUNKS, end=""),
        events(*CHUNKS).replace("\n", "\r\n"),
        events(*CHUNKS).replace("data: ", "data:"),
        ": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n" + events(*CHUNKS),
        "id: 1\nretry: 10\n" + events(*CHUNKS).replace("\n\n", "\n"),
        "".join(json.dumps(one) + "\n" for one in CHUNKS),
        "".join(json.dumps(one) + "\n" for one in OLLAMA),
        json.dumps(WHOLE) + "\n\ndata: [DONE]\n\n",
        json.dumps(WHOLE, indent=1) + "\n\ndata: [DONE]\n\n",
        ": keep-alive\n\n: keep-alive\n\n" + json.dumps(WHOLE),
        "   \n\n\n" + json.dumps(WHOLE) + "\n\n",
        events(WHOLE),
        "".join(f"data: {line}\n" for line in json.dumps(WHOLE, indent=1).splitlines()) + "\n",
        '{"status": "processing"}\n' + json.dumps(WHOLE) + "\n",
        named(("response.created", {"response": {**DONE, "status": "in_progress", "output": []}}),
              ("response.output_text.delta", {"output_index": 0, "delta": "four"}),
              ("response.completed", {"response": DONE})),
    ],
)  # fmt: skip
async def test_an_answer_in_pieces_is_read_with_what_it_used(odd, make, text):
    odd.script(reply(200, text, STREAM))
    outcome = await make("chat", odd.url).run(job(), no_note)
    assert (outcome.state, outcome.raw_response) == (JobState.COMPLETED, "four")
    assert (outcome.input_tokens, outcome.output_tokens, outcome.model) == (11, 7, "m")
    assert len(odd.seen) == 1


async def test_a_long_stream_is_read_whole(odd, make):
    pieces = [chunk({"content": f"{n} "}) for n in range(8000)]
    odd.script(reply(200, events(*pieces, chunk({}, "stop")), STREAM))
    outcome = await make("chat", odd.url).run(job(), no_note)
    assert outcome.raw_response == "".join(f"{n} " for n in range(8000))


async def test_tool_calls_and_thinking_come_in_pieces_too(odd, make):
    calls = [
        {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}},
        {"index": 0, "function": {"arguments": '{"x": '}},
        {"index": 0, "function": {"arguments": "1}"}},
        {"index": 0, "id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    ]
    pieces = [chunk({"role": "assistant", "reasoning_content": "so "}), chunk({"reasoning_content": "then"})]
    pieces += [chunk({"tool_calls": [call]}) for call in calls]
    odd.script(reply(200, events(*pieces, chunk({}, "tool_calls")), STREAM))
    outcome = await make("chat", odd.url).run(job(), no_note)
    message = outcome.body["choices"][0]["message"]
    assert message["reasoning_content"] == "so then"
    assert message["tool_calls"] == [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}},
        {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    ]
    assert (outcome.state, outcome.finish_reason) == (JobState.COMPLETED, "tool_calls")


async def test_events_of_anthropic_are_a_message(odd, make):
    start = {"id": "m1", "type": "message", "role": "assistant", "model": "m", "content": [],
             "usage": {"input_tokens": 11, "output_tokens": 1}}  # fmt: skip
    text = named(
        ("message_start", {"message": start}),
        ("content_block_start", {"index": 0, "content_block": {"type": "thinking", "thinking": ""}}),
        ("content_block_delta", {"index": 0, "delta": {"type": "thinking_delta", "thinking": "so"}}),
        ("content_block_start", {"index": 1, "content_block": {"type": "text", "text": ""}}),
        ("ping", {}),
        ("content_block_delta", {"index": 1, "delta": {"type": "text_delta", "text": "fo"}}),
        ("content_block_delta", {"index": 1, "delta": {"type": "text_delta", "text": "ur"}}),
        (
            "content_block_start",
            {"index": 2, "content_block": {"type": "tool_use", "name": "f", "input": {}}},
        ),
        ("content_block_delta", {"index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"x":'}}),
        ("content_block_delta", {"index": 2, "delta": {"type": "input_json_delta", "partial_json": "1}"}}),
        ("message_delta", {"delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}}),
        ("message_stop", {}),
    )
    odd.script(reply(200, text, STREAM))
    outcome = await make("chat", odd.url, api="anthropic").run(job(), no_note)
    assert (outcome.state, outcome.raw_response) == (JobState.COMPLETED, "four")
    assert (outcome.input_tokens, outcome.output_tokens) == (11, 7)
    assert outcome.body["content"][0] == {"type": "thinking", "thinking": "so"}
    assert outcome.body["content"][2]["input"] == {"x": 1}
    assert len(odd.seen) == 1


@pytest.mark.parametrize(
    ("text", "api", "kept"),
    [
        (events(*CHUNKS[:2], end=""), "openai", "fo"),
        (events(*CHUNKS[:3], end='data: {"id": "c1", "cho'), "openai", "four"),
        ("".join(json.dumps(one) + "\n" for one in OLLAMA[:2]), "openai", "four"),
        (named(("response.created", {"response": {**DONE, "status": "in_progress", "output": []}}),
               ("response.output_text.delta", {"output_index": 0, "delta": "fo"})), "openai", "fo"),
        (named(("message_start", {"message": {"content": []}}),
               ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": "fo"}})), "anthropic", "fo"),
    ],
)  # fmt: skip
async def test_a_stream_that_is_cut_is_no_answer_and_is_not_paid_again(odd, make, text, api, kept):
    odd.script(reply(200, text, STREAM))
    outcome = await make("chat", odd.url, api=api).run(job(), no_note)
    assert (outcome.state, outcome.error_kind) == (JobState.FAILED, "cut")
    assert "ended before" in outcome.error
    assert kept in json.dumps(outcome.body)
    assert len(odd.seen) == 1


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("<html><title>Sign in</title><h1>Hotel</h1></html>", "text/html", "Sign in"),
        ("OK", "text/plain", "OK"),
        ("", "application/json", "empty"),
        ('{"choices": [{"message": {"con', "application/json", "choices"),
        (b'{"choices": [{"message": {"content": "\xff"}}]}', "application/json", "choices"),
        (json.dumps(WHOLE) + json.dumps(WHOLE), "application/x-ndjson", "four"),
        ("data: hello\n\ndata: [DONE]\n\n", "text/event-stream", "hello"),
    ],
)
@pytest.mark.parametrize("api", ["openai", "anthropic"])
async def test_what_is_no_answer_fails_once_with_its_content_type(odd, make, api, text, kind, words):
    odd.script(reply(200, text, {"Content-Type": f"{kind}; charset=utf-8"}))
    outcome = await make("chat", odd.url, api=api).run(job(), no_note)
    assert (outcome.state, outcome.error_kind) == (JobState.FAILED, "bad_reply")
    assert kind in outcome.error
    assert words in f"{outcome.error} {outcome.body}"
    assert len(odd.seen) == 1


def error(code=None, message="no", **more):
    return {"error": {"message": message, **({} if code is None else {"code": code}), **more}}


@pytest.mark.parametrize(
    ("body", "fault", "after"),
    [
        (error(429), TryLater, None),
        (error("429"), TryLater, None),
        (error(429.0), TryLater, None),
        (error(42901), TryLater, None),
        (error(None, status=429), TryLater, None),
        (error(None, status="RESOURCE_EXHAUSTED", details=[{"retryDelay": "3s"}]), TryLater, 3),
        (error(None, type="rate_limit_error"), TryLater, None),
        (error("rate_limit_exceeded", "Please try again in 3.2s."), TryLater, 3.2),
        (error("RateLimitError"), TryLater, None),
        (error(429, metadata={"headers": {"X-RateLimit-Reset": 99999999999999}}), TryLater, 900),
        ({"type": "error", "error": {"type": "rate_limit_error", "message": "slow"}}, TryLater, None),
        ({"error": "slow down, please retry after 2 seconds"}, TryLater, 2),
        ({"error": "no", "code": 429}, TryLater, None),
        ({"code": 429, "message": "no"}, TryLater, None),
        ({"object": "error", "message": "no", "type": "ServiceUnavailableError"}, Transient, None),
        ([error(429)], TryLater, None),
        ({"choices": [{"error": {"code": 429, "message": "no"}}]}, TryLater, None),
        ({"choices": [{"message": {"error": {"code": "429", "message": "no"}}}]}, TryLater, None),
        ({"id": "r", "object": "response", "status": "failed", "output": [],
          "error": {"code": "rate_limit_exceeded", "message": "no"}}, TryLater, None),
        ({"error": "Model m is currently loading", "estimated_time": 2.5}, TryLater, 2.5),
        (error(503, "Loading model"), TryLater, None),
        (error(502), Transient, None),
        (error(None, type="overloaded_error"), Transient, None),
        (error("server_error"), Transient, None),
        (error("insufficient_quota"), NeedsPerson, None),
        (error(402), NeedsPerson, None),
        (error(401), NeedsPerson, None),
    ],
)  # fmt: skip
async def test_an_error_of_a_good_status_is_judged_by_its_code(odd, make, body, fault, after):
    odd.script(reply(200, body))
    with pytest.raises(fault) as caught:
        await make("chat", odd.url).run(job(), no_note)
    if isinstance(caught.value, TryLater):
        assert caught.value.after == (after if after is None else pytest.approx(after))
        assert not caught.value.counts
    assert len(odd.seen) == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (error(400, "no such voice"), "no such voice"),
        (error(None, "no such voice"), "no such voice"),
        ({"error": "model 'x' not found"}, "not found"),
        (error("invalid_prompt", "no such voice"), "no such voice"),
        (error(40303, "no such voice"), "no such voice"),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
async def test_another_error_is_final_with_its_words(odd, make, body, words, streamed):
    odd.script(reply(200, events(body), STREAM) if streamed else reply(200, body))
    outcome = await make("chat", odd.url).run(job(), no_note)
    assert outcome.state is JobState.FAILED
    assert words in outcome.error
    assert len(odd.seen) == 1


async def test_input_that_was_held_back_is_no_refused_key(odd, make):
    body = error(403, "your input was flagged", metadata={"flagged_input": "x", "reasons": ["violence"]})
    odd.script(reply(200, body), reply(403, body), reply(403, error(403)))
    for _ in range(2):
        with pytest.raises(Refused, match="flagged"):
            await make("chat", odd.url).run(job(), no_note)
    with pytest.raises(NeedsPerson):
        await make("chat", odd.url).run(job(), no_note)


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_key_that_such_an_error_says_back_is_kept_nowhere(odd, make, streamed):
    body = error(400, f"this is {KEY}x")
    odd.script(reply(200, events(body), STREAM) if streamed else reply(200, body))
    outcome = await make("chat", odd.url).run(job(), no_note)
    assert "this is" in outcome.error
    assert KEY not in f"{outcome.error} {outcome.body}"


async def test_an_error_in_a_stream_is_judged_alike_and_what_came_before_may_be_paid(odd, make):
    chat = make("chat", odd.url)
    odd.script(
        reply(200, events(error(429, "slow")), STREAM),
        reply(200, events(CHUNKS[1], error(502, "gone")), STREAM),
        reply(200, 'event: error\ndata: {"code": 529, "message": "busy"}\n\n', STREAM),
        reply(429, events(error("x", "try again in 4s"), end=""), STREAM),
        reply(200, events({"choices": [{"index": 0, "delta": {"content": "fo"}, "finish_reason": "error",
                                        "error": {"code": 503, "message": "gone"}}]}), STREAM),
    )  # fmt: skip
    with pytest.raises(TryLater, match="slow"):
        await chat.run(job(), no_note)
    with pytest.raises(Transient, match="gone") as caught:
        await chat.run(job(), no_note)
    assert caught.value.maybe_done
    with pytest.raises(Transient, match="busy") as caught:
        await chat.run(job(), no_note)
    assert not caught.value.maybe_done
    with pytest.raises(TryLater, match="try again") as later:
        await chat.run(job(), no_note)
    assert later.value.after == 4
    with pytest.raises(Transient, match="gone"):
        await chat.run(job(), no_note)
    assert len(odd.seen) == 5


@pytest.mark.parametrize("nothing", [None, {}, "", [], {"code": None, "message": None}])
async def test_an_error_that_says_nothing_beside_an_answer_is_none(odd, make, nothing):
    odd.script(reply(200, {**WHOLE, "error": nothing}))
    outcome = await make("chat", odd.url).run(job(), no_note)
    assert (outcome.state, outcome.raw_response) == (JobState.COMPLETED, "four")


@pytest.mark.parametrize("base", ["", "/openai/v1", "/v1"])
@pytest.mark.parametrize(
    ("endpoint", "body", "streams"),
    [
        ("/v1/responses", {"input": "hi"}, True),
        ("/v1/embeddings", {"input": "hi"}, False),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "hi"}]}, True),
    ],
)
async def test_endpoints_are_found_below_any_base(make, demo, base, endpoint, body, streams):
    server = demo()
    chat = make("chat", "", base_url=f"{server.url.removesuffix('/v1')}{base}")
    for _ in range(2):
        work = job(model="demo-small", endpoint=endpoint, body=body)
        assert chat.check(work) == []
        assert ("stream" in chat.describe(work)) is streams
        outcome = await chat.run(work, no_note)
        assert outcome.state is JobState.COMPLETED
        assert outcome.output if "embed" in endpoint else outcome.raw_response
        assert outcome.input_tokens
    assert len([line for line in server.ledger() if line["op"] == "chat"]) == 2
    assert (await chat.probe()).models


async def test_a_base_without_a_version_is_learnt_once(odd, make):
    odd.answer = lambda request: reply(200, WHOLE) if request.path.startswith("/v1/") else reply(404, "no")
    chat = make("chat", "", base_url=odd.url)
    for _ in range(3):
        assert (await chat.run(job(), no_note)).state is JobState.COMPLETED
    assert [request.path for request in odd.seen] == ["/chat/completions", *["/v1/chat/completions"] * 3]
