"""Moderations as OpenAI and Mistral answer them: what is flagged holds the word [[flag]]."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from batchtui.demo import answers
from batchtui.model import Json

_CATEGORIES = ("harassment", "hate", "illicit", "self-harm", "sexual", "violence")


def moderated(body: dict[str, Json], new_id: Callable[[str], str]) -> dict[str, Json]:
    """One result for each text; parts of several kinds are one input."""
    given = body["input"]
    several = isinstance(given, list) and all(isinstance(one, str | list) for one in given)
    results = [_result(body["model"], one) for one in (given if several else [given])]
    return {"id": new_id("modr-"), "model": body["model"], "results": results}


def _result(model: str, text: Json) -> dict[str, Json]:
    pick = answers.picks(msgspec.json.encode([model, text]))
    flagged = "[[flag]]" in msgspec.json.encode(text).decode()
    scores = {name: next(pick) / 2560 for name in _CATEGORIES}
    if flagged:
        scores["violence"] = 0.97
    return {
        "flagged": flagged,
        "categories": {name: score > 0.5 for name, score in scores.items()},
        "category_scores": scores,
        "category_applied_input_types": {name: ["text"] for name in scores},
    }
