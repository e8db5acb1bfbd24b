"""A JSON value as a tree, whose branches are filled when they are opened."""

from __future__ import annotations

import json

from rich.text import Text
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from batchtui.model import Json
from batchtui.text import cell

CHILDREN_LIMIT = 1000
"""Children of one branch that are shown; the rest is counted."""


class JsonTree(Tree[Json]):
    """`show` replaces the value and opens its root."""

    def __init__(self) -> None:
        super().__init__(Text("answer"))
        self.guide_depth = 2

    def show(self, value: Json) -> None:
        self.clear()
        self.root.data = value
        self.root.set_label(_label("answer", value))
        self._fill(self.root)
        self.root.expand()

    def on_tree_node_expanded(self, event: Tree.NodeExpanded[Json]) -> None:
        if not event.node.children:
            self._fill(event.node)

    def _fill(self, node: TreeNode[Json]) -> None:
        value: Json = node.data
        pairs = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        )
        for number, (key, inner) in enumerate(pairs):
            if number == CHILDREN_LIMIT:
                node.add_leaf(Text(f"… {len(value) - CHILDREN_LIMIT:,} more", style="dim"))
                return
            branch = isinstance(inner, dict | list) and bool(inner)
            node.add(_label(str(key), inner), data=inner, allow_expand=branch)


def _label(key: str, value: Json) -> Text:
    """`key: value`, one clean line; of a branch how much it holds."""
    name = Text(f"{cell(key, 60)}: ", style="bold")
    if isinstance(value, dict):
        return name + Text(f"{{{len(value):,}}}", style="dim")
    if isinstance(value, list):
        return name + Text(f"[{len(value):,}]", style="dim")
    if isinstance(value, str):
        return name + Text(cell(f'"{value[:400]}"'), style="green")
    return name + Text(cell(json.dumps(value, default=str)), style="cyan")
