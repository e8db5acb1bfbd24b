"""One conversation with tools, pictures, sound and files, in the form of each provider that it is sent to."""

from __future__ import annotations

import json

import msgspec
import pytest

from batchtui.backends import registry
from batchtui.backends.prompts.work import ChatWork, request_body
from batchtui.text import Secret
from tests.backends.jobs_help import job

KEY = Secret("key-0123456789")
PIXEL = "data:image/png;base64,iVBORw0KGgo="
PDF = "data:application/pdf;base64,JVBERi0="
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"name": "weather", "description": "Of a city", "parameters": SCHEMA}
TOOLS = [{"type": "function", "function": WEATHER}]
TURNS = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Oslo and Graz?"},
    {
        "role": "assistant",
        "content": "",
        "tool_calls": [
            {
                "id": "c.1",
                "type": "function",
                "function": {"name": "weather", "arguments": '{"city":"Oslo"}'},
            },
            {"id": "c2", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Graz"}'}},
        ],
    },
    {"role": "tool", "tool_call_id": "c.1", "content": "sunny"},
    {"role": "tool", "tool_call_id": "c2", "content": '{"sky": "grey"}'},
    {"role": "user", "content": "So?"},
]


def backend(kind: str, **table):
    return registry.build(kind, {"kind": kind, "model": "m", **table}, KEY)


def sent(kind: str, *, table: dict | None = None, **work):
    built = backend(kind, **(table or {}))
    asked = job(**work)
    assert built.check(asked) == []
    return built.body(asked)


def parts(*given):
    return [{"role": "user", "content": list(given)}]


IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}}
INLINE = {"type": "image_url", "image_url": {"url": PIXEL}}
SOUND = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
FILE = {"type": "file", "file": {"filename": "a.pdf", "file_data": PDF}}


