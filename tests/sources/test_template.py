from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from batchtui.errors import BadInput
from batchtui.model import Problem, Row
from batchtui.sources.rows.ids import SeenIds
from batchtui.sources.templates.template import TemplateError, compile_template, expand_sweep, render_id
from tests.counting import calls

ROW: dict[str, Any] = {
    "text": "hello",
    "id": "a",
    "n": 3,
    "none": None,
    "price": 2.5,
    "yes": True,
    "tags": ["x", "y"],
    "person": {"name": "Ada", "items": [1, {"deep": "d"}], "keys": "mine"},
    "self": "me",
    "Culmen Length (mm)": "39.1",
}


def render(template: Any, row: dict[str, Any] | None = None) -> Any:
    return compile_template(template, where="job.prompt").render(ROW if row is None else row)


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("plain", "plain"),
        ("{{ n }}", 3),
        ("{{n}}", 3),
        (" {{ n }}", " 3"),
        ("{{ n }}{{ n }}", "33"),
        ("{{ tags }}", ["x", "y"]),
        ("{{ person }}", ROW["person"]),
        ('{{ row["none"] }}', None),
        ("{{ yes }}", True),
        ("{{ price }} EUR, {{ yes }}, {{ row.none }}, {{ tags }}", '2.5 EUR, true, null, ["x", "y"]'),
        ("{{ person.name }}", "Ada"),
        ("{{ person.items[1].deep }}", "d"),
        ("{{ person.keys }}", "mine"),
        ("{{ self }}", "me"),
        ('{{ row["Culmen Length (mm)"] }}', "39.1"),
        ("{{ row.text }}", "hello"),
        ("{{ text[:3] }}", "hel"),
        ("{{ tags[-1] }}", "y"),
        ("{{ tags | join(', ') }}", "x, y"),
        ("{{ text | upper | replace('L', '1') }}", "HE11O"),
        ("{{ text | truncate(3) }}", "he…"),
        ("{{ missing | default('d') }}", "d"),
        ("{{ row.none | default('d', true) }}", "d"),
        ("{{ '7' | int + 1 }}", 8),
        ("{{ 2.567 | round(1) }}", 2.6),
        ("{{ n + 1 if n > 2 else 0 }}", 4),
        ("{{ 'x' in tags and missing is undefined }}", True),
        ("{{ person | tojson }}", '{"name": "Ada", "items": [1, {"deep": "d"}], "keys": "mine"}'),
        (
            "{% if n %}{{ n }}{% endif %} {# kept #} {% raw %}\r\n",
            "{% if n %}3{% endif %} {# kept #} {% raw %}\r\n",
        ),
        ('{{ "{{" }} }} {{ "}}" }}', "{{ }} }}"),
        ("a } b { c }} d", "a } b { c }} d"),
    ],
)
def test_renders(template: str, value: object) -> None:
    got = render(template)
    assert got == value
    assert type(got) is type(value)


def test_a_column_called_row_wins() -> None:
    assert render("{{ row }}", {"row": 1, "x": 2}) == 1
    assert render("{{ row.x }}", {"x": 2}) == 2


def test_values_are_never_templates_themselves() -> None:
    assert render("{{ text }}", {"text": "{{ id }} {{ 1/0 }}"}) == "{{ id }} {{ 1/0 }}"


def test_any_json_with_its_types() -> None:
    job = {"body": {"messages": [{"role": "user", "content": "{{ text }}!"}], "n": "{{ n }}"}, "t": 0.5}
    template = compile_template(job, where="job")
    assert template.render(ROW) == {
        "body": {"messages": [{"role": "user", "content": "hello!"}], "n": 3},
        "t": 0.5,
    }
    assert template.names == {"text", "n"}
    assert job["body"] == {"messages": [{"role": "user", "content": "{{ text }}!"}], "n": "{{ n }}"}


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("{{ a.b[c] | default(d) }}", {"a", "c", "d"}),
        ('{{ row["x y"] }} {{ row.z }}', {"x y", "z"}),
        ("{{ row[key] }}", {"row", "key"}),
        ("{{ row }}", {"row"}),
        ("{{ 'a' }}", set()),
    ],
)
def test_names(template: str, names: set[str]) -> None:
    assert compile_template(template, where="job").names == names


