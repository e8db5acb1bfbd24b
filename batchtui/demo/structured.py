"""Answers that were asked to fit a JSON Schema, and the ways in which models spoil them.

`[[invalid]]`, `[[fenced]]`, `[[wordy]]` and `[[cut]]` in the last question spoil the answer on purpose; the faults
`invalid` (it breaks its schema) and `badjson.answer` (cut off, fenced or surrounded by words) spoil a share of them.
"""

from __future__ import annotations

import json
import re
from itertools import islice

import msgspec

from batchtui.demo import answers
from batchtui.demo.faults import ANSWER, Faults
from batchtui.demo.instance import instance
from batchtui.model import Json

MISFIT = '"an answer that breaks its schema"'
_BY_PROMPT = re.compile(r"<json_schema>\s*(\{.*\})\s*</json_schema>", re.DOTALL)
_WORD = re.compile("schema", re.IGNORECASE)
_MENTIONS, _NEAR = 20, 200
"""How often the word is looked at, and how many characters behind it the schema may begin."""
_DECODER = json.JSONDecoder()
_TYPES = ("object", "array", "string", "integer", "number", "boolean")
_KEYWORDS = frozenset(
    """$schema $id $ref $defs definitions title description type enum const properties required additionalProperties
    items anyOf oneOf allOf minItems maxItems minimum maximum minLength maxLength pattern format default
    examples""".split()  # noqa: SIM905
)
_SPOILT = ("cut", "fenced", "wordy")


def structured(schema: Json, asked: str, key: bytes, faults: Faults) -> str:
    """The text of an answer for `schema` to the question `asked`, always the same for the same `key`."""
    if "[[invalid]]" in asked or faults.chance("invalid", key):
        return MISFIT
    pick = answers.picks(key)
    text = msgspec.json.encode(instance(schema, pick)).decode()
    way = next((way for way in _SPOILT if f"[[{way}]]" in asked), None)
    if way is None and faults.chance(ANSWER, key):
        way = _SPOILT[next(pick) % len(_SPOILT)]
    if way == "cut":
        return text[: len(text) // 2]
    if way == "fenced":
        return f"```json\n{text}\n```"
    return (
        f"Certainly! Here is what you asked for:\n\n{text}\n\nDo tell me if anything is missing."
        if way
        else text
    )


def schema_in_prompt(*prompts: str) -> Json:
    """The schema that the first of these describes in words; None where there is none.

    Between `<json_schema>` tags, or the JSON object that follows the word "schema" and looks like one.
    """
    for prompt in prompts:
        if match := _BY_PROMPT.search(prompt):
            try:
                return json.loads(match[1])
            except ValueError:
                continue
        for word in islice(_WORD.finditer(prompt), _MENTIONS):
            start = prompt.find("{", word.end(), word.end() + _NEAR)
            found = _decoded(prompt, start) if start >= 0 else None
            if _is_schema(found):
                return found
    return None


def _decoded(text: str, start: int) -> Json:
    try:
        return _DECODER.raw_decode(text, start)[0]
    except (ValueError, RecursionError):
        return None


def _is_schema(value: Json) -> bool:
    if not isinstance(value, dict) or not value.keys() <= _KEYWORDS:
        return False
    return isinstance(value.get("properties"), dict) or value.get("type") in _TYPES or "$ref" in value
