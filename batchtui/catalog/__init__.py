"""What is known of each kind and each domain without importing it: one card each, in its own folder."""

from batchtui.catalog.card import Card as Card
from batchtui.catalog.card import Variables as Variables
from batchtui.catalog.cards import card_of as card_of
from batchtui.catalog.cards import cards as cards
from batchtui.catalog.domain import Domain as Domain
from batchtui.catalog.domains import domain_of as domain_of
from batchtui.catalog.domains import domains as domains

__all__ = ["Card", "Domain", "Variables", "card_of", "cards", "domain_of", "domains"]
