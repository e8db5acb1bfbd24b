"""Answers to a schema, and the ways in which the demo models spoil them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from batchtui.results.judging.judge import judge
from batchtui.results.judging.schema import validator_of
from tests.demo.conftest import Client

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
FORMAT = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA, "strict": False}}
PROMPT = f"Fit this:\n<json_schema>\n{json.dumps(SCHEMA)}\n</json_schema>"
Demo = Callable[..., Client]


def text_of(client: Client, prompt: str, **body: Any) -> str:
    return str(client.chat(prompt, **body).json()["choices"][0]["message"]["content"])


def by_prompt(prompt: str) -> dict[str, Any]:
    return {"messages": [{"role": "system", "content": PROMPT}, {"role": "user", "content": prompt}]}


@pytest.mark.parametrize(
    ("mark", "fits", "repaired"),
    [
        ("", True, None),
        ("[[fenced]]", True, "the code fence around it was taken off"),
        ("[[wordy]]", True, "the words around it were left out"),
        ("[[cut]]", False, None),
        ("[[invalid]]", False, None),
    ],
)
@pytest.mark.parametrize("native", [True, False])
def test_marks_spoil_an_answer(demo: Demo, mark: str, fits: bool, repaired: str | None, native: bool) -> None:
    prompt = f"go {mark}"
    asked = {"response_format": FORMAT} if native else by_prompt(prompt)
    verdict = judge(text_of(demo(), prompt, **asked), validator_of(SCHEMA))
    assert (verdict.fits, verdict.repaired) == (fits, repaired)


def test_a_share_of_answers_is_spoilt_always_the_same(demo: Demo) -> None:
    client = demo("badjson.answer=0.5,seed=4")
    texts = [text_of(client, f"row {n}", response_format=FORMAT) for n in range(60)]
    assert texts == [text_of(client, f"row {n}", response_format=FORMAT) for n in range(60)]
    kinds = Counter(judge(text, validator_of(SCHEMA)).repaired for text in texts)
    assert len(kinds) == 3
    assert 10 < sum(text.startswith("{") and text.endswith("}") for text in texts) < 50
    assert all(client.chat(f"row {n}").status_code == 200 for n in range(20)), "replies stay whole"
