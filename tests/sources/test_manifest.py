"""Scenario manifests of all four shapes become rows, a job, limits and an output folder."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from batchtui.model import Json, SourceSpec
from batchtui.sources.readers import open_source
from batchtui.sources.source import Source
from batchtui.sources.templates.template import compile_template, render_id
from tests.sources.source_help import Write, problems_of, rows_of

POWER = Path(__file__).parent.parent / "data" / "power"
JOB = {name: f"{{{{ {name} }}}}" for name in ("grid", "loads", "outages", "load_scale", "generation_scale")}
COLUMNS = ["id", "grid", "loads", "outages", "load_scale", "generation_scale"]


def said(source: Source) -> list[str]:
    return [str(problem) for problem in problems_of(source)]


@pytest.mark.parametrize(("case", "scenarios"), [("case9", 3), ("case14", 24), ("case118", 24)])
@pytest.mark.parametrize("task", ["dc", "ac"])
def test_an_object_of_scenarios(case: str, scenarios: int, task: str) -> None:
    folder = POWER / case
    source = open_source(SourceSpec(file=f"manifest_{task}.json"), folder)
    written = json.loads((folder / f"manifest_{task}.json").read_text())
    rows = rows_of(source)
    assert (source.native, source.columns, len(rows)) == ("scenarios", COLUMNS, scenarios)
    assert source.default_job == {"task": task} | JOB
    assert source.count_hint == scenarios
    assert [row.values["id"] for row in rows] == [one["id"] for one in written["scenarios"]]
    assert rows[0].values["grid"] == str(folder / f"{case}.m")
    assert all(Path(str(row.values["loads"])).is_file() for row in rows)
    assert (source.implied.limits.timeout, source.implied.limits.concurrency) == (60, written["max_jobs"])
    assert (source.implied.kinds[0], source.implied.output) == ("local", "runs/batch")
    assert not said(source)
    assert not source.implied.unless


def test_rows_stand_on_their_lines_and_nulls_stay_nulls() -> None:
    source = open_source(SourceSpec(file="manifest_faults.json"), POWER / "case14")
    rows = {row.values["id"]: row for row in rows_of(source)}
    text = (POWER / "case14" / "manifest_faults.json").read_text().splitlines()
    for name, row in rows.items():
        assert row.line is not None
        assert f'"id": "{name}"' in text[row.line]
    template = compile_template(source.default_job, where="job")
    job = template.render(rows["no_loads"].values)
    assert {key: job[key] for key in ("loads", "outages", "load_scale")} == dict.fromkeys(
        ("loads", "outages", "load_scale")
    )
    assert template.render(rows["islanded"].values)["outages"] == [{"type": "branch", "id": "14"}]
    assert render_id(None, rows["islanded"], source.id_column) == "islanded"


def test_a_list_of_artifacts(source: Write) -> None:
    made = {
        "scenario_id": "base", "description": None, "grid_file": "grid.arrow", "time_slices": ["2025-01-01T12:00:00Z"],
        "load_scale": 1.2, "renewable_scale": 0.5, "weight": 1.0, "tags": ["peak"], "metadata": {"by": "hand"}, "x": 1,
    }  # fmt: skip
    opened = source("artifacts.json", json.dumps([made], indent=1))
    (row,) = rows_of(opened)
    values = row.values
    assert (values["id"], values["load_scale"], values["generation_scale"]) == ("base", None, None)
    assert (values["made_with_load_scale"], values["made_with_generation_scale"]) == (1.2, 0.5)
    assert (values["tags"], values["metadata"], values["weight"], values["x"]) == (
        ["peak"],
        {"by": "hand"},
        1.0,
        1,
    )
    assert said(opened) == ['artifacts.json:2: x: scenario "base": unknown key, not looked at']
    assert opened.default_job["task"] == "dc"
    ((keys, problem),) = opened.implied.unless
    assert (keys, problem.fatal, problem.line) == ({"task", "command", "call"}, False, 2)


def test_an_artifacts_grid_is_looked_for_beside_the_manifest_and_then_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = POWER / "case14"
    spec = SourceSpec(file="gat/scenario_manifest.json")
    monkeypatch.chdir(sample)
    (row,) = rows_of(open_source(spec, sample))
    assert row.values["grid"] == str(sample / "gat" / "grid.arrow")
    monkeypatch.chdir(tmp_path)
    (row,) = rows_of(open_source(spec, sample))
    assert row.values["grid"] == str(sample / "gat" / "gat" / "grid.arrow")


@pytest.mark.parametrize("wrapped", [True, False])
def test_scales_and_what_is_offline_over_one_grid(source: Write, tmp_path: Path, wrapped: bool) -> None:
    scenarios: list[Json] = [
        {"id": "peak", "load_scale": 1.1, "offline_branches": [3, "L7"], "offline_generators": ["G1"]},
        {"id": "night", "load_scale": 0.4, "offline_branches": [], "generation_scale": 0.5},
    ]
    opened = source(
        "website.json", json.dumps({"base_grid": "case.m", "scenarios": scenarios} if wrapped else scenarios)
    )
    peak, night = rows_of(opened)
    assert peak.values["outages"] == [
        {"type": "branch", "id": 3}, {"type": "branch", "id": "L7"}, {"type": "generator", "id": "G1"},
    ]  # fmt: skip
    assert (night.values["load_scale"], night.values["generation_scale"], night.values["outages"]) == (
        0.4,
        0.5,
        None,
    )
    missing = [problem for keys, problem in opened.implied.unless if "grid" in keys]
    if wrapped:
        assert peak.values["grid"] == str(tmp_path / "case.m")
        assert not missing
    else:  # a grid from outside, by [job] grid
        assert peak.values["grid"] is None
        assert [problem.key for problem in missing] == ["grid", "grid"]
        assert 'scenario "peak": missing' in missing[0].message


SPECIFICATION: dict[str, Json] = {
    "version": 1,
    "grid_file": "case.m",
    "defaults": {"load_scale": 1.0, "renewable_scale": 0.8, "tags": ["base"], "time_slices": ["2025-01-01T00:00:00Z"]},
    "scenarios": [
        {"scenario_id": "all"},
        {
            "scenario_id": "less", "load_scale": 0.9, "outages": [{"type": "gen", "id": 2}],
            "dispatch_overrides": {"g": 1},
        },
    ],
}  # fmt: skip


def check_specification(opened: Source, folder: Path) -> None:
    everything, less = rows_of(opened)
    assert everything.values["grid"] == str(folder / "case.m")
    assert (everything.values["load_scale"], everything.values["generation_scale"]) == (1.0, 0.8)
    assert (less.values["load_scale"], less.values["generation_scale"]) == (0.9, 0.8)
    assert less.values["outages"] == [{"type": "gen", "id": 2}]
    assert less.values["tags"] == ["base"]
    assert less.values["time_slices"] == ["2025-01-01T00:00:00Z"]
    (warning,) = problems_of(opened)
    assert not warning.fatal
    assert 'scenario "less": is kept with the row and not applied' in str(warning)


def test_a_specification_with_defaults(source: Write, tmp_path: Path) -> None:
    check_specification(source("spec.json", json.dumps(SPECIFICATION)), tmp_path)


@pytest.mark.parametrize(
    ("written", "task"),
    [("dc", "dc"), ("AC", "ac"), ("dc-opf", "dcopf"), ("opf-ac", "acopf"), ("N-1", "n1"), ("pf-dc", "dc")],
)
def test_the_solver_is_understood(source: Write, written: str, task: str) -> None:
    text = json.dumps(
        {"scenarios": [{"id": "a", "grid": "c.m"}], "solver": written, "dc_model": "powermodels", "slack": 3}
    )
    opened = source("m.json", text)
    assert opened.default_job["task"] == task
    assert (opened.default_job["dc_model"], opened.default_job["slack"]) == ("powermodels", 3)


@pytest.mark.parametrize(("solver", "key"), [("command", "command"), ("callable", "call")])
def test_a_solver_of_ones_own_needs_a_batch_file(source: Write, solver: str, key: str) -> None:
    opened = source("m.json", json.dumps({"scenarios": [{"id": "a"}], "solver": solver}))
    assert opened.default_job == {}
    told = [problem for keys, problem in opened.implied.unless if "task" in keys]
    assert len(told) == 1
    assert told[0].fatal
    assert f"[job] {key}" in told[0].message


@pytest.mark.parametrize("jobs", [0, None])
def test_no_number_of_workers_means_as_many_as_there_are_cores(source: Write, jobs: Json) -> None:
    opened = source("m.json", json.dumps({"scenarios": [{"id": "a", "grid": "c.m"}], "max_jobs": jobs}))
    assert opened.implied.limits.concurrency is None
    assert opened.implied.limits.timeout == 60
    assert not said(opened)


FAULTS: list[tuple[Json, str]] = [
    ({"scenarios": []}, "scenarios: empty: name at least one scenario"),
    ({"scenarios": {}}, "scenarios: expected a list, got an object"),
    ({"scenarios": [7]}, "scenario 1: expected an object, got a number"),
    ({"scenarios": [{"grid": "c.m"}]}, "id: scenario 1: missing; every scenario names itself"),
    ({"scenarios": [{"id": "", "grid": "c.m"}]}, "id: scenario 1: empty"),
    ({"scenarios": [{"id": None, "grid": "c.m"}]}, "id: scenario 1: missing"),
    ({"scenarios": [{"id": ["a"], "grid": "c.m"}]}, "id: scenario 1: expected a text, got a list"),
    ({"scenarios": [{"id": "a", "grid": 7}]}, 'grid: scenario "a": expected a text, got a number'),
    ({"scenarios": [{"id": "a", "grid": " "}]}, 'grid: scenario "a": empty'),
    ({"scenarios": [{"id": "a", "grid": "a\0b"}]}, 'grid: scenario "a": holds a NUL character'),
    ({"scenarios": [{"id": "a", "grid": "\ud83d"}]}, 'grid: scenario "a": holds half a character'),
    ({"scenarios": [{"id": "a", "grid": "c.m", "load": "x"}]},
     'load: scenario "a": unknown key; did you mean "loads"?'),
    ({"scenarios": [{"id": "a", "grid": "c.m", "case": "d.m"}]},
     'case: scenario "a": stands here under another name as well'),
    ({"scenarios": [{"id": "a", "grid": "c.m", "loads": []}]}, 'loads: scenario "a": expected a text, got a list'),
    ({"scenarios": [{"id": "a", "grid": "c.m", "load_scale": "1"}]}, "load_scale: scenario"),
    ({"scenarios": [{"id": "a", "grid": "c.m", "load_scale": -1}]}, "expected a number of 0 or more, got -1"),
    ({"scenarios": [{"id": "a", "grid": "c.m", "load_scale": True}]}, "expected a number, got true or false"),
    ({"scenarios": [{"id": "a", "grid": "c.m", "outages": {}}]}, 'outages: scenario "a": expected a list such as'),
    ({"scenarios": [{"id": "a", "grid": "c.m", "outages": [5]}]}, 'outages[0]: scenario "a": expected an object'),
    ({"scenarios": [{"id": "a", "grid": "c.m", "outages": [{"type": "branch"}]}]}, "outages[0].id: scenario"),
    ({"scenarios": [{"id": "a", "grid": "c.m", "outages": [{"type": "bus", "id": 1}]}]},
     'outages[0].type: scenario "a": expected "branch" or "generator", got "bus"'),
    ({"scenarios": [{"id": "a", "grid": "c.m", "outages": [{"type": "brnch", "id": 1}]}]},
     'did you mean "branch"?'),
    ({"scenarios": [{"id": "a", "grid": "c.m", "outages": [{"type": "branch", "id": 1, "idd": 2}]}]},
     'outages[0].idd: scenario "a": unknown key; did you mean "id"?'),
    ({"scenarios": [{"id": "a", "grid": "c.m", "offline_branches": 3}]}, "expected a list of ids, got a number"),
    ({"scenarios": [{"id": "a", "grid": "c.m", "metadata": "x"}]}, "expected an object, got a text"),
    ({"scenarios": [{"id": "a", "grid": "c.m"}, {"id": "A", "grid": "c.m"}]},
     'id: scenario "A": differs only by case from "a" of line 1'),
    ({"scenarios": [{"id": "a", "grid": "c.m"}], "solvr": "ac"}, 'solvr: unknown key; did you mean "solver"?'),
    ({"scenarios": [{"id": "a", "grid": "c.m"}], "solver": "acc"}, 'did you mean "ac"?'),
    ({"scenarios": [{"id": "a", "grid": "c.m"}], "solver": 3}, "solver: expected one of dc, ac"),
    ({"scenarios": [{"id": "a", "grid": "c.m"}], "solver": "ac", "task": "dc"}, "task: stands beside solver"),
    ({"scenarios": [{"id": "a", "grid": "c.m"}], "timeout_secs": 0}, "timeout_secs: expected more than 0 seconds"),
    ({"scenarios": [{"id": "a", "grid": "c.m"}], "timeout_secs": "soon"}, "timeout_secs: expected a number"),
    ({"scenarios": [{"id": "a", "grid": "c.m"}], "max_jobs": 2.5}, "max_jobs: expected a whole number, got 2.5"),
    ({"scenarios": [{"id": "a", "grid": "c.m"}], "max_jobs": -1}, "max_jobs: expected 1 to 1,000, got -1"),
    ({"scenarios": [{"id": "a", "grid": "c.m"}], "max_jobs": False}, "max_jobs: expected a whole number"),
    ({"scenarios": [{"id": "a", "grid": "c.m"}], "dc_model": "matpowr"}, 'did you mean "matpower"?'),
    ({"scenarios": [{"id": "a", "grid": "c.m"}], "slack": "north"}, "slack: expected the number of a bus"),
    ({"scenarios": [{"id": "a", "grid": "c.m"}], "defaults": []}, "defaults: expected an object, got a list"),
    ({"scenarios": [{"id": "a", "grid": "c.m"}], "defaults": {"load_scal": 1}},
     'defaults.load_scal: unknown key; did you mean "load_scale"?'),
    ({"scenarios": [{"id": "a", "grid": "c.m"}], "defaults": {"id": "b"}}, "defaults.id: names one scenario"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "message"), FAULTS, ids=[str(n) for n in range(len(FAULTS))])
def test_a_fault_is_told_with_its_file_and_line(source: Write, written: Json, message: str) -> None:
    faults = [problem for problem in problems_of(source("m.json", json.dumps(written))) if problem.fatal]
    assert faults
    assert message in str(faults[0])
    assert str(faults[0]).startswith("m.json:1: ")


def test_each_fault_stands_on_the_line_of_its_scenario(source: Write) -> None:
    text = '{"scenarios": [\n  {"id": "a", "grid": 1},\n\n  {"id": "b", "grid": "c.m", "lods": "x"}],\n "solver":\n "no"}'
    opened = source("m.json", text)
    assert [(problem.line, problem.key) for problem in problems_of(opened)] == [
        (6, "solver"), (2, "grid"), (4, "lods"),
    ]  # fmt: skip


def test_ids_that_are_quite_the_same_are_left_to_who_sees_all_jobs() -> None:
    opened = open_source(SourceSpec(file="manifest_duplicate_ids.json"), POWER / "case14")
    assert [row.values["id"] for row in rows_of(opened)] == ["good_a", "good_a"]


def test_ids_are_not_paths(source: Write) -> None:
    (row,) = rows_of(source("m.json", '{"scenarios": [{"id": "../../x", "grid": "c.m"}]}'))
    assert row.values["id"] == "../../x"


def test_a_number_is_an_id(source: Write) -> None:
    (row,) = rows_of(source("m.json", '{"scenarios": [{"id": 7, "grid": "c.m"}]}'))
    assert row.values["id"] == "7"


def test_a_path_outside_the_folder_is_told_once_a_folder(source: Write, tmp_path: Path) -> None:
    scenarios = [{"id": str(n), "grid": "../grids/c.m", "loads": f"loads/{n}.csv"} for n in range(3)]
    opened = source("m.json", json.dumps({"scenarios": scenarios}))
    (warning,) = problems_of(opened)
    assert not warning.fatal
    assert f'scenario "0": reads in {tmp_path.parent / "grids"}, outside' in str(warning)
    assert len(rows_of(opened)) == 3
    inside = open_source(SourceSpec(file="m.json"), tmp_path, allow_outside=False)
    assert [problem.fatal for problem in problems_of(inside)] == [True]


def test_a_link_that_leads_out_counts_as_outside(source: Write, tmp_path: Path) -> None:
    outside = tmp_path.parent / "elsewhere"
    outside.mkdir(exist_ok=True)
    os.symlink(outside, tmp_path / "loads")
    opened = source("m.json", '{"scenarios": [{"id": "a", "grid": "c.m", "loads": "loads/1.csv"}]}')
    assert ["outside the manifest's folder" in line for line in said(opened)] == [True]


# ---- hostile JSON


def test_broken_json_after_the_first_scenarios_is_told_with_its_line(source: Write) -> None:
    opened = source("m.json", '{"scenarios": [\n {"id": "a", "grid": "c.m"},\n {"id": "b"\n')
    assert [row.values["id"] for row in rows_of(opened)] == ["a"]
    (problem,) = problems_of(opened)
    assert problem.line == 4
    assert "not JSON" in problem.message


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ('{"scenarios": [{"id": "a", "grid": "c.m"}], "solver": "ac",\n"solver": "dc"}', "stands twice", 2),
        ('{"scenarios": [{"id": "a", "grid": "c.m"}],\n"scenarios": []}', "stands twice", 2),
        ('{"scenarios": [\n{"id": "a", "id": "b", "grid": "c.m"}]}', 'scenario 1: key "id" appears twice', 2),
        ('{"scenarios": [{"id": "a",\n"load_scale": NaN}]}', "is no number that JSON can carry", 1),
        ('{"scenarios": [{"id": "a", "grid": "c.m"}]} {}', "more text after the end", 1),
        ('{"scenarios": [{"id": "a", "grid": "c.m"}], "x": ' + "[" * 300 + "]" * 300 + "}", "levels deep", 1),
        ('{"scenarios": [{"id": "a", "grid": "c.m"}], 7: 1}', "expected a key in quotes", 1),
    ],
)
def test_json_that_others_would_read_wrongly(source: Write, text: str, message: str, line: int) -> None:
    faults = [problem for problem in problems_of(source("m.json", text)) if problem.fatal]
    assert (faults[0].line, message in faults[0].message) == (line, True)


def test_hostile_names_are_shown_clean(source: Write) -> None:
    scenario = {"id": "a\x1b[31m\u202eb", "grid": "c.m", "l\x1b]0;x\x07oads": "x"}
    text = "\n".join(said(source("m.json", json.dumps({"scenarios": [scenario]}))))
    assert "unknown key" in text
    assert not {"\x1b", "\u202e", "\x07"} & set(text)


@pytest.mark.parametrize(
    "text",
    [
        '[{"id": "a", "grid": "north", "text": "x"}]',
        '[{"scenario_id": "a", "text": "x"}]',
        '{"id": "a", "scenario": []}',
        '{"requests": [{"id": "a", "grid": "x"}]}',
        "[]",
        "[1]",
        "{",
    ],
)
def test_other_json_is_no_manifest(source: Write, text: str) -> None:
    assert source("rows.json", text).native is None


def test_a_manifest_by_standard_input(tmp_path: Path) -> None:
    data = tmp_path / "piped"
    data.write_text('{"scenarios": [{"id": "a", "grid": "c.m"}], "solver": "ac"}')
    with data.open("rb") as stream:
        opened = open_source(SourceSpec(file="-"), tmp_path, stdin=stream)
    (row,) = rows_of(opened)
    assert (opened.native, row.values["grid"]) == ("scenarios", str(tmp_path / "c.m"))


def test_a_limit_takes_the_first_scenarios() -> None:
    opened = open_source(SourceSpec(file="manifest_ac.json", limit=5), POWER / "case14")
    assert (len(rows_of(opened)), opened.count_hint) == (5, 5)
