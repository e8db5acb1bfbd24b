"""Answers that were asked to fit a JSON Schema, and the ways in which models spoil them.

`[[invalid]]`, `[[fenced]]`, `[[wordy]]` and `[[cut]]` in the last question spoil the answer on purpose; the faults
`invalid` (it breaks its schema) and `badjson.answer` (cut off, fenced or surrounded by words) spoil a share of them.
"""

from __future__ import annotations

import json
import re

import msgspec

from batchtui.demo import answers
from batchtui.demo.faults import ANSWER, Faults
from batchtui.demo.instance import instance
from batchtui.model import Json

MISFIT = '"an answer that breaks its schema"'
_BY_PROMPT = re.compile(r"<json_schema>\s*(\{.*\})\s*</json_schema>", re.DOTALL)
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


def schema_in_prompt(prompt: str) -> Json:
    """The schema that a prompt describes in words, between `<json_schema>` tags; None where there is none."""
    match = _BY_PROMPT.search(prompt)
    try:
        return json.loads(match[1]) if match else None
    except ValueError:
        return None
