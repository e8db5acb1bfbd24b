"""Answers that cite the documents of a request: by characters, pages or blocks, the same for the same question."""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from batchtui.demo import answers
from batchtui.demo.instance import instance
from batchtui.demo.structured import schema_in_prompt
from batchtui.model import Json

Body = dict[str, Json]

_SENTENCE = re.compile(r"[^\s.!?][^.!?\n]{0,400}[.!?]?")
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_SHOWN = re.compile(rb"\(((?:\\.|[^()\\])*)\)\s*(?:Tj|')")
_STREAM_LIMIT = 10_000_000


class Quote(NamedTuple):
    text: str
    place: Body
    """The type of the citation and where in the document it is."""


@dataclass(frozen=True, slots=True)
class Document:
    index: int
    title: str | None
    quotes: list[Quote]

    def citation(self, number: int) -> Body:
        quote = self.quotes[number % len(self.quotes)]
        known = {"cited_text": quote.text, "document_index": self.index, "document_title": self.title}
        return {**quote.place, **known, "file_id": None}


def uneven(messages: list[Json]) -> bool:
    """Whether some documents ask for citations and some do not, which is refused."""
    asked = {_wants(block) for block in _documents(messages)}
    return len(asked) == 2


def cited_content(body: Body, text: str, key: bytes) -> list[Body]:
    """The blocks of an answer in place of its plain `text`; one plain block where no document has text to cite."""
    pick = answers.picks(key)
    documents = [
        Document(index, block.get("title"), quotes)
        for index, block in enumerate(_documents(body["messages"]))
        if _wants(block) and (quotes := _quotes(block.get("source")))
    ]
    system = body.get("system")
    words = system if isinstance(system, str) else msgspec.json.encode(system).decode()
    schema = schema_in_prompt(words)
    if isinstance(schema, dict):
        return _fields(instance(schema, answers.picks(key)), text, documents, pick)
    pieces = re.split(r"(?<=[.!?])(?=\s)", text)
    return [
        _block(piece, [_one_of(documents, pick)] if documents and place % 2 else [])
        for place, piece in enumerate(pieces)
        if piece
    ]


def _fields(value: Json, text: str, documents: list[Document], pick: Iterator[int]) -> list[Body]:
    """A line for each field, its value cited, and then the answer itself in a fence."""
    blocks: list[Body] = []
    for name, field in value.items() if isinstance(value, dict) else ():
        if isinstance(field, str | int | float) and not isinstance(field, bool) and documents:
            label = str(name).replace("_", " ").capitalize()
            cited = [_one_of(documents, pick)]
            blocks += [_block(f"**{label}**: ", []), _block(str(field), cited), _block("\n", [])]
    fenced = text if "```" in text else f"```json\n{text}\n```"
    return [*blocks, _block(f"\n{fenced}", [])]


def _block(text: str, citations: list[Body]) -> Body:
    return {"type": "text", "text": text, "citations": citations or None}


def _one_of(documents: list[Document], pick: Iterator[int]) -> Body:
    return documents[next(pick) % len(documents)].citation(next(pick))


# ---- the documents of a request


def _documents(messages: list[Json]) -> list[Body]:
    contents = [message.get("content") for message in messages if isinstance(message, dict)]
    parts = [part for content in contents if isinstance(content, list) for part in content]
    return [part for part in parts if isinstance(part, dict) and part.get("type") == "document"]


def _wants(block: Body) -> bool:
    asked = block.get("citations")
    return isinstance(asked, dict) and bool(asked.get("enabled"))


def _quotes(source: Json) -> list[Quote]:
    if not isinstance(source, dict):
        return []
    data = source.get("data")
    if source.get("type") == "text" and isinstance(data, str):
        return [
            Quote(
                found[0],
                {
                    "type": "char_location",
                    "start_char_index": found.start(),
                    "end_char_index": found.end(),
                },
            )
            for found in _SENTENCE.finditer(data)
        ]
    if source.get("type") == "base64" and isinstance(data, str):
        return [
            Quote(
                text,
                {"type": "page_location", "start_page_number": page, "end_page_number": page + 1},
            )
            for page, text in enumerate(_pages(data), 1)
        ]
    if source.get("type") == "content":
        given = source.get("content")
        chunks = [given] if isinstance(given, str) else given if isinstance(given, list) else []
        texts = [chunk.get("text") if isinstance(chunk, dict) else chunk for chunk in chunks]
        return [
            Quote(
                text,
                {
                    "type": "content_block_location",
                    "start_block_index": place,
                    "end_block_index": place + 1,
                },
            )
            for place, text in enumerate(texts)
            if isinstance(text, str) and text
        ]
    return []


def _pages(data: str) -> list[str]:
    """The text of a simple PDF, a page for each stream that shows some."""
    try:
        raw = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return []
    pages = []
    for stream in _STREAM.findall(raw):
        with contextlib.suppress(zlib.error):  # it is not packed
            stream = zlib.decompressobj().decompress(stream, _STREAM_LIMIT)
        shown = [re.sub(rb"\\(.)", rb"\1", text) for text in _SHOWN.findall(stream)]
        if shown:
            pages.append(b" ".join(shown).decode("latin-1"))
    return pages
