"""No modules import each other in a circle, imports in functions and for types counted.

lint-imports holds the layers; circles inside a layer are what it does not see.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in (ROOT / "batchtui").rglob("*.py")
}


def _imported(name: str, path: Path) -> Iterator[str]:
    """Modules of ours that this one imports, wherever in it."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                base = ".".join([*parts[: len(parts) - node.level + 1], *filter(None, [base])])
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                if whole in MODULES:
                    yield whole
                elif base in MODULES:
                    yield base


def _circles(arrows: dict[str, set[str]]) -> list[set[str]]:
    """Sets of those that all reach each other, the smallest first."""
    reached = {name: _reached(name, arrows) for name in arrows}
    found = {frozenset({name, *(o for o in reached[name] if name in reached[o])}) for name in arrows}
    return sorted((set(one) for one in found if len(one) > 1), key=len)


def _reached(name: str, arrows: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    left = [name]
    while left:
        for other in arrows[left.pop()] - seen:
            seen.add(other)
            left.append(other)
    return seen


def test_no_circle() -> None:
    arrows = {name: set(_imported(name, path)) - {name} for name, path in MODULES.items()}
    assert sum(map(len, arrows.values())) > 1000
    assert "batchtui.engine.live_batch" in arrows["batchtui.engine.round"]
    assert [sorted(one) for one in _circles(arrows)] == []


def test_circles_are_found() -> None:
    arrows = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set[str](), "e": {"a"}}
    assert _circles(arrows) == [{"b", "c"}]
