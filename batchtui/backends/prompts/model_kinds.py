"""Which kind a model's name belongs to, for jobs that name a model and no backend."""

from __future__ import annotations

from batchtui.backends.prompts.dialects import DIALECTS, dialect_of
from batchtui.catalog import cards
from batchtui.model import Json

OTHER_MAKERS = frozenset({"groq", "deepinfra"})
"""Dialects of kind `openai` whose servers have other makers' models, never OpenAI's own."""


def kind_of_model(model: str) -> str | None:
    """The kind whose provider makes or serves models named like this: the longest beginning that fits counts."""
    fitting = [
        (len(prefix), card.name)
        for card in cards().values()
        for prefix in card.models
        if model.startswith(prefix)
    ]
    return max(fitting)[1] if fitting else None


def takes_models_of(kind: str, table: dict[str, Json]) -> bool:
    """Whether a `[backends.NAME]` table is of a server that has the models which name this kind."""
    if table.get("kind") != kind:
        return False
    dialect, base_url = table.get("dialect"), table.get("base_url")
    named = dialect if dialect in DIALECTS else None
    return dialect_of(named, base_url if isinstance(base_url, str) else None).name not in OTHER_MAKERS
