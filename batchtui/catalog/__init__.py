"""What is known of each kind without importing it: one card a kind, in the kind's own folder."""

from batchtui.catalog.card import Card as Card
from batchtui.catalog.card import Variables as Variables
from batchtui.catalog.cards import card_of as card_of
from batchtui.catalog.cards import cards as cards

__all__ = ["Card", "Variables", "card_of", "cards"]
