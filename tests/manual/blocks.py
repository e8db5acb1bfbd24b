"""The code blocks of a page, taken as a reader takes them: this is a file, that is typed."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"`([\w./-]+\.(?:toml|csv|tsv|jsonl?|py|ya?ml))`")
CAPTION_ENDS = ":"


@dataclass(frozen=True)
class Block:
    """`name` is what the paragraph above calls it, where that says so and ends with a colon."""

    language: str
    text: str
    name: str | None

    @property
    def commands(self) -> list[list[str]]:
        """What is typed: the words of each line behind `$ `, without its comment."""
        lines = [line[2:] for line in self.text.splitlines() if line.startswith("$ ")]
        return [shlex.split(line, comments=True) for line in lines]


def blocks_of(text: str) -> list[Block]:
    return [
        Block(found[1], found[2], _name(text[: found.start()], found[1])) for found in FENCE.finditer(text)
    ]


def _name(before: str, language: str) -> str | None:
    paragraph = before.rstrip("\n").rpartition("\n\n")[2]
    if not paragraph.endswith(CAPTION_ENDS) or language == "console":
        return None
    names: list[str] = NAME.findall(paragraph)
    return names[-1] if names else None