def test_a_conversation_with_tools_at_anthropic():
    body = sent("anthropic", messages=TURNS, extra={"tools": TOOLS, "tool_choice": "required"})
    assert body["tools"] == [{"name": "weather", "description": "Of a city", "input_schema": SCHEMA}]
    assert body["tool_choice"] == {"type": "any"}
    assert body["system"] == "Be brief."
    assert body["messages"] == [
        {"role": "user", "content": "Oslo and Graz?"},
        {
            "role": "assistant",
            "content": [
                {"type": "tool_use", "id": "c_1", "name": "weather", "input": {"city": "Oslo"}},
                {"type": "tool_use", "id": "c2", "name": "weather", "input": {"city": "Graz"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "c_1", "content": "sunny"},
                {"type": "tool_result", "tool_use_id": "c2", "content": '{"sky": "grey"}'},
            ],
        },
        {"role": "user", "content": "So?"},
    ]


def test_a_conversation_with_tools_at_gemini():
    named = {"type": "function", "function": {"name": "weather"}}
    body = sent("gemini", messages=TURNS, extra={"tools": TOOLS, "tool_choice": named})
    assert body["tools"] == [{"functionDeclarations": [WEATHER]}]
    config = {"mode": "ANY", "allowedFunctionNames": ["weather"]}
    assert body["toolConfig"] == {"functionCallingConfig": config}
    assert body["contents"][1:3] == [
        {
            "role": "model",
            "parts": [
                {"functionCall": {"name": "weather", "args": {"city": "Oslo"}}},
                {"functionCall": {"name": "weather", "args": {"city": "Graz"}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "weather", "response": {"result": "sunny"}}},
                {"functionResponse": {"name": "weather", "response": {"sky": "grey"}}},
            ],
        },
    ]


def test_newer_gemini_models_get_a_signature_with_the_first_call_of_each_round():
    calls = sent("gemini", model="gemini-3.8-flash", messages=TURNS)["contents"][1]["parts"]
    assert ["thoughtSignature" in part for part in calls] == [True, False]
    kept = {"extra_content": {"google": {"thought_signature": "c2ln"}}}
    turns = json.loads(json.dumps(TURNS))
    turns[2]["tool_calls"][0] |= kept
    assert sent("gemini", messages=turns)["contents"][1]["parts"][0]["thoughtSignature"] == "c2ln"


def test_a_wider_schema_goes_to_gemini_as_json_schema():
    wide = SCHEMA | {"additionalProperties": False}
    tools = [{"type": "function", "function": WEATHER | {"parameters": wide}}]
    [declared] = sent("gemini", prompt="x", extra={"tools": tools})["tools"][0]["functionDeclarations"]
    assert declared["parametersJsonSchema"] == wide
    assert "parameters" not in declared


def test_a_conversation_with_tools_at_the_responses_endpoint():
    work = {"model": "m", "endpoint": "/v1/responses", "messages": TURNS}
    body = request_body(msgspec.convert(work | {"extra": {"tools": TOOLS}}, ChatWork))
    assert body["tools"] == [{"type": "function", **WEATHER, "strict": False}]
    assert body["instructions"] == "Be brief."
    assert [item.get("type", item.get("role")) for item in body["input"]] == [
        "user", "function_call", "function_call", "function_call_output", "function_call_output", "user",
    ]  # fmt: skip
    call = {"type": "function_call", "call_id": "c.1", "name": "weather", "arguments": '{"city":"Oslo"}'}
    assert body["input"][1] == call
    assert body["input"][3] == {"type": "function_call_output", "call_id": "c.1", "output": "sunny"}


def test_parts_have_the_types_of_the_responses_endpoint():
    asked = parts({"type": "text", "text": "what?"}, IMAGE, INLINE, FILE)
    choice = {"type": "function", "function": {"name": "weather"}}
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}
    body = sent(
        "openai", endpoint="/v1/responses", messages=[*asked, {"role": "assistant", "content": [{"type": "text", "text": "hm"}]}],
        max_tokens=9, response_format=form, extra={"tools": TOOLS, "tool_choice": choice, "reasoning_effort": "low"},
    )  # fmt: skip
    assert body["input"] == [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "what?"},
                {"type": "input_image", "detail": "low", "image_url": "https://example.com/a.png"},
                {"type": "input_image", "detail": "auto", "image_url": PIXEL},
                {"type": "input_file", "filename": "a.pdf", "file_data": PDF},
            ],
        },
        {"role": "assistant", "content": "hm"},
    ]
    assert body["tool_choice"] == {"type": "function", "name": "weather"}
    assert body["text"] == {"format": {"type": "json_schema", "name": "a", "schema": {"type": "object"}}}
    assert (body["max_output_tokens"], body["reasoning"]) == (9, {"effort": "low"})


def test_media_at_each_provider():
    [gemini] = sent("gemini", messages=parts(IMAGE, INLINE, SOUND, FILE))["contents"]
    assert gemini["parts"] == [
        {"fileData": {"mimeType": "image/png", "fileUri": "https://example.com/a.png"}},
        {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}},
        {"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}},
        {"inlineData": {"mimeType": "application/pdf", "data": "JVBERi0="}},
    ]
    [anthropic] = sent("anthropic", messages=parts(IMAGE, FILE))["messages"]
    assert [part["source"]["type"] for part in anthropic["content"]] == ["url", "base64"]
    assert anthropic["content"][1]["title"] == "a.pdf"
    [mistral] = sent("mistral", messages=parts(IMAGE, SOUND, FILE))["messages"]
    assert mistral["content"][1:] == [
        {"type": "input_audio", "input_audio": "AAAA"},
        {"type": "document_url", "document_url": PDF, "document_name": "a.pdf"},
    ]
    assert sent("openai", messages=parts(IMAGE, SOUND, FILE))["messages"] == parts(IMAGE, SOUND, FILE)


HALF_A_CALL = {"role": "assistant", "tool_calls": [{"id": "x", "function": {"name": "f", "arguments": "{"}}]}


