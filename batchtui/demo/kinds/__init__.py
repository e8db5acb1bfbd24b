"""The protocols that the demo server speaks, one file each. A new one is a `DemoKind` added to KINDS."""

from __future__ import annotations

from batchtui.demo.kinds.base import DemoKind
from batchtui.demo.kinds.chat import ChatDemo
from batchtui.demo.kinds.openai import OpenAIDemo

KINDS: tuple[type[DemoKind], ...] = (ChatDemo, OpenAIDemo)
