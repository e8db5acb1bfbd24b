"""Which kind a model's name belongs to, for jobs that name a model and no backend. Data, as of November 2026."""

from __future__ import annotations

from batchtui.backends.prompts.dialects import DIALECTS, dialect_of
from batchtui.model import Json

MODEL_KINDS: tuple[tuple[str, str], ...] = (
    ("gpt-", "openai"),
    ("chatgpt-", "openai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4", "openai"),
    ("text-embedding-", "openai"),
    ("omni-moderation-", "openai"),
    ("ft:gpt-", "openai"),
    ("claude-", "anthropic"),
    ("gemini-", "gemini"),
    ("models/gemini-", "gemini"),
    ("gemma-", "gemini"),
    ("mistral-", "mistral"),
    ("ministral-", "mistral"),
    ("magistral-", "mistral"),
    ("codestral-", "mistral"),
    ("devstral-", "mistral"),
    ("pixtral-", "mistral"),
    ("voxtral-", "mistral"),
    ("open-mistral-", "mistral"),
    ("open-mixtral-", "mistral"),
    ("meta-llama/", "together"),
    ("Qwen/", "together"),
    ("deepseek-ai/", "together"),
    ("moonshotai/", "together"),
    ("zai-org/", "together"),
)
"""Beginnings of names, told apart by case; the longest that fits counts."""

OTHER_MAKERS = frozenset({"groq", "deepinfra"})
"""Dialects of kind `openai` whose servers have other makers' models, never OpenAI's own."""


def kind_of_model(model: str) -> str | None:
    """The kind whose provider makes or serves models named like this."""
    fitting = [(len(prefix), kind) for prefix, kind in MODEL_KINDS if model.startswith(prefix)]
    return max(fitting)[1] if fitting else None


def takes_models_of(kind: str, table: dict[str, Json]) -> bool:
    """Whether a `[backends.NAME]` table is of a server that has the models which name this kind."""
    if table.get("kind") != kind:
        return False
    dialect, base_url = table.get("dialect"), table.get("base_url")
    named = dialect if dialect in DIALECTS else None
    return (
        kind != "openai"
        or dialect_of(named, base_url if isinstance(base_url, str) else None).name not in OTHER_MAKERS
    )
