"""`/v1/responses`: the same `[job]` as for chat completions, in the form that this endpoint takes."""

from __future__ import annotations

import msgspec
import pytest

from batchtui.backends.prompts.work import ChatWork, request_body, with_correction
from batchtui.model import JobState
from tests.backends.jobs_help import job

ENDPOINT = {"endpoint": "/v1/responses", "model": "demo-small"}


def body_of(**fields):
    return request_body(msgspec.convert(ENDPOINT | fields, ChatWork))


def test_fields_take_their_other_names():
    assert body_of(prompt="hi", system="Be brief.", max_tokens=9, temperature=0.5) == {
        "model": "demo-small",
        "input": [{"role": "user", "content": "hi"}],
        "instructions": "Be brief.",
        "max_output_tokens": 9,
        "temperature": 0.5,
    }
    assert body_of(body={"input": "hi", "max_output_tokens": 3}) == {
        "model": "demo-small",
        "input": "hi",
        "max_output_tokens": 3,
    }
    with_system = body_of(body={"input": "hi"}, system="Be brief.")
    assert (with_system["input"], with_system["instructions"]) == ("hi", "Be brief.")


def test_a_schema_goes_as_the_format_of_its_text():
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    text = body_of(prompt="hi", schema=schema)["text"]
    assert text["format"]["type"] == "json_schema"
    assert text["format"]["schema"]["properties"] == schema["properties"]


def test_a_second_try_carries_the_first():
    asked = with_correction(msgspec.convert(ENDPOINT | {"prompt": "hi"}, ChatWork), "wrong", "a is missing")
    assert [turn["role"] for turn in request_body(asked)["input"]] == ["user", "assistant", "user"]


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": "x", "body": {"input": "y"}}, "prompt"),
        ({"prompt": "x", "stop": "."}, "stop"),
        ({"prompt": "x", "seed": 1}, "seed"),
    ],
)
async def test_what_it_does_not_take_is_told(make, odd, fields, key):
    backend = make("openai", odd.url)
    assert [wrong for wrong, _ in backend.check(job(**ENDPOINT, **fields))] == [key]
    assert backend.check(job(**ENDPOINT, prompt="x")) == []


async def test_it_is_answered_by_both_kinds(demo, make):
    from tests.backends.jobs_help import submission
    from tests.backends.test_openai_demo import outcomes, until_ended

    server = demo("duration=100ms")
    openai = make("openai", server.url)
    one = submission()
    asked = job(**ENDPOINT, prompt="hello there", max_tokens=50)
    one.remote_id = await openai.submit(one, [asked], one.facts.update)
    await until_ended(openai, one)
    [outcome] = (await outcomes(openai, one)).values()
    assert outcome.state is JobState.COMPLETED
    assert "hello there" in outcome.raw_response
    assert outcome.output_tokens
