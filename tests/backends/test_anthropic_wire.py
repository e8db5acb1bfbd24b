"""A prompt in Anthropic's form: what is sent, what is refused before sending, schemas and files."""

from __future__ import annotations

import pytest

from batchtui.backends.anthropic.schema import native_schema
from batchtui.backends.attachments.files import load
from tests.backends.jobs_help import job

HELLO = [{"role": "user", "content": "hello"}]
FRUIT = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "count": {"type": "integer", "minimum": 1}},
    "required": ["name"],
}


@pytest.fixture
def build(make):
    """`build(older=True)`: a backend of the API version that still takes sampling parameters."""

    def built(older=False, **table):
        version = {"api_version": "2023-06-01"} if older else {}
        return make("anthropic", "http://127.0.0.1:9", **version, **table)

    return built


def sent(backend, **work):
    assert backend.check(job(**work)) == []
    return backend.describe(job(**work))


def test_fields_have_their_names_there(build):
    work = {
        "model": "m", "system": "Be brief.", "prompt": "hello", "max_tokens": 5, "temperature": 0.5, "stop": "END",
        "extra": {"thinking": {"type": "adaptive"}},
    }  # fmt: skip
    assert sent(build(older=True), **work) == {
        "model": "m",
        "max_tokens": 5,
        "temperature": 0.5,
        "stop_sequences": ["END"],
        "system": "Be brief.",
        "thinking": {"type": "adaptive"},
        "messages": HELLO,
    }
    assert sent(build(model="default", max_tokens=9), prompt="hello") == {
        "model": "default",
        "max_tokens": 9,
        "messages": HELLO,
    }


def test_messages_in_openais_form_are_turned_into_its_own(build):
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    far = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    turns = [
        {"role": "system", "content": "One."},
        {"role": "developer", "content": "Two."},
        {"role": "user", "content": [{"type": "text", "text": "what is this?"}, image, far]},
        {"role": "assistant", "content": "a dot"},
        {"role": "user", "content": "sure?"},
    ]
    body = {"model": "m", "messages": turns, "max_completion_tokens": 7, "stop": ["a", "b"]}
    made = sent(build(), body=body)
    assert (made["system"], made["max_tokens"], made["stop_sequences"]) == ("One.\n\nTwo.", 7, ["a", "b"])
    assert not {"stop", "max_completion_tokens"} & made.keys()
    assert made["messages"][0]["content"] == [
        {"type": "text", "text": "what is this?"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
    ]
    assert [turn["role"] for turn in made["messages"]] == ["user", "assistant", "user"]
    assert sent(build(), model="m", system="New.", messages=turns)["system"] == "New."


def test_a_request_of_its_own_form_goes_as_it_is(build):
    params = {
        "model": "m",
        "max_tokens": 10,
        "system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": [{"type": "document", "source": {"type": "url", "url": "u"}}]}
        ],
        "tools": [{"name": "t", "input_schema": {"type": "object"}}],
    }
    assert sent(build(), body=params, endpoint="/v1/messages") == params