@pytest.mark.parametrize(
    ("kind", "work", "place"),
    [
        ("anthropic", {"messages": parts(IMAGE, SOUND)}, "messages[0].content[1]"),
        ("openai", {"messages": parts(SOUND), "endpoint": "/v1/responses"}, "messages[0].content[0]"),
        ("openai", {"messages": parts({"type": "video_url", "video_url": {"url": "https://x/y"}})}, "messages[0].content[0]"),
        ("together", {"messages": parts(FILE)}, "messages[0].content[0]"),
        ("gemini", {"messages": parts({"type": "file", "file": {"file_id": "f-1"}})}, "messages[0].content[0]"),
        ("gemini", {"prompt": "x", "extra": {"tools": [{"type": "web_search"}]}}, "tools[0]"),
        ("anthropic", {"prompt": "x", "extra": {"tools": [{"type": "function", "function": {}}]}}, "tools[0]"),
        ("anthropic", {"messages": TURNS[3:]}, "messages[0].tool_call_id"),
        ("gemini", {"messages": [*TURNS[:2], HALF_A_CALL]}, "messages[2].tool_calls[0]"),
        ("anthropic", {"prompt": "x", "extra": {"tools": TOOLS, "tool_choice": "perhaps"}}, "tool_choice"),
    ],
)  # fmt: skip
def test_what_has_no_form_is_told_with_its_place(kind, work, place):
    [(found, words)] = backend(kind).check(job(**work))
    assert found == place
    assert words


ANTHROPIC_BODY = {
    "max_tokens": 50,
    "system": [{"type": "text", "text": "Be brief."}],
    "stop_sequences": ["END"],
    "tools": [{"name": "weather", "description": "Of a city", "input_schema": SCHEMA}],
    "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "what?"},
                {
                    "type": "image",
                    "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="},
                },
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "s"},
                {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Oslo"}},
            ],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "sunny"}]},
    ],
}


