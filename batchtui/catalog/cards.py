"""The cards of all built-in kinds, read from their folders: a folder of `backends` or `domains` with a `card.py` is a kind."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

from batchtui.catalog.card import Card

_PACKAGE = Path(__file__).parents[1]


@cache
def cards() -> Mapping[str, Card]:
    """Every built-in kind's card by its name, in the order in which kinds are listed."""
    places = (
        *_PACKAGE.glob("backends/*/card.py"),
        *_PACKAGE.glob("domains/*/card.py"),
        *_PACKAGE.glob("domains/*/*/card.py"),
    )
    found = [_card_in(path.parent) for path in places]
    return MappingProxyType({card.name: card for card in sorted(found, key=lambda card: card.rank)})


def card_of(kind: str) -> Card | None:
    """The card of a built-in kind; None for a plug-in's."""
    return cards().get(kind)


def _card_in(folder: Path) -> Card:
    room = ".".join(folder.relative_to(_PACKAGE).parts)
    card = import_module(f"batchtui.{room}.card").CARD
    assert isinstance(card, Card)
    return card
