"""Where Textual reads markup, only what is ours or was cleaned is given to it: `Content` or `Text`, never a bare string."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import batchtui.tui

HERE = Path(batchtui.tui.__file__).parent
TREES = {path: ast.parse(path.read_text("utf-8")) for path in HERE.rglob("*.py")}
WIDGETS = {
    "Button", "Checkbox", "Collapsible", "Label", "Option", "RadioButton", "Select", "Static", "Tab", "TabPane",
}  # fmt: skip
METHODS = {"add_column", "add_columns", "add_row", "set_label", "update"}
ATTRIBUTES = {"border_title", "border_subtitle", "label", "sub_title", "title", "tooltip"}
PAINTED = ("Content", "Text", "Group", "Markdown", "RenderableType", "VisualType")
"""What a screen paints as it is."""


def makers() -> set[str]:
    """Functions of the app that say that they return such a thing."""
    return {
        node.name
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.returns and _is_painted(ast.unparse(node.returns))
    }


def fields() -> set[str]:
    """Names of fields that hold such a thing."""
    return {
        ast.unparse(node.target)
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign) and _is_painted(ast.unparse(node.annotation))
    }


def _is_painted(annotation: str) -> bool:
    return any(annotation in (name, f"list[{name}]", f"{name} | None") for name in PAINTED)


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _leaves(node: ast.expr) -> Iterator[ast.expr]:
    """What an expression may come to."""
    match node:
        case ast.IfExp():
            yield from (*_leaves(node.body), *_leaves(node.orelse))
        case ast.BoolOp():
            for value in node.values:
                yield from _leaves(value)
        case ast.Starred():
            yield from _leaves(node.value)
        case ast.List() | ast.Tuple():
            for value in node.elts:
                yield from _leaves(value)
        case ast.ListComp() | ast.GeneratorExp():
            yield from _leaves(node.elt)
        case _:
            yield node


def _safe(node: ast.expr, makes: set[str], assigned: dict[str, list[ast.expr]]) -> bool:
    for leaf in _leaves(node):
        match leaf:
            case ast.Constant():
                continue
            case ast.Call() if _name(leaf) in makes or ast.unparse(leaf.func).startswith(("Content", "Text")):
                continue
            case ast.Attribute() if leaf.attr in FIELDS:
                continue
            case ast.Name() if leaf.id in assigned and all(
                _safe(value, makes, {}) for value in assigned[leaf.id]
            ):
                continue
        return False
    return True


def _assigned(function: ast.AST) -> dict[str, list[ast.expr]]:
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        for target in node.targets if isinstance(node, ast.Assign) else ():
            if isinstance(target, ast.Name) and isinstance(node, ast.Assign):
                found.setdefault(target.id, []).append(node.value)
    return found


def _given(node: ast.AST) -> list[ast.expr]:
    """The texts that a statement hands to a place that reads markup."""
    if isinstance(node, ast.Call):
        name, is_method = _name(node), isinstance(node.func, ast.Attribute)
        if name == "notify" and not any(
            word.arg == "markup" and ast.unparse(word.value) == "False" for word in node.keywords
        ):
            return node.args
        if is_method and "Markdown" in ast.unparse(node.func):  # which reads another language, without links
            return []
        if name == "put" and not is_method:  # what is put is what a widget is updated with
            return node.args[1:2]
        if (is_method and name in METHODS) or (not is_method and name in WIDGETS):
            return node.args if name in ("add_row", "add_columns") else node.args[:1]
    if isinstance(node, ast.Assign) and any(getattr(one, "attr", "") in ATTRIBUTES for one in node.targets):
        return [node.value]
    return []


FIELDS = fields()


def test_no_bare_string_goes_where_markup_is_read() -> None:
    makes, bare = makers() | set(PAINTED), []
    assert {"shown", "shown_page", "cell"} <= makes
    for path, tree in sorted(TREES.items()):
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) or function.name == "put":
                continue
            assigned = _assigned(function)
            bare += [
                f"{path.relative_to(HERE)}:{node.lineno}: {ast.unparse(text)}"
                for node in ast.walk(function)
                for text in _given(node)
                if not _safe(text, makes, assigned) and isinstance(node, ast.expr | ast.stmt)
            ]
    assert not bare, "\n".join(bare)