def test_missing_column_names_the_nearest() -> None:
    with pytest.raises(BadInput) as caught:
        render("Say {{ textt }}", {"text": "a", "id": "b"})
    assert str(caught.value) == 'job.prompt: no column "textt"; did you mean "text"? columns: text, id'
    with pytest.raises(TemplateError) as inner:
        compile_template({"messages": [{"content": "{{ nope }}"}]}, where="job").render({})
    assert inner.value.key == "job.messages[0].content"
    assert inner.value.message == 'no column "nope"'


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{ text.upper }}", 'no key "upper" in a text'),
        ("{{ person.nam }}", 'no key "nam"; did you mean "name"? keys: name, items, keys'),
        ("{{ person.values }}", 'no key "values"'),
        ("{{ tags.append }}", 'no key "append" in a list'),
        ("{{ tags[5] }}", "no item 5: there are 2"),
        ("{{ person[0] }}", 'no key "0"'),
        ("{{ missing.x }}", 'no column "missing"'),
        ("{{ [text, missing] }}", 'no column "missing"'),
        ("{{ missing | upper }}", 'no column "missing"'),
        ("{{ row.__class__ }}", 'no key "__class__"'),
        ("{{ text.__class__.__mro__ }}", 'no key "__class__"'),
        ("{{ namespace }}", 'no column "namespace"'),
        ("{{ '%999999999d' % n }}", "% needs two numbers"),
        ("{{ text * 1000000000 }}", "* needs two numbers"),
        ("{{ tags * 1000000000 }}", "* needs two numbers"),
        ("{{ 1e308 * 10 }}", "no number that JSON can carry"),
        ("{{ 'inf' | float }}", "is no number"),
        ("{{ n / 0 }}", "division by zero"),
        ("{{ text | int }}", "is no number"),
        ("{{ text < 3 }}", "not supported"),
    ],
)
def test_rows_that_do_not_fill(template: str, words: str) -> None:
    with pytest.raises(TemplateError, match=r"^job\.prompt: ") as caught:
        render(template)
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("ab {{ x", 'character 4: "{{" without'),
        ("{{ 'x }}", "unexpected char"),
        ("{{ }}", "character 1, {{ }}"),
        ("{{ a b }}", "got 'b'"),
        ("{{ text.upper() }}", "calls are not allowed"),
        ("{{ range(9) }}", "calls are not allowed"),
        ("{{ 9 ** 9 ** 9 }}", "** is not allowed"),
        ("{{ a ~ b }}", "~ is not allowed"),
        ("{{ {'a': 1} }}", "not allowed"),
        ("{{ text | uper }}", 'did you mean "upper"?'),
        ("{{ text | map('upper') }}", 'no filter "map"'),
        ("{{ text | attr('x') }}", 'no filter "attr"'),
        ("{{ text is callable }}", 'no test "callable"'),
        ("{{ text | default(*tags) }}", "not allowed"),
        ("{{ a if b }}", "needs its else"),
        ("{{" + "(" * 900 + "1" + ")" * 900 + "}}", "nested too deep"),
        ("{{" + "[" * 900 + "1" + "]" * 900 + "}}", "nested too deep"),
        ("{{" + "-" * 1900 + "1}}", "nested too deep"),
        ("{{ '" + "x" * 3000 + "' }}", "2,000 characters"),
    ],
)
def test_templates_that_are_none(template: str, words: str) -> None:
    with pytest.raises(TemplateError, match=r"^job\.prompt: ") as caught:
        compile_template(template, where="job.prompt")
    assert words in caught.value.message


def test_filters_cannot_blow_up() -> None:
    row = {"big": "x" * 20_000, "many": ["y"] * 20_000}
    for template in (
        "{{ big | replace('', big) }}",
        "{{ big | replace('x', big) }}",
        "{{ many | join(big) }}",
    ):
        with pytest.raises(TemplateError, match="more than 16,777,216 characters"):
            render(template, row)


def test_a_template_nested_without_end_is_refused() -> None:
    deep: Any = "{{ x }}"
    for _ in range(600):
        deep = [deep]
    with pytest.raises(TemplateError, match="deep"):
        compile_template(deep, where="job")


def test_render_id() -> None:
    template = compile_template("{{ id }}-{{ n }}", where="source.id")
    row = Row(7, 8, ROW)
    assert render_id(template, row) == "a-3"
    assert render_id(compile_template("{{ n }}", where="source.id"), row) == "3"
    assert render_id(None, row, "id") == "a"
    assert render_id(None, row) == "7"


@pytest.mark.parametrize("value", ["", "  ", None, True, 1.5, ["a"], "a\nb", "\x1b[2J", "a\u202eb"])
def test_ids_that_are_none(value: object) -> None:
    with pytest.raises(TemplateError, match=r"^id: ") as caught:
        render_id(None, Row(1, 2, {"id": value}), "id")
    assert "\x1b" not in str(caught.value)


def test_seen_ids() -> None:
    seen = SeenIds("a.csv")
    assert seen.check("Straße", Row(1, 2, {})) is None
    assert seen.check("b", Row(2, 3, {})) is None
    twice = seen.check("b", Row(3, 4, {}))
    alike = seen.check("STRASSE", Row(4, 5, {}))
    assert isinstance(twice, Problem)
    assert isinstance(alike, Problem)
    assert (twice.fatal, str(twice)) == (True, 'a.csv:4: id: id "b" is taken by line 3')
    assert (alike.fatal, alike.line) == (False, 5)


def test_sweep() -> None:
    assert expand_sweep({}) == [{}]
    assert expand_sweep({"a": [1, 2], "b": ["x", "y"]}) == [
        {"a": 1, "b": "x"},
        {"a": 1, "b": "y"},
        {"a": 2, "b": "x"},
        {"a": 2, "b": "y"},
    ]
    with pytest.raises(BadInput, match=r"sweep\.a: no values"):
        expand_sweep({"a": []})


def test_a_row_costs_a_few_calls() -> None:
    template = compile_template({"prompt": "Summarise: {{ text }}", "max_tokens": 500}, where="job")
    rows = [{"id": str(n), "text": f"text {n}"} for n in range(1000)]
    template.render(rows[0])
    assert calls(lambda: [template.render(row) for row in rows]) <= 50 * len(rows)


def test_nothing_heavy_is_imported_without_a_template() -> None:
    code = (
        "import sys, batchtui.sources.readers, batchtui.sources.templates.template as t;"
        "assert t.compile_template({'a': ['b']}, where='job').render({}) == {'a': ['b']};"
        "print(sorted({'jinja2', 'pyarrow', 'textual', 'httpx'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
