"""An answer with its citations beside the passages that rest on them, and fields with what bears them out."""

from __future__ import annotations

import json
import re

from batchtui.model import Json, Result
from batchtui.results.citing.citations import passages, place
from batchtui.text import cell

QUOTE, VALUE, NAME = 160, 40, 30
"""Characters of a quote, of a field's value and of its name that are shown."""
MARK = "    ↳ "
_BESIDE = re.compile(rf"^(?:{MARK}).*$", re.MULTILINE)
_NO_FIELDS: dict[str, list[Json]] = {}


def cited_text(result: Result) -> str:
    """The answer as people read it where it cites; `[n]` marks a passage, its quotes follow its line."""
    answer, citations = result.raw_response or "", [_whole(one) for one in result.citations or ()]
    pieces: list[str] = []
    at = 0
    waiting: list[int] = []
    for passage in passages(citations, len(answer)):
        if passage.end < at:
            continue
        pieces += [*_up_to(answer[at : passage.end], waiting, citations)]
        pieces.append("".join(f" [{number + 1}]" for number in passage.citations))
        waiting += passage.citations
        at = passage.end
    pieces += _up_to(answer[at:], waiting, citations)
    placed = {number for passage in passages(citations, len(answer)) for number in passage.citations}
    waiting += (number for number in range(len(citations)) if number not in placed)
    if waiting:
        pieces += ["\n", _beside(waiting, citations)]
    text = "".join(pieces).rstrip("\n")
    fields = _fields(result, citations)
    return "\n\n".join(part for part in (fields, text) if part)


def beside(text: str) -> list[tuple[int, int]]:
    """Where in the shown text the lines with quotes stand."""
    return [match.span() for match in _BESIDE.finditer(text)]


def _up_to(text: str, waiting: list[int], citations: list[dict[str, Json]]) -> list[str]:
    """The text; where its first line ends, the quotes that wait for it are set below."""
    line, end, rest = text.partition("\n")
    if not end or not waiting:
        return [text]
    below = _beside(waiting, citations)
    waiting.clear()
    return [line, "\n", below, "\n", rest]


def _beside(numbers: list[int], citations: list[dict[str, Json]]) -> str:
    return "\n".join(f"{MARK}[{number + 1}] {_quoted(citations[number])}" for number in numbers)


def _quoted(citation: dict[str, Json]) -> str:
    quote = cell(" ".join(str(citation.get("text") or "").split()), QUOTE)
    return ": ".join(
        part for part in (cell(place(citation), NAME * 3), f"“{quote}”" if quote else "") if part
    )


def _fields(result: Result, citations: list[dict[str, Json]]) -> str:
    """One line a field: its value, the confidence, and the citations that bear it out."""
    parsed = result.parsed_response
    if not isinstance(parsed, dict):
        return ""
    mappings = result.citation_mappings if isinstance(result.citation_mappings, dict) else _NO_FIELDS
    rows = [
        (cell(name, NAME), cell(_value(value), VALUE), *_borne_out(mappings.get(name), citations))
        for name, value in parsed.items()
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)] if rows else []
    return "\n".join(
        "  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[3]]).rstrip()
        for row in rows
    )


def _borne_out(found: Json, citations: list[dict[str, Json]]) -> tuple[str, str]:
    """How sure it is and where, of the first citation that bears a field out."""
    if not isinstance(found, list) or not found or not isinstance(found[0], dict):
        return "-", ""
    first = _whole(found[0])
    number = next((n for n, one in enumerate(citations, 1) if _same(one, first)), None)
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    mark = f"[{number}] " if number else ""
    return cell(str(first.get("confidence") or "-"), 10), f"{mark}{cell(place(first), NAME * 3)}{more}"


def _same(one: dict[str, Json], other: dict[str, Json]) -> bool:
    return all(one.get(key) == other.get(key) for key in ("text", "source", "metadata"))


def _value(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _whole(citation: Json) -> dict[str, Json]:
    """A stored citation as a table whose parts may be asked for."""
    known = citation if isinstance(citation, dict) else {}
    metadata = known.get("metadata")
    return {**known, "metadata": metadata if isinstance(metadata, dict) else {}}
