"""JSON that stands as text in a cell, and talks."""

from __future__ import annotations

import json

import pytest

from batchtui.model import Json
from batchtui.sources.json_forms.talks import TalkFault, as_messages, is_talk
from batchtui.sources.templates.template import TemplateError, compile_template
from tests.sources.source_help import Write, rows_of

STYLE = '{"tone": "dry", "of": {"n": [1, 2.5]}, "on": true, "a b": null}'


def rendered(template: Json, **values: Json) -> Json:
    return compile_template(template, where="job").render(values)


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ style.tone }}", "dry"),
        ("{{ style.of.n[1] }}", 2.5),
        ('{{ row.style["a b"] }}', None),
        ("{{ style | json }}", json.loads(STYLE)),
        ("{{ (style | json).on }}", True),
        ("{{ (list | json)[0] }}", "x"),
        ("It is {{ style.of }}.", 'It is {"n": [1, 2.5]}.'),
        ("{{ style }}", STYLE),
        ("{{ list[0] }}", "["),
        ("{{ style.none | default('nothing') }}", "nothing"),
        ("{{ object | json }}", {"a": 1}),
        ("{{ number | json }}", 7),
    ],
)
def test_json_in_a_cell_is_read_by_key_and_by_filter(template: str, value: Json) -> None:
    assert rendered(template, style=STYLE, list='["x"]', object={"a": 1}, number="7") == value


@pytest.mark.parametrize(
    ("template", "cell", "words"),
    [
        ("{{ style.tnoe }}", STYLE, 'no key "tnoe"; did you mean "tone"?'),
        ("{{ style.tone }}", "dry", 'no key "tone" in a text'),
        ("{{ style.tone }}", "[1]", 'no key "tone" in a list'),
        ("{{ style.tone }}", '{"tone": dry}', "not JSON"),
        ("{{ style | json }}", "dry", '"dry" is not JSON'),
        ("{{ style | json }}", "", "not JSON"),
        ("{{ style | json }}", "{'tone': 'dry'}", "quotes must be double ones"),
        ("{{ style | json }}", '{"a": 1} {}', "more text"),
        ("{{ style | json }}", '{"a": NaN}', "NaN"),
        ("{{ style | json }}", "[" * 100_000, "deep"),
    ],
)
def test_what_is_no_json_is_told(template: str, cell: str, words: str) -> None:
    with pytest.raises(TemplateError, match=r"^job: ") as refused:
        rendered(template, style=cell)
    assert words in str(refused.value)


def test_a_cell_of_a_csv_row_is_read_by_key(source: Write) -> None:
    opened = source("r.csv", 'id,style\n1,"{""tone"": ""dry""}"\n')
    assert rendered("{{ style.tone }}", **rows_of(opened)[0].values) == "dry"


TALK = [{"from": "system", "value": "s"}, {"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]
MESSAGES = [
    {"role": "system", "content": "s"},
    {"role": "user", "content": "q"},
    {"role": "assistant", "content": "a"},
]


@pytest.mark.parametrize("value", [TALK, MESSAGES, json.dumps(TALK), f" {json.dumps(MESSAGES)}\n"])
def test_talks_of_either_form_are_messages(value: Json) -> None:
    assert as_messages(value) == MESSAGES
    assert is_talk(value)


@pytest.mark.parametrize(
    ("value", "at", "words"),
    [
        ("hello", "", "expected a list of messages, or its JSON as text"),
        ('{"role": "user"}', "", "got the JSON text of an object"),
        ([{"from": "humn", "value": "x"}], "[0].from", 'did you mean "human"'),
        ([{"from": "human", "value": "x"}, {"from": "gpt", "value": None}], "[1].value", "got null"),
        ([{"from": 1, "value": "x"}], "[0].from", "nobody is known"),
    ],
)
def test_what_is_no_talk_is_told(value: Json, at: str, words: str) -> None:
    with pytest.raises(TalkFault, match=words) as refused:
        as_messages(value)
    assert refused.value.at == at


@pytest.mark.parametrize("value", [[], "[1]", [1], "[", "{}", "hello", [{"role": "user"}], None, {"a": 1}])
def test_other_values_are_no_talk(value: Json) -> None:
    assert not is_talk(value)
