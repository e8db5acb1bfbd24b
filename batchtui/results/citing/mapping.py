"""Which citations bear out which field of a parsed answer, with how much confidence and why.

A field goes with a citation where its value stands in the words that the citation covers; the field's name in those
words tells how sure that is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from batchtui.amounts import counted
from batchtui.model import Json
from batchtui.results.citing.citations import Citation, passages
from batchtui.results.citing.value_forms import folded, forms, stands_in

HIGH, MEDIUM = 0.8, 0.3
MOST_FIELDS, MOST_HITS = 100, 50
_NAMED = 10
MOST_CHARACTERS, NEAR = 100_000, 2_000
"""Characters of an answer that are searched for values, and before a citation's end for a name: past them, mapping
would hold up what else is under way."""
_CONNECTED = re.compile(r"\s*(?:and |, |; )", re.IGNORECASE)
_LABEL = re.compile(r"\*\*[^*\n]{1,100}\*\*:?|(?:^|(?<=[\n.;]))[^\n:.;]{1,80}:(?!//)", re.MULTILINE)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(r"[^\W_]+")
_ENDINGS = ("s", "es", "ing", "ed")


@dataclass(slots=True)
class Mapped:
    """`mappings`: field to citations, each with its confidence and reason; `unmapped`: fields with a value and none."""

    mappings: dict[str, list[Citation]] = field(default_factory=dict)
    unmapped: list[str] = field(default_factory=list)

    @property
    def note(self) -> str | None:
        """Names the fields that no citation bears out; None where there are none."""
        if not self.unmapped:
            return None
        known, more = len(self.mappings) + len(self.unmapped), len(self.unmapped) - _NAMED
        named = ", ".join(self.unmapped[:_NAMED]) + (f" and {more} more" if more > 0 else "")
        return f"no citation fits {len(self.unmapped)} of {counted(known, 'field')}: {named}"


class _Pair(NamedTuple):
    """Words that citations cover, as they are and folded, and which citations."""

    text: str
    folded: str
    citations: tuple[int, ...]


class _Score(NamedTuple):
    value: float
    reason: str


def map_citations(answer: str | None, citations: Sequence[Json] | None, parsed: Json) -> Mapped:
    """Never raises, whatever came: a paid answer is worth more than its mapping."""
    mapped = Mapped()
    if not answer or not citations or not isinstance(parsed, dict):
        return mapped
    pairs = _pairs(answer[:MOST_CHARACTERS], citations)
    for name, value in list(parsed.items())[:MOST_FIELDS]:
        written = [folded(form) for form in forms(value)]
        if not written:
            continue
        hits = [
            (pair, form)
            for pair in pairs
            if (form := next((form for form in written if stands_in(form, pair.folded)), None)) is not None
        ]
        if hits:
            mapped.mappings[name] = _graded(name, hits[:MOST_HITS], citations)
        else:
            mapped.unmapped.append(name)
    return mapped


def _pairs(answer: str, citations: Sequence[Json]) -> list[_Pair]:
    """What each citation covers: its own words and those since the one before, after their label where they go on."""
    found: list[_Pair] = []
    label, done = "", 0
    for passage in passages(citations, len(answer)):
        text = answer[min(done, passage.start) : passage.end]
        done = passage.end
        labels = _LABEL.findall(text)
        if label and _CONNECTED.match(text):
            text = f"{label} {text.lstrip()}"
        if labels:
            label = labels[-1].strip()
        found.append(_Pair(text, folded(text), passage.citations))
    return found


def _graded(name: str, hits: list[tuple[_Pair, str]], citations: Sequence[Json]) -> list[Citation]:
    scored = [(_score(name, pair.text[-NEAR:]), pair, form) for pair, form in hits]
    best = max(score.value for score, _, _ in scored)
    least, confidence = (
        (HIGH, "high") if best >= HIGH else (MEDIUM, "medium") if best >= MEDIUM else (0.0, "low")
    )
    kept: dict[int, Citation] = {}
    for score, pair, form in scored:
        reason = f"“{form}” stands there; {score.reason} ({score.value:.1f})"
        for number in pair.citations if score.value >= least else ():
            kept.setdefault(number, {**citations[number], "confidence": confidence, "match_reason": reason})
    return list(kept.values())


# ---- how well a field's name fits


def _score(name: str, text: str) -> _Score:
    words = [word.casefold() for word in _WORD.findall(_CAMEL.sub(" ", name))]
    long = [word for word in words if len(word) > 2]
    if not long:
        return _Score(0.5, "its name is too short to look for")
    text = folded(text.replace("_", " ").replace("\n", " \x00 ")).replace('"', "")
    phrase = r"[\W_]+".join(map(re.escape, words))
    if re.search(rf"\*\*(?:[^*]*[\W_])?{phrase}\s*:?\s*\*\*", text):
        return _Score(1.0, "under its name as a label")
    if (
        re.search(rf"(?<!\w){phrase}(?:\*\*)?\s*:", text)
        or re.search(rf"(?:^|\x00)\W{{0,20}}{phrase}\s*[-–—]", text)
        or re.search(rf"(?<!\w){phrase}\s+(?:is|are|was|were)(?!\w)", text)
    ):
        return _Score(0.9, "right after its name")
    known = set(_WORD.findall(text))
    share = sum(_is_among(word, known) for word in long) / len(long)
    return _Score(share, f"{share:.0%} of its name is near")


def _is_among(word: str, known: set[str]) -> bool:
    if word in known:
        return True
    stems = {word, *(word.removesuffix(ending) for ending in _ENDINGS)}
    return any(
        _one_apart(word, other)
        or other in stems
        or any(other == stem + ending for stem in stems for ending in _ENDINGS if len(stem) > 2)
        for other in known
        if abs(len(other) - len(word)) <= 3
    )


def _one_apart(one: str, other: str) -> bool:
    """Edit distance of 1: a letter more, less, or another."""
    if abs(len(one) - len(other)) > 1:
        return False
    at = next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    return one[at + (len(one) >= len(other)) :] == other[at + (len(other) >= len(one)) :]
