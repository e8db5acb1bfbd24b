"""Prompts as Gemini takes them, whatever form they were written in."""

from __future__ import annotations

import json

import pytest

from batchtui.backends import registry
from batchtui.text import Secret
from tests.backends.jobs_help import job

PIXEL = "data:image/png;base64,iVBORw0KGgo="


@pytest.fixture
def gemini():
    return registry.build("g", {"kind": "gemini", "model": "gemini-3.8-flash"}, Secret("key-0123456789"))


def request(gemini, **work):
    asked = job(**work)
    assert gemini.check(asked) == []
    return json.loads(gemini.line(asked))["request"]


def test_a_prompt_with_all_its_settings(gemini):
    given = {
        "prompt": "hi",
        "system": "Be brief.",
        "max_tokens": 50,
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 7,
        "stop": "END",
    }
    assert request(gemini, **given) == {
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "generationConfig": {
            "maxOutputTokens": 50,
            "temperature": 0.5,
            "topP": 0.9,
            "seed": 7,
            "stopSequences": ["END"],
        },
    }


def test_a_row_of_an_openai_batch_file(gemini):
    messages = [
        {"role": "developer", "content": "Be brief."},
        {
            "role": "user",
            "content": [{"type": "text", "text": "what"}, {"type": "image_url", "image_url": {"url": PIXEL}}],
        },
        {"role": "assistant", "content": "a pixel"},
        {"role": "user", "content": "sure?"},
    ]
    schema = {"type": "array", "items": {"type": "string"}}
    body = {
        "model": "gemini-x",
        "messages": messages,
        "max_completion_tokens": 9,
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}},
    }
    asked = job(body=body)
    assert gemini.group(asked) == "gemini-x"
    assert request(gemini, body=body) == {
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"text": "what"},
                    {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}},
                ],
            },
            {"role": "model", "parts": [{"text": "a pixel"}]},
            {"role": "user", "parts": [{"text": "sure?"}]},
        ],
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "generationConfig": {
            "maxOutputTokens": 9,
            "responseMimeType": "application/json",
            "responseJsonSchema": schema,
        },
    }


def test_a_native_request_stays_as_it_is(gemini):
    native = {
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        "generationConfig": {"topK": 3},
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
    }
    assert request(gemini, body=native) == native
    more = request(gemini, body=native, system="Be brief.", max_tokens=5)
    assert more["contents"] == native["contents"]
    assert more["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert more["generationConfig"] == {"topK": 3, "maxOutputTokens": 5}


def test_a_schema_goes_in_its_own_field(gemini):
    config = request(gemini, prompt="hi", schema={"$schema": "x", "type": "object"})["generationConfig"]
    assert config == {"responseMimeType": "application/json", "responseJsonSchema": {"type": "object"}}
    plain = request(gemini, prompt="hi", response_format={"type": "json_object"})["generationConfig"]
    assert plain == {"responseMimeType": "application/json"}


@pytest.mark.parametrize(
    ("work", "key"),
    [
        ({"prompt": "x", "body": {"logit_bias": {"1": 5}}}, "body.logit_bias"),
        ({"prompt": "x", "extra": {"speed": 1}}, "extra.speed"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "messages[0].role"),
        (
            {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]}]},
            "messages[0].content[0]",
        ),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "messages[0].content[0]"),
        ({"body": {"contents": "hi"}}, "body.contents"),
        ({"body": {"contents": [{"parts": []}]}, "prompt": "x"}, "prompt"),
        ({"prompt": " "}, "prompt"),
        ({"prompt": "x", "endpoint": "/v1/embeddings", "body": {"input": "x"}}, "endpoint"),
    ],
)
def test_what_it_cannot_take_is_refused_with_its_place(gemini, work, key):
    faults = gemini.check(job(**work))
    assert key in [place for place, _ in faults]
    assert all(message for _, message in faults)


def test_estimates_count_what_is_asked(gemini):
    tokens_in, tokens_out = gemini.tokens(job(prompt="x" * 400, system="y" * 40, max_tokens=77))
    assert (tokens_in, tokens_out) == (110, 77)


def test_ids_that_do_not_fit_go_by_their_number(gemini):
    token = "b-1-0123abcd"
    assert gemini.wire_id(3, "row 3", token) == "0123abcd-row 3"
    assert gemini.wire_id(3, "x" * 200, token) == "0123abcd_3"
    assert gemini.wire_id(3, "a\nb", token) == "0123abcd_3"


def test_the_preview_names_the_model_and_no_key(gemini):
    shown = gemini.describe(job(prompt="hi"))
    assert shown["model"] == "gemini-3.8-flash"
    assert "key-0123456789" not in json.dumps(shown)