def test_a_request_in_anthropics_form_goes_to_openai():
    body = sent("openai", body=ANTHROPIC_BODY)
    assert [turn["role"] for turn in body["messages"]] == ["system", "user", "assistant", "tool"]
    assert body["messages"][1]["content"][1] == INLINE
    call = {"id": "t1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
    assert body["messages"][2] == {"role": "assistant", "content": None, "tool_calls": [call]}
    assert body["messages"][3] == {"role": "tool", "tool_call_id": "t1", "content": "sunny"}
    assert body["tools"] == TOOLS
    assert (body["tool_choice"], body["parallel_tool_calls"], body["stop"]) == ("required", False, ["END"])
    assert not {"system", "stop_sequences"} & body.keys()


def test_a_request_in_anthropics_form_goes_to_gemini():
    body = sent("gemini", body=ANTHROPIC_BODY, drop_unsupported=True)
    assert body["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert body["contents"][0]["parts"][1]["inlineData"]["mimeType"] == "image/png"
    assert body["contents"][1]["parts"] == [{"functionCall": {"name": "weather", "args": {"city": "Oslo"}}}]
    assert body["contents"][2]["parts"][0]["functionResponse"]["response"] == {"result": "sunny"}
    assert body["tools"] == [{"functionDeclarations": [WEATHER]}]
    assert body["toolConfig"] == {"functionCallingConfig": {"mode": "ANY"}}


def test_a_request_in_its_own_form_is_sent_as_it_is():
    assert sent("anthropic", body=ANTHROPIC_BODY) == ANTHROPIC_BODY | {"model": "m"}
    chat = {"model": "m", "messages": TURNS, "tools": TOOLS, "tool_choice": "auto", "temperature": 1}
    assert sent("openai", body=chat) == chat


SWEPT = {
    "prompt": "x",
    "seed": 7,
    "temperature": 0.5,
    "extra": {"top_k": 4, "reasoning_effort": "low", "verbosity": "low", "thinking": {"type": "adaptive"}},
}


@pytest.mark.parametrize(
    ("kind", "gone"),
    [
        ("openai", {"top_k", "thinking"}),
        ("anthropic", {"seed", "temperature", "top_k", "verbosity"}),
        ("mistral", {"top_k", "thinking", "verbosity", "reasoning_effort"}),
        ("together", {"thinking"}),
        ("gemini", {"extra.verbosity", "extra.thinking"}),
    ],
)
def test_what_a_backend_does_not_take_is_told_or_left_out(kind, gone):
    built = backend(kind)
    told = built.check(job(**SWEPT))
    assert {key for key, _ in told} == gone
    assert all("drop_unsupported = true" in words for _, words in told)
    assert built.left_out(job(**SWEPT)) == []
    dropping = job(**SWEPT, drop_unsupported=True)
    assert built.check(dropping) == []
    assert {key for key, _ in built.left_out(dropping)} >= gone
    assert not {key.rpartition(".")[2] for key in gone} & built.body(dropping).keys()


def test_effort_labels_and_tier_have_names_at_gemini():
    extra = {
        "reasoning_effort": "low",
        "labels": {"team": "a"},
        "service_tier": "flex",
        "logprobs": True,
        "top_logprobs": 2,
    }
    body = sent("gemini", model="gemini-3.8-flash", prompt="x", extra=extra)
    assert (body["labels"], body["serviceTier"]) == ({"team": "a"}, "flex")
    assert body["generationConfig"] == {
        "responseLogprobs": True, "logprobs": 2, "thinkingConfig": {"thinkingLevel": "LOW"},
    }  # fmt: skip
    older = sent("gemini", model="gemini-2.5-flash", prompt="x", extra={"reasoning_effort": "low"})
    assert older["generationConfig"]["thinkingConfig"] == {"thinkingBudget": 1024}


def test_what_asks_for_nothing_is_neither_told_nor_sent():
    given = {
        "n": 1,
        "frequency_penalty": 0,
        "presence_penalty": 0.0,
        "logprobs": False,
        "user": None,
        "seed": None,
    }
    for kind in ("anthropic", "mistral"):
        assert not given.keys() & (
            sent(kind, prompt="x", extra=given).keys() - {"n", "frequency_penalty", "presence_penalty"}
        )
    assert not given.keys() & sent("anthropic", prompt="x", extra=given).keys()
    assert [key for key, _ in backend("anthropic").check(job(prompt="x", extra={"n": 2}))] == ["n"]
    sent("gemini", prompt="x", extra={**given, "logit_bias": None, "store": False, "modalities": ["text"]})


def test_a_request_of_the_responses_endpoint_keeps_its_own_words():
    own = {
        "model": "m",
        "input": [
            {
                "role": "user",
                "content": [{"type": "input_text", "text": "x"}],
                "id": "msg_1",
                "status": "completed",
            },
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {"type": "function_call", "call_id": "c", "name": "weather", "arguments": "{}"},
        ],
        "tools": [{"type": "function", "name": "weather", "parameters": SCHEMA}, {"type": "web_search"}],
        "tool_choice": {"type": "function", "name": "weather"},
    }
    assert sent("openai", endpoint="/v1/responses", body=own) == own


def test_chat_parts_in_the_input_of_the_responses_endpoint_are_turned():
    given = {"model": "m", "input": [*parts({"type": "text", "text": "x"}, INLINE), *TURNS[2:4]]}
    made = sent("openai", endpoint="/v1/responses", body=given)["input"]
    assert [part["type"] for part in made[0]["content"]] == ["input_text", "input_image"]
    assert [item.get("type") for item in made[1:]] == [
        "function_call",
        "function_call",
        "function_call_output",
    ]


def test_anthropics_form_goes_to_the_responses_endpoint():
    body = sent("openai", endpoint="/v1/responses", body=ANTHROPIC_BODY, drop_unsupported=True)
    assert (body["instructions"], body["tool_choice"], body["parallel_tool_calls"]) == (
        "Be brief.",
        "required",
        False,
    )
    assert body["tools"] == [{"type": "function", **WEATHER, "strict": False}]
    assert "stop" not in body
