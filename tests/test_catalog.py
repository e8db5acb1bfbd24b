"""A kind is one folder: its card says what the rest of the house knows of it, and nothing else names it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from batchtui.backends.registry import load_kind
from batchtui.catalog import Card, cards
from batchtui.catalog.form import derived

ROOT = Path(__file__).parents[1]
PRODUCT = ROOT / "batchtui"
ELSEWHERE = {
    # It speaks their protocols, a module a kind.
    "demo": set(cards()),
    # `chat` speaks two APIs, which are called as their makers are.
    "backends/chat": {"openai", "anthropic"},
    # The dialect that is OpenAI's own.
    "backends/prompts/dialects.py": {"openai"},
}
"""Where a word that is a kind's name may stand beside its own folder, with why."""


def named(path: Path) -> Iterator[tuple[int, str]]:
    """Names of kinds that stand as a text in this file, with their lines."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and node.value in cards():
            yield node.lineno, str(node.value)


def folder_of(card: Card) -> Path:
    """Where the kind lives, with all that is in it."""
    module = card.backend.partition(":")[0]
    return ROOT.joinpath(*module.split(".")).parent


def allowed(path: Path) -> set[str]:
    place = path.relative_to(PRODUCT)
    own = {card.name for card in cards().values() if path.is_relative_to(folder_of(card))}
    beside = [words for start, words in ELSEWHERE.items() if place.as_posix().startswith(start)]
    return own.union(*beside)


def test_a_kind_is_named_in_its_own_folder_alone() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in sorted(PRODUCT.rglob("*.py"))
        for line, name in named(path)
        if name not in allowed(path)
    ]
    assert not found, "what these know of a kind belongs on its card:\n" + "\n".join(found)


@pytest.mark.parametrize("name", cards())
def test_a_card_says_what_its_kind_is(name: str) -> None:
    card, kind = cards()[name], load_kind(name)
    assert kind.card is card
    assert (kind.kind, kind.summary, kind.remote) == (card.name, card.summary, card.remote)
    assert (folder_of(card) / "card.py").is_file()
    fields = {field.encode_name for field in msgspec.structs.fields(kind.Work)}
    shown = {field.key.removeprefix("job.") for form in card.form.values() for field in form}
    assert shown, "the compose form shows nothing of its jobs"
    assert shown <= fields | {"citations", "schema", "file", "model", "system", "prompt"}, shown - fields
    assert set(card.form) == set(card.works)


def test_ranks_are_all_different() -> None:
    ranks = [card.rank for card in cards().values()]
    assert ranks == sorted(set(ranks))


def test_cards_are_read_without_any_kind() -> None:
    code = (
        "import sys; from batchtui.catalog import cards; assert len(cards()) > 10\n"
        "sys.exit([name for name in sys.modules if name.startswith('batchtui.backends.') "
        "and name.count('.') > 2 and not name.endswith('.card')] != [])"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_a_plug_in_without_a_card_has_a_field_for_each_key() -> None:
    class Work(msgspec.Struct):
        text: str
        longer_than: int = 0
        share: float | None = None
        words: list[str] = []

    assert [(one.key, one.label, one.reads) for one in derived(Work)] == [
        ("job.text", "Text", "text"),
        ("job.longer_than", "Longer than", "whole"),
        ("job.share", "Share", "number"),
        ("job.words", "Words", "input"),
    ]
