"""Every bad source ends as its index entry demands: seen before anything is sent, with a place and a sentence."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from batchtui.errors import BadInput
from batchtui.model import Problem, Row, SourceSpec
from batchtui.sources.readers import open_source
from batchtui.sources.rows.ids import SeenIds
from batchtui.sources.templates.template import TemplateError, compile_template, render_id

FOLDER = Path(__file__).parent.parent / "data" / "hostile" / "bad-manifests"
CASES: list[dict[str, Any]] = json.loads((FOLDER / "index.json").read_text())
SOURCES = [case for case in CASES if not case["file"].endswith(".toml")]
TEMPLATES = [case for case in CASES if case["file"].endswith(".toml")]


def judge(file: str, id_template: str | None) -> tuple[list[Row], list[Problem]]:
    """What a preflight does with a source."""
    template = compile_template(id_template, where="source.id") if id_template else None
    rows, problems = [], []
    try:
        source = open_source(SourceSpec(file=file), FOLDER)
    except BadInput as fault:
        return [], [Problem(message=str(fault))]
    seen = SeenIds(source.name)
    for item in source.rows():
        if isinstance(item, Problem):
            problems.append(item)
            continue
        rows.append(item)
        try:
            problem = seen.check(render_id(template, item, source.id_column), item)
        except TemplateError as fault:
            problem = Problem(file=file, line=item.line, key=fault.key, message=fault.message)
        if problem:
            problems.append(problem)
    return rows, problems


@pytest.mark.parametrize("case", SOURCES, ids=lambda case: case["file"])
def test_source(case: dict[str, Any]) -> None:
    rows, problems = judge(case["file"], case.get("id"))
    fatal = [problem for problem in problems if problem.fatal]
    if case["outcome"] == "reject":
        assert fatal
    else:
        assert not fatal
        assert bool(problems) == (case["outcome"] == "accept with warning")
    if "line" in case:
        assert problems[0].line == case["line"]
    if "rows" in case:
        assert len(rows) == case["rows"]
    said = "\n".join(map(str, problems))
    assert all(word in said for word in case["message_mentions"])
    assert "\x1b" not in said
    assert "sk-test-0" not in said


@pytest.mark.parametrize("case", TEMPLATES, ids=lambda case: case["file"])
def test_template(case: dict[str, Any]) -> None:
    content = tomllib.loads((FOLDER / case["file"]).read_text())
    template = compile_template(content["template"], where="job.prompt")
    with pytest.raises(TemplateError, match=r"^job\.prompt: ") as caught:
        template.render(content["rows"][0])
    assert all(word in str(caught.value) for word in case["message_mentions"])


def test_formula_and_traversal_come_through_letter_for_letter() -> None:
    assert judge("csv-formula.csv", None)[0][0].values["prompt"] == "=1+1"
    assert judge("traversal-id.jsonl", None)[0][0].values["custom_id"] == "../../escape"


def test_lone_surrogate_keeps_its_escape() -> None:
    (row,), _ = judge("lone-surrogate.jsonl", None)
    assert json.dumps(row.values["body"]) == '{"x": "\\ud83d"}'
