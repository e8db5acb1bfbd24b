"""The protocols that the demo server speaks, one file each. A new one is a `DemoKind` added to KINDS, or named by its domain."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from batchtui.catalog import domains
from batchtui.demo.kinds.anthropic.batches import AnthropicDemo
from batchtui.demo.kinds.anthropic.messages import AnthropicMessagesDemo
from batchtui.demo.kinds.base import DemoKind
from batchtui.demo.kinds.chat import ChatDemo
from batchtui.demo.kinds.gemini.batches import GeminiDemo
from batchtui.demo.kinds.mistral import MistralDemo
from batchtui.demo.kinds.openai.batches import OpenAIDemo
from batchtui.demo.kinds.together import TogetherDemo

KINDS: tuple[type[DemoKind], ...] = (
    ChatDemo,
    OpenAIDemo,
    AnthropicMessagesDemo,
    AnthropicDemo,
    GeminiDemo,
    MistralDemo,
    TogetherDemo,
)


def kinds() -> list[type[DemoKind]]:
    """All of them: ours, and those of domains."""
    return [*KINDS, *(_named(place) for domain in domains() for place in domain.demo)]


def _named(place: str) -> type[DemoKind]:
    module, _, name = place.partition(":")
    return cast("type[DemoKind]", getattr(import_module(module), name))
