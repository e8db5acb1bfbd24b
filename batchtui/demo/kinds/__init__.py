"""The protocols that the demo server speaks, one file each. A new one is a `DemoKind` added to KINDS."""

from __future__ import annotations

from batchtui.demo.kinds.anthropic.batches import AnthropicDemo
from batchtui.demo.kinds.anthropic.messages import AnthropicMessagesDemo
from batchtui.demo.kinds.base import DemoKind
from batchtui.demo.kinds.buttermilk.api import ButtermilkDemo
from batchtui.demo.kinds.chat import ChatDemo
from batchtui.demo.kinds.daly.api import DalyDemo
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
    ButtermilkDemo,
    DalyDemo,
)
