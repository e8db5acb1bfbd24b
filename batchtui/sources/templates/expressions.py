"""What stands between `{{` and `}}`: jinja2's sandbox, narrowed to values, keys and a few filters.

Imported only when a template holds an expression. There are no calls, no globals and no attributes: a dot is a
key and nothing else. What an expression costs is bounded by its own length and the row's size.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.environment import TemplateExpression
from jinja2.runtime import Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from batchtui.errors import nearest
from batchtui.model import Json
from batchtui.sources.json_forms.json_cells import from_text, holds_json
from batchtui.sources.templates.filters import FILTERS, TESTS
from batchtui.text import cell

LENGTH_LIMIT = 2000
"""Characters of one expression."""
_NEVER = (
    "\0batchtui never\0"  # statements and comments are plain text: their marks cannot stand in an expression
)
_SCOPE = "scope"
_LISTED = 12
_ALLOWED = (
    nodes.Name, nodes.Const, nodes.List, nodes.Getattr, nodes.Getitem, nodes.Slice,
    nodes.Filter, nodes.Test, nodes.Keyword, nodes.CondExpr, nodes.Compare, nodes.Operand,
    nodes.Not, nodes.And, nodes.Or, nodes.Neg, nodes.Pos,
    nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod,
)  # fmt: skip
_REFUSED: dict[type[nodes.Node], str] = {
    nodes.Call: "calls are not allowed; use a filter, as in {{ text | upper }}",
    nodes.Pow: "** is not allowed",
    nodes.Concat: "~ is not allowed; write the texts next to each other",
}
_FAULTS = (
    TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError, MemoryError,
    jinja2.TemplateError,
)  # fmt: skip


class ExpressionError(Exception):
    """A sentence about one expression; the caller knows its key."""

    source = ""
    """The expression, where a row did not fill it."""


class MissingColumn(ExpressionError):
    """The sentence names the column by itself."""


class _Absent(str):
    """Why nothing is there. The near word is looked up only when this is shown: `default` may never ask."""

    key: str
    what: str
    known: Iterable[str]

    def explain(self) -> str:
        known = list(self.known)
        if not known:
            return self
        near = nearest(self.key, known)
        listed = ", ".join(cell(name, 40) for name in known[:_LISTED]) + (
            " …" if len(known) > _LISTED else ""
        )
        return f"{self}{near or ';'} {self.what}: {listed}"


class _Scope:
    """The names an expression sees: the columns, and `row` for all of them."""

    __slots__ = ("values",)

    def __init__(self, values: Mapping[str, Json]) -> None:
        self.values = values


class Expression:
    """One compiled expression. `names` are the columns it uses; `row` among them: all of them."""

    def __init__(self, source: str) -> None:
        """Raises ExpressionError for bad syntax and for what is not allowed."""
        if len(source) > LENGTH_LIMIT:
            raise ExpressionError(f"an expression of more than {LENGTH_LIMIT:,} characters")
        self._source = source
        environment = _environment()
        try:
            expression = _parsed(environment, source)
            self.names = _names(expression)
            self._makes_lists = isinstance(expression, nodes.List) or expression.find(nodes.List) is not None
            scoped = _Scoped().visit(expression)
            template = nodes.Template(
                [nodes.Assign(nodes.Name("result", "store"), scoped, lineno=1)], lineno=1
            )
            template.set_environment(environment)
            self._run = TemplateExpression(environment.from_string(template), undefined_to_none=False)
        except jinja2.TemplateSyntaxError as fault:
            raise ExpressionError(f"not a template: {cell(fault.message)}") from None
        except (RecursionError, MemoryError, SyntaxError):
            raise ExpressionError("an expression nested too deep") from None

    def value(self, values: Mapping[str, Json]) -> Json:
        """The value over one row. Raises ExpressionError."""
        try:
            value = self._run({_SCOPE: _Scope(values)})
            if isinstance(value, Undefined) or self._makes_lists:
                _insist(value)
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError("the result is no number that JSON can carry")
        except jinja2.UndefinedError as fault:
            raise self._missing(fault.args[0] if fault.args else "") from None
        except _FAULTS as fault:
            raise self._failed(cell(fault) or type(fault).__name__) from None
        return value

    def _missing(self, reason: object) -> ExpressionError:
        if not isinstance(reason, _Absent):
            return self._failed(cell(reason))
        return MissingColumn(reason.explain()) if reason.what == "columns" else self._failed(reason.explain())

    def _failed(self, message: str) -> ExpressionError:
        error = ExpressionError(message)
        error.source = self._source
        return error


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, _Scope):
            if argument in obj.values:
                return obj.values[argument]
            if argument == "row":
                return obj.values
            return self._absent(f'no column "{cell(argument, 60)}"', argument, "columns", obj.values)
        if isinstance(obj, Mapping):
            if isinstance(argument, str) and argument in obj:
                return obj[argument]
            return self._absent(f'no key "{cell(argument, 60)}"', str(argument), "keys", obj)
        if isinstance(obj, Undefined):
            str(obj)  # raises, naming what is missing
        if isinstance(obj, list | str) and isinstance(argument, int) and not isinstance(argument, bool):
            try:
                return obj[argument]
            except IndexError:
                return self._absent(f"no item {argument}: there are {len(obj)}", "", "", ())
        if isinstance(obj, str) and isinstance(argument, str) and holds_json(obj):
            try:
                return self.getitem(from_text(obj), argument)
            except ValueError as fault:
                return self._absent(f'no key "{cell(argument, 60)}": {fault}', "", "", ())
        kind = {str: "a text", list: "a list", type(None): "null"}.get(type(obj), "a number")
        return self._absent(f'no key "{cell(argument, 60)}" in {kind}', "", "", ())

    def _absent(self, message: str, key: str, what: str, known: Iterable[str]) -> Undefined:
        absent = _Absent(message)
        absent.key, absent.what, absent.known = key, what, known
        return self.undefined(hint=absent)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        for side in (left, right):
            if isinstance(side, Undefined):
                str(side)
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        joined = operator == "+" and type(left) is type(right) and isinstance(left, str | list)
        if not numbers and not joined:
            raise TypeError(f"{operator} needs two numbers" + (" or two texts" if operator == "+" else ""))
        return self.binop_table[operator](left, right)


class _Scoped(NodeTransformer):
    """Every name becomes a look-up in the scope, so that no column name means anything to jinja2 itself."""

    def visit_Name(self, node: nodes.Name) -> nodes.Node:
        return nodes.Getitem(nodes.Name(_SCOPE, "load"), nodes.Const(node.name), "load", lineno=node.lineno)


@cache
def _environment() -> _Environment:
    environment = _Environment(
        undefined=jinja2.StrictUndefined,
        optimized=False,  # nothing is evaluated before a row is there
        block_start_string=_NEVER + "1",
        block_end_string=_NEVER + "2",
        comment_start_string=_NEVER + "3",
        comment_end_string=_NEVER + "4",
    )
    environment.globals.clear()
    environment.filters = dict(FILTERS)
    environment.tests = dict(TESTS)
    return environment


def _parsed(environment: _Environment, source: str) -> nodes.Expr:
    body = environment.parse("{{ " + source + " }}").body
    output = body[0] if len(body) == 1 else None
    if not isinstance(output, nodes.Output) or len(output.nodes) != 1:
        raise ExpressionError("not a template: one expression is expected between {{ and }}")
    expression = output.nodes[0]
    for node in (expression, *expression.find_all(nodes.Node)):
        if isinstance(node, nodes.Filter | nodes.Test):
            known, word = (FILTERS, "filter") if isinstance(node, nodes.Filter) else (TESTS, "test")
            if node.name not in known:
                hint = nearest(node.name, known) or ";"
                raise ExpressionError(f'no {word} "{cell(node.name, 40)}"{hint} {word}s: {", ".join(known)}')
            if node.dyn_args is not None or node.dyn_kwargs is not None:
                raise ExpressionError("* and ** are not allowed in the arguments of a filter")
        elif isinstance(node, nodes.CondExpr) and node.expr2 is None:
            raise ExpressionError("an if needs its else: {{ a if b else c }}")
        elif not isinstance(node, _ALLOWED):
            raise ExpressionError(
                _REFUSED.get(type(node), f"{type(node).__name__.lower()} is not allowed here")
            )
    return expression


def _names(expression: nodes.Expr) -> set[str]:
    names: set[str] = set()
    within: set[int] = set()
    for node in (expression, *expression.find_all((nodes.Getattr, nodes.Getitem))):
        key = node.attr if isinstance(node, nodes.Getattr) else None
        if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            key = node.arg.value
        if isinstance(node, nodes.Getattr | nodes.Getitem) and isinstance(key, str) and _is_row(node.node):
            names.add(key)
            within.add(id(node.node))
    for name in (expression, *expression.find_all(nodes.Name)):
        if isinstance(name, nodes.Name) and id(name) not in within:
            names.add(name.name)
    return names


def _is_row(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == "row"


def _insist(value: Json) -> None:
    """Nothing undefined in here; raises UndefinedError."""
    if isinstance(value, Undefined):
        str(value)
    elif isinstance(value, list):
        for inner in value:
            _insist(inner)
