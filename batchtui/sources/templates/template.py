"""Templates: any JSON whose strings may hold `{{ column }}`, rendered over rows."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

from batchtui.errors import BadInput
from batchtui.model import Json, Row
from batchtui.sources.json_forms.strict_json import DEPTH_LIMIT, deeper
from batchtui.text import cell, clean_count

if TYPE_CHECKING:
    from batchtui.sources.templates.expressions import Expression

_Render: TypeAlias = Callable[[Mapping[str, Json]], Json]
_EXACT = 2**53
"""Below this a float names one whole number only."""
_INSIDE = re.compile(r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[{}]""", re.DOTALL)


class TemplateError(BadInput):
    """A template that cannot be read, or that a row does not fill. `key` names the string: `job.prompt`."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(f"{key}: {message}")
        self.key, self.message = key, message


class Template:
    """A compiled template. `names` are the columns it uses; `row` among them stands for all of them."""

    def __init__(self, value: Json, names: set[str], render: _Render | None) -> None:
        self.names = names
        self._value, self._render = value, render

    def render(self, values: Mapping[str, Json]) -> Json:
        """The template over one row. Raises TemplateError.

        A string that is exactly one `{{ x }}` takes the value with its JSON type; inside a longer text a value
        that is no text stands as JSON writes it. Parts without templates are shared between rows, not copied.
        """
        return self._value if self._render is None else self._render(values)


def compile_template(value: Json, *, where: str) -> Template:
    """Compiles every string in `value`, at any depth; `where` is its key in messages. Raises TemplateError."""
    if deeper([value], DEPTH_LIMIT):
        raise TemplateError(where, f"nested more than {DEPTH_LIMIT} levels deep")
    names: set[str] = set()
    return Template(value, names, _compiled(value, where, names))


def render_id(template: Template | None, row: Row, id_column: str | None = None) -> str:
    """A row's id: of the template, else of its id column, else the row's number. Raises TemplateError."""
    if template is not None:
        key, value = "source.id", template.render(row.values)
    elif id_column is not None:
        key, value = id_column, row.values.get(id_column)
        if value is None:
            raise TemplateError(key, "this row has no id; name one for every row with [source] id")
    else:
        return str(row.number)
    if isinstance(value, float) and value.is_integer():  # as tables write whole numbers beside a gap
        if abs(value) >= _EXACT:
            raise TemplateError(key, f"{value!r} has lost digits as a number; write the id as a text")
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise TemplateError(key, "an id is a text (a string) or a whole number")
    if not value.strip():
        raise TemplateError(key, "the id is empty")
    if clean_count(value) or "\n" in value or "\t" in value:
        raise TemplateError(key, f'a control character or a hidden character in the id "{cell(value, 60)}"')
    return value


def expand_sweep(sweep: Mapping[str, list[Json]]) -> list[dict[str, Json]]:
    """Every combination, the last key changing fastest; one empty combination for no sweep.

    Raises BadInput for a key without values.
    """
    for key, values in sweep.items():
        if not values:
            raise BadInput(f"sweep.{key}: no values; give at least one, or leave the key out")
    return [dict(zip(sweep, values, strict=True)) for values in itertools.product(*sweep.values())]


def _compiled(value: Json, where: str, names: set[str]) -> _Render | None:
    """None for what holds no template."""
    if isinstance(value, str):
        return _compiled_text(value, where, names) if "{{" in value else None
    if isinstance(value, dict):
        parts = {key: _compiled(inner, f"{where}.{key}", names) for key, inner in value.items()}
        live = {key: render for key, render in parts.items() if render}
        return (lambda row: {**value, **{k: render(row) for k, render in live.items()}}) if live else None
    if isinstance(value, list):
        items = [_compiled(inner, f"{where}[{index}]", names) for index, inner in enumerate(value)]
        if any(items):
            pairs = list(zip(value, items, strict=True))
            return lambda row: [render(row) if render else plain for plain, render in pairs]
    return None


def _compiled_text(text: str, where: str, names: set[str]) -> _Render:
    from batchtui.sources.templates.expressions import Expression, ExpressionError, MissingColumn
    from batchtui.sources.templates.filters import as_text

    parts: list[str | Expression] = []
    for at, part, is_expression in _split(text, where):
        if not is_expression:
            parts.append(part)
            continue
        try:
            expression = Expression(part)
        except ExpressionError as fault:
            raise TemplateError(where, f"character {at + 1}, {_shown(part)}: {fault}") from None
        names |= expression.names
        parts.append(expression)
    whole = parts[0]

    def render(row: Mapping[str, Json]) -> Json:
        try:
            if len(parts) == 1 and not isinstance(whole, str):
                return whole.value(row)
            return "".join(part if isinstance(part, str) else as_text(part.value(row)) for part in parts)
        except MissingColumn as fault:
            raise TemplateError(where, str(fault)) from None
        except ExpressionError as fault:
            raise TemplateError(where, f"{_shown(fault.source)}: {fault}") from None

    return render


def _shown(expression: str) -> str:
    return cell("{{" + expression + "}}", 60)


def _split(text: str, where: str) -> Iterator[tuple[int, str, bool]]:
    """(place, literal text or inside of an expression, which of them)."""
    at = 0
    while (start := text.find("{{", at)) >= 0:
        if start > at:
            yield at, text[at:start], False
        end = _closing(text, start + 2)
        if end is None:
            raise TemplateError(
                where,
                f'character {start + 1}: "{{{{" without its "}}}}"; write {{{{ "{{{{" }}}} for the signs alone',
            )
        yield start, text[start + 2 : end], True
        at = end + 2
    if at < len(text):
        yield at, text[at:], False


def _closing(text: str, at: int) -> int | None:
    """Where the `}}` of an expression stands: outside of quotes and of its own braces."""
    depth = 0
    for match in _INSIDE.finditer(text, at):
        if match[0] == "{":
            depth += 1
        elif match[0] == "}":
            if depth == 0:
                return match.start() if text.startswith("}}", match.start()) else None
            depth -= 1
    return None