@pytest.mark.parametrize(
    ("work", "key"),
    [
        ({"prompt": "x"}, "model"),
        ({"model": "m"}, "prompt"),
        ({"model": "m", "prompt": "x", "temperature": 1}, "temperature"),
        ({"model": "m", "prompt": "x", "extra": {"top_k": 5}}, "top_k"),
        ({"model": "m", "prompt": "x", "seed": 1}, "seed"),
        ({"model": "m", "prompt": "x", "response_format": {"type": "json_object"}}, "response_format"),
        ({"model": "m", "prompt": "x", "max_tokens": 0}, "max_tokens"),
        ({"model": "m", "prompt": "x", "extra": {"stream": True}}, "stream"),
        ({"model": "m", "prompt": "x", "endpoint": "/v1/embeddings"}, "endpoint"),
        ({"model": "m", "messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
        ({"model": "m", "messages": [{"role": "wizard", "content": "x"}]}, "messages[0].role"),
        ({"model": "m", "messages": [{"role": "system", "content": "x"}]}, "messages"),
    ],
)
def test_what_is_wrong_is_said_before_sending(build, work, key):
    assert [found for found, _ in build().check(job(**work))] == [key]


def test_the_older_version_takes_sampling_parameters(build):
    work = job(model="m", prompt="x", temperature=1, top_p=0.5)
    assert [key for key, _ in build().check(work)] == ["temperature", "top_p"]
    assert 'api_version = "2023-06-01"' in build().check(work)[0][1]
    assert build(older=True).check(work) == []


def test_a_schema_goes_natively_else_by_prompt(build):
    made = sent(build(), model="m", prompt="x", schema=FRUIT, extra={"output_config": {"effort": "low"}})
    assert made["output_config"] == {
        "effort": "low",
        "format": {"type": "json_schema", "schema": native_schema(FRUIT)},
    }
    open_map = {"type": "object", "additionalProperties": {"type": "string"}}
    for work in ({"schema": open_map}, {"schema": FRUIT, "citations": True}):
        made = sent(build(), model="m", system="Be kind.", prompt="x", **work)
        assert "output_config" not in made
        assert made["system"].startswith("Be kind.\n\n")
        assert '"type":"object"' in made["system"]
    blocks = {"model": "m", "system": [{"type": "text", "text": "a"}], "messages": HELLO}
    assert [block["type"] for block in sent(build(), body=blocks, schema=open_map)["system"]] == [
        "text",
        "text",
    ]


def test_files_come_first_and_are_cited_where_asked(build, tmp_path):
    (tmp_path / "a.txt").write_text("Facts.")
    note = load(tmp_path / "a.txt")
    one = job(model="m", prompt="what?", citations=True)
    one.files = (note,)
    [turn] = build().body(one)["messages"]
    document, asked = turn["content"]
    assert (document["type"], document["citations"]) == ("document", {"enabled": True})
    assert asked == {"type": "text", "text": "what?"}
    assert build().file_rules().citations


def test_tokens_count_the_system_prompt(build):
    short, long = (build().tokens(job(model="m", system="s" * n, prompt="x" * 8)) for n in (4, 400))
    assert long[0] > short[0] > 0
    assert short[1] == 4096


# ---- the narrow form of a schema


def test_bounds_become_words_and_objects_are_closed():
    assert native_schema(FRUIT) == {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "count": {"type": "integer", "description": "{minimum: 1}"},
        },
        "required": ["name"],
        "additionalProperties": False,
    }


def test_references_choices_and_kinds_are_written_out():
    schema = {
        "type": "object",
        "$defs": {"day": {"type": "string", "format": "date", "description": "A day", "maxLength": 10}},
        "properties": {
            "on": {"$ref": "#/$defs/day", "title": "On"},
            "size": {"enum": ["s", "m", None]},
            "note": {"type": ["string", "null"], "description": "Free"},
            "one": {"oneOf": [{"type": "number"}, {"const": "all"}]},
            "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 3},
        },
        "required": ["on"],
    }
    made = native_schema(schema)
    assert made
    assert "$defs" not in made
    assert made["properties"] == {
        "on": {"type": "string", "format": "date", "title": "On", "description": "A day\n\n{maxLength: 10}"},
        "size": {"enum": ["s", "m", None]},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "Free"},
        "one": {"anyOf": [{"type": "number"}, {"const": "all"}]},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1, "description": "{maxItems: 3}"},
    }


TREE = {
    "type": "object",
    "properties": {"children": {"type": "array", "items": {"$ref": "#"}}},
}


@pytest.mark.parametrize(
    "schema",
    [
        TREE,
        {"type": "object"},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "array"},
        {},
        {"properties": {"a": True}, "type": "object"},
        {"$ref": "https://example.com/s.json"},
        {"$ref": "#/$defs/gone"},
        {"type": "string", "not": {"const": "x"}},
        {"enum": [{"a": 1}]},
        {"enum": []},
        {"allOf": [{"type": "string"}, {"minLength": 1}]},
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["b"]},
        {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(25)}},
        {"anyOf": [{"type": "string"}], "properties": {}},
        {"type": 7},
        {"anyOf": "x"},
    ],
)
def test_what_cannot_be_said_is_left_to_the_prompt(schema):
    assert native_schema(schema) is None
