"""What a scenario manifest means for a batch: its jobs, limits, backend and output folder, and what is told before it runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from batchtui import batchfile
from batchtui.config import load_config
from batchtui.engine.plan.consent.reach import Reach
from batchtui.engine.plan.planning import plan, preview
from batchtui.engine.shared.pool import Backends
from batchtui.model import BatchSpec, Json, LimitsSpec, SourceSpec
from batchtui.preflight import Preflight
from tests import extras

POWER = Path(__file__).parent.parent / "data" / "power"


@pytest.fixture
def case14(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "case14"
    shutil.copytree(POWER / "case14", folder)
    monkeypatch.chdir(tmp_path)
    return folder


def backends(folder: Path, config: str = "") -> Backends:
    (folder / "config.toml").write_text(config)
    return Backends(load_config(folder / "config.toml", env={}), env={})


def bare(file: str, **parts: Json) -> BatchSpec:
    return BatchSpec(name=Path(file).stem, source=SourceSpec(file=file), **parts)


def checked(spec: BatchSpec, folder: Path, config: str = "") -> Preflight:
    return plan(spec, folder, backends(folder, config)).preflight


@extras.needs("power")
def test_a_bare_manifest_says_everything(case14: Path) -> None:
    flight = checked(bare("manifest_ac.json"), case14)
    assert (flight.backend, flight.kind, flight.jobs, flight.problems) == ("local", "local", 24, [])
    assert (flight.limits.timeout, flight.limits.concurrency) == (60, 4)
    assert flight.output == str(Path.cwd() / "runs" / "batch" / "manifest_ac")
    assert flight.first == {
        "task": "ac", "grid": str(case14 / "case14.m"), "loads": str(case14 / "loads" / "case14_s001.csv"),
    }  # fmt: skip


@extras.needs("power")
def test_faults_of_scenarios_are_told_and_stop_nothing(case14: Path) -> None:
    flight = checked(bare("manifest_faults.json"), case14)
    assert (flight.jobs, flight.stopped) == (11, False)
    lines = (case14 / "manifest_faults.json").read_text().splitlines()
    told = {problem.message.split('"')[1]: problem for problem in flight.problems}
    assert {name: problem.key for name, problem in told.items()} == {
        "missing_file": "job.loads",
        "missing_grid": "job.grid",
        "unknown_bus": "job.loads",
        "bad_cell": "job.loads",
        "bad_columns": "job.loads",
        "islanded": "job.outages",
        "unknown_branch": "job.outages",
    }
    for name, problem in told.items():
        assert problem.line is not None
        assert f'"id": "{name}"' in lines[problem.line]
        assert (problem.file, problem.fatal) == ("manifest_faults.json", False)
    assert "loads/bad_cell.csv, line 4" in told["bad_cell"].message


@extras.needs("power")
def test_a_fault_shows_in_the_preview_of_its_row(case14: Path) -> None:
    shown = preview(bare("manifest_faults.json"), case14, backends(case14), row=5)
    assert (shown.job_id, len(shown.problems)) == ("missing_file", 1)
    assert "will fail" in shown.problems[0].message
    assert isinstance(shown.sent, dict)
    assert shown.sent["task"] == "ac"


@extras.needs("power")
def test_a_repeated_id_stops_the_batch(case14: Path) -> None:
    flight = checked(bare("manifest_duplicate_ids.json"), case14)
    assert (flight.stopped, flight.duplicates) == (True, 1)
    assert str(flight.problems[0]).startswith(
        'manifest_duplicate_ids.json:8: id: id "good_a" is taken by line 3'
    )


@extras.needs("power")
def test_a_thousand_scenarios_are_told_apart(case14: Path) -> None:
    scenarios = [
        {"id": f"s{n}", "grid": "case14.m", "loads": f"loads/case14_s{n % 24 + 1:03}.csv", "load_scale": 1 + n / 1e4}
        for n in range(1000)
    ]  # fmt: skip
    (case14 / "many.json").write_text(json.dumps({"scenarios": scenarios, "solver": "dc"}))
    flight = checked(bare("many.json"), case14)
    assert (flight.jobs, flight.problems) == (1000, [])
    assert isinstance(flight.last, dict)
    assert flight.last["load_scale"] == 1.0999


@extras.needs("power")
def test_the_batch_says_another_task(case14: Path) -> None:
    spec = batchfile.apply_sets(
        bare("manifest_ac.json"), ["job.task=n1", 'job.outages=[{"type": "branch", "id": 3}]']
    )
    flight = checked(spec, case14)
    assert isinstance(flight.first, dict)
    assert (flight.first["task"], flight.first["outages"]) == ("n1", [{"type": "branch", "id": 3}])
    assert flight.jobs == 24


@extras.needs("power")
def test_a_sweep_over_tasks(case14: Path) -> None:
    flight = checked(bare("manifest_ac.json", sweep={"task": ["dc", "ac"]}), case14)
    assert (flight.jobs, flight.problems) == (48, [])


@extras.needs("power")
def test_a_batch_file_elsewhere_leaves_the_manifests_paths_alone(case14: Path, tmp_path: Path) -> None:
    (tmp_path / "loads.csv").write_text("bus_id,p_mw,q_mvar\n3,1,1\n")
    spec = bare("case14/manifest_ac.json", job={"loads": "loads.csv"})
    flight = checked(spec, tmp_path)
    assert flight.first == {
        "task": "ac",
        "grid": str(case14 / "case14.m"),
        "loads": str(tmp_path / "loads.csv"),
    }


@extras.needs("power")
def test_one_grid_for_all_comes_from_the_batch(case14: Path) -> None:
    (case14 / "outages.json").write_text(
        '[{"id": "a", "offline_branches": [3]},\n {"id": "b", "offline_branches": [5]}]'
    )
    missing = checked(bare("outages.json"), case14)
    assert [(problem.line, problem.key) for problem in missing.problems if problem.fatal][:2] == [
        (1, "grid"),
        (2, "grid"),
    ]
    flight = checked(bare("outages.json", job={"grid": "case14.m", "task": "ac"}), case14)
    assert (flight.jobs, flight.problems) == (2, [])
    assert isinstance(flight.first, dict)
    assert flight.first["grid"] == str(case14 / "case14.m")


def test_a_solver_of_ones_own(case14: Path) -> None:
    (case14 / "own.json").write_text('{"scenarios": [{"id": "a", "loads": "x.csv"}], "solver": "command"}')
    told = checked(bare("own.json"), case14).problems
    assert any("[job] command" in problem.message for problem in told if problem.fatal)
    flight = checked(bare("own.json", job={"command": ["echo", "{{ loads }}"]}), case14)
    first = {"command": ["echo", str(case14 / "x.csv")], "cwd": str(case14)}
    assert (flight.problems, flight.first) == ([], first)
    assert (flight.backend, flight.limits.timeout) == ("local", 60)


def test_rows_of_a_manifest_may_be_asked_about_as_any_others(case14: Path) -> None:
    config = '[backends.near]\nkind = "chat"\nbase_url = "http://127.0.0.1:9/v1"\n'
    spec = bare("manifest_ac.json", backend="near", job={"model": "m", "prompt": "What is {{ id }}?"})
    flight = checked(spec, case14, config)
    assert (flight.kind, flight.jobs, flight.output) == ("chat", 24, None)
    assert not flight.stopped


# ---- batch file > manifest > user config > default


USER = "[defaults.limits]\nconcurrency = 7\nretries = 9\n"


def test_the_order_of_limits(case14: Path) -> None:
    limits = checked(bare("manifest_ac.json"), case14, USER).limits
    assert (limits.concurrency, limits.retries, limits.timeout) == (4, 9, 60)
    own = checked(
        bare("manifest_ac.json", limits=LimitsSpec(concurrency=2, timeout="5s")), case14, USER
    ).limits
    assert (own.concurrency, own.retries, own.timeout) == (2, 9, "5s")


def test_a_users_limits_hold_for_any_batch(case14: Path) -> None:
    (case14 / "rows.csv").write_text("a\n1\n")
    spec = bare(
        "rows.csv", backend="local", job={"command": ["echo", "{{ a }}"]}, limits=LimitsSpec(retries=1)
    )
    limits = checked(spec, case14, USER).limits
    assert (limits.concurrency, limits.retries, limits.timeout) == (7, 1, None)


def test_the_output_folder_is_the_batch_files_own_where_it_says_one(case14: Path) -> None:
    spec = batchfile.apply_sets(bare("manifest_ac.json"), ["output.dir=out"])
    assert checked(spec, case14).output == str(case14 / "out")
    assert checked(batchfile.apply_sets(spec, ['output.dir=""']), case14).output is None


def test_a_name_becomes_one_folder(case14: Path) -> None:
    flight = checked(
        BatchSpec(name="../a b/c", source=SourceSpec(file="manifest_ac.json")),
        case14,
    )
    assert flight.output is not None
    assert Path(flight.output).parent == Path.cwd() / "runs" / "batch"


OTHERS = """
[backends.near]
kind = "chat"
base_url = "http://127.0.0.1:9/v1"
[backends.mine]
kind = "local"
[defaults]
backend = "{default}"
"""


def test_the_users_backend_where_it_does_such_jobs(case14: Path) -> None:
    assert checked(bare("manifest_ac.json"), case14, OTHERS.format(default="mine")).backend == "mine"
    assert checked(bare("manifest_ac.json"), case14, OTHERS.format(default="near")).backend == "local"
    named = checked(bare("manifest_ac.json", backend="mine"), case14, OTHERS.format(default="near"))
    assert named.backend == "mine"


@extras.needs("power")
def test_a_batch_file_says_where_its_grids_are_read(case14: Path, tmp_path: Path) -> None:
    batches = tmp_path / "batches"
    batches.mkdir()
    spec = bare("../case14/manifest_ac.json")
    reach = Reach(spec, batches)
    plan(spec, batches, backends(batches), reach=reach)
    assert reach.lines[0].startswith(
        f"reads files in {case14 / 'manifest_ac.json'}, {case14}, {case14}/loads"
    )
    own = Reach(spec, batches, own=["source.file"])
    plan(spec, batches, backends(batches), reach=own)
    assert own.lines == []  # what lies beside a source that the user named
    (case14 / "elsewhere").mkdir()
    (case14 / "manifest_ac.json").rename(case14 / "elsewhere/manifest_ac.json")
    moved = case14 / "elsewhere/manifest_ac.json"
    moved.write_text(moved.read_text().replace('"case14.m"', '"../case14.m"'))
    led = bare(str(moved))
    reach = Reach(led, batches, own=["source.file"])
    plan(led, batches, backends(batches), reach=reach)
    assert str(case14) in reach.places.pop()[1]
