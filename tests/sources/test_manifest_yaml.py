"""Manifests in YAML are read as their JSON twins are, where a YAML package is there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from batchtui.domains.power.manifests.yaml import SIZE_LIMIT
from batchtui.errors import BadInput
from tests.sources.source_help import Write, problems_of, rows_of
from tests.sources.test_manifest import SPECIFICATION, check_specification


def test_a_specification(source: Write, tmp_path: Path) -> None:
    check_specification(source("spec.yaml", yaml.safe_dump(SPECIFICATION)), tmp_path)


def test_scenarios_stand_on_their_lines(source: Write) -> None:
    text = (
        "solver: ac\nscenarios:\n  - id: one\n    grid: c.m\n  - id: 2\n    grid: c.m\n    load_scale: 1.5\n"
    )
    opened = source("m.yml", text)
    rows = rows_of(opened)
    assert [(row.line, row.values["id"], row.values["load_scale"]) for row in rows] == [
        (3, "one", None), (5, "2", 1.5),
    ]  # fmt: skip
    assert opened.default_job["task"] == "ac"


def test_a_time_stays_text(source: Write) -> None:
    text = "- scenario_id: a\n  grid_file: g\n  time_slices: [2025-01-01T12:00:00Z]\n"
    (row,) = rows_of(source("artifacts.yaml", text))
    assert row.values["time_slices"] == ["2025-01-01T12:00:00Z"]


@pytest.mark.parametrize(
    ("written", "read"), [("012", "012"), ("1:30", "1:30"), ("0x1F", "0x1F"), ("12", "12")]
)
def test_an_id_stays_as_it_is_written(source: Write, written: str, read: str) -> None:
    (row,) = rows_of(source("m.yaml", f"scenarios:\n  - {{id: {written}, grid: c.m}}\n"))
    assert row.values["id"] == read


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("scenarios: &a\n  - &b {id: x, grid: c.m}\n  - *b\n", "an alias (*b); write the value out", 3),
        ("scenarios:\n  - {id: x\n", "not YAML", 3),
        ("scenarios:\n  - id: x\n    id: y\n", 'key "id" appears twice', 3),
        (
            "scenarios:\n  - id: x\n    grid: c.m\n    load_scale: .nan\n",
            "expected a number, got a text",
            2,
        ),
        (
            "scenarios:\n  - id: x\n    grid: c.m\n    load_scale: 1.0e+999\n",
            "is no number that JSON can carry",
            4,
        ),
        ("scenarios:\n  - id: " + "9" * 5000 + "\n", "more than 4,300 digits", 2),
        ("#" * (SIZE_LIMIT + 1), "more than 2 MB of YAML; bring it as JSON", 1),
        ("solver: ac\nscenarios: []\n", "empty: name at least one scenario", 2),
        ("scenarios: none\n", "expected a list, got a text", 1),
        ("scenarios: " + "[" * 300 + "]" * 300, "levels deep", 1),
        (
            "scenarios:\n  - id: x\n    grid: !!python/object/apply:os.system [ls]\n",
            "expected a text, got a list",
            2,
        ),
        ("scenarios:\n  - ? [a]\n    : b\n", "a key is no text", 2),
    ],
    ids=range(12),
)
def test_what_yaml_may_hide_is_refused(source: Write, text: str, message: str, line: int) -> None:
    faults = [problem for problem in problems_of(source("m.yaml", text)) if problem.fatal]
    assert (faults[0].line, message in faults[0].message) == (line, True)


@pytest.mark.parametrize("text", ["a: 1\n", "- a\n", "", "- {id: a, text: b}\n"])
def test_other_yaml_is_refused(source: Write, text: str) -> None:
    with pytest.raises(BadInput, match="YAML is read for scenario manifests only"):
        source("rows.yaml", text)


def test_without_a_yaml_package_the_message_says_what_to_install(
    source: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(BadInput, match=r"pip install 'batchtui\[yaml\]'"):
        source("m.yaml", "scenarios: []\n")
