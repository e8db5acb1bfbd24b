"""Citations of an answer in one shape, whatever the provider cites by: characters, pages or blocks.

A citation is `{text, source, page, metadata, confidence, match_reason}`: the words it quotes, the title of their
document, its first page where there are pages, and under `metadata` every other field the provider gave (its kind as
`type`) and, as `at`, from where to where in the answer the words stand that rest on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from batchtui.model import Json

Citation = dict[str, Json]
MOST = 10_000
"""Citations of one answer that are kept; past them it is no answer a person could read."""
_TOLD = ("cited_text", "document_title")
_SOURCES = ("document_title", "title", "source", "url")


def cited_answer(blocks: Json) -> tuple[str | None, list[Citation] | None]:
    """Text and citations of an answer that came as a list of blocks; (None, None) where there is no text."""
    texts: list[str] = []
    found: list[Citation] = []
    length = 0
    for block in blocks if isinstance(blocks, list) else []:
        text = block.get("text") if isinstance(block, dict) else None
        if not isinstance(text, str):
            continue
        texts.append(text)
        given = block.get("citations")
        for one in given if isinstance(given, list) else []:
            if isinstance(one, dict) and len(found) < MOST:
                found.append(_citation(one, [length, length + len(text)]))
        length += len(text)
    return ("".join(texts), found or None) if texts else (None, None)


def _citation(given: dict[str, Json], at: list[int]) -> Citation:
    source = next((given[key] for key in _SOURCES if isinstance(given.get(key), str)), None)
    text, page = given.get("cited_text"), given.get("start_page_number")
    return {
        "text": text if isinstance(text, str) else "",
        "source": source,
        "page": page if isinstance(page, int) else None,
        "metadata": {key: value for key, value in given.items() if key not in _TOLD} | {"at": at},
        "confidence": None,
        "match_reason": None,
    }


def moved(citations: list[Citation] | None, by: int, length: int) -> list[Citation] | None:
    """The citations of an answer of which the first `by` characters were taken off, and `length` are left.

    One that stood only on what was taken off keeps its words and loses its place.
    """
    if not by or not citations:
        return citations
    return [_moved(one, by, length) for one in citations]


def _moved(citation: Citation, by: int, length: int) -> Citation:
    start, end = citation["metadata"]["at"]
    start, end = max(0, start - by), min(length, end - by)
    metadata = {key: value for key, value in citation["metadata"].items() if key != "at"}
    return citation | {"metadata": metadata | ({"at": [start, end]} if start < end else {})}


class Passage(NamedTuple):
    """Words of an answer, from `start` to `end`, and the citations they rest on, by their place in the list."""

    start: int
    end: int
    citations: tuple[int, ...]


def passages(citations: Sequence[Json] | None, length: int) -> list[Passage]:
    """The cited passages of an answer of `length` characters, in its order; citations without a place are left out."""
    by_place: dict[tuple[int, int], list[int]] = {}
    for number, one in enumerate(citations or ()):
        metadata = one.get("metadata") if isinstance(one, dict) else None
        at = metadata.get("at") if isinstance(metadata, dict) else None
        if isinstance(at, list) and len(at) == 2 and all(isinstance(edge, int) for edge in at):
            start, end = at
            if 0 <= start <= end <= length:
                by_place.setdefault((start, end), []).append(number)
    return [Passage(start, end, tuple(numbers)) for (start, end), numbers in sorted(by_place.items())]


def place(citation: Citation) -> str:
    """Where the quoted words stand: `report.pdf, page 3`, `notes.txt, characters 10-52`, `blocks 0-2`."""
    return ", ".join(
        part for part in (str(citation.get("source") or "") or _document(citation), _where(citation)) if part
    )


def _document(citation: Citation) -> str:
    number = (citation.get("metadata") or {}).get("document_index")
    return f"document {number + 1}" if isinstance(number, int) else ""


def _where(citation: Citation) -> str:
    return next(_wheres(citation.get("metadata") or {}), "")


def _wheres(metadata: dict[str, Json]) -> Iterator[str]:
    """The provider counts pages from 1 and ends after the last one."""
    for name, first, last, ends_before in (
        ("page", "start_page_number", "end_page_number", True),
        ("character", "start_char_index", "end_char_index", False),
        ("block", "start_block_index", "end_block_index", True),
    ):
        start, end = metadata.get(first), metadata.get(last)
        if isinstance(start, int):
            end = end - ends_before if isinstance(end, int) else start
            yield f"{name} {start}" if end <= start else f"{name}s {start}-{end}"
