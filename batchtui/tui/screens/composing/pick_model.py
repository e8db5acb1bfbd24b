"""A model by choice or by typing: what is typed narrows the list, and counts by itself where nothing matches."""

from __future__ import annotations

from batchtui.tui.models.offered import Models
from batchtui.tui.screens.asking.pick import Pick


class PickModel(Pick):
    """Answers the model's name."""

    def __init__(self, title: str, models: Models, value: str = "") -> None:
        super().__init__(title, list(models.prices.items()), value)

    def nothing_matches(self, typed: str) -> None:
        self.dismiss(typed or None)
