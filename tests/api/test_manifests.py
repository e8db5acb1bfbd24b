"""Scenarios on grids from Python: manifests and single jobs, and the tables that come back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from batchtui import BadInput, NotFound
from batchtui.api import tables
from batchtui.api.engines import Home
from batchtui.engine.manage.cloning import clone
from tests import extras
from tests.api.conftest import Place

POWER = Path(__file__).parents[1] / "data/power"
CASE9 = ("case9_s001", "case9_s002", "case9_s003")
needs_power = extras.needs("power")


@pytest.fixture
def manifest(place: Place, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(place.folder)
    return Path(shutil.copytree(POWER / "case9", place.folder / "case9")) / "manifest_ac.json"


@needs_power
def test_a_manifest_its_tables_and_a_second_run(place: Place, manifest: Path) -> None:
    batch = place.manifest(manifest, max_workers=1)
    assert (len(batch), batch.name) == (3, "manifest_ac")
    flight = batch.check()
    assert (flight.jobs, flight.problems, flight.limits.concurrency) == (3, [], 1)
    assert flight.output == str(place.folder / "runs/batch/manifest_ac")
    run = batch.run()
    assert (run.state, run.status()["completed"]) == ("completed", 3)
    assert [result.job_id for result in run] == list(CASE9)

    scenarios = run.table("scenarios")
    assert scenarios.num_rows == 3
    assert scenarios["scenario_id"].to_pylist() == list(CASE9)
    assert scenarios["task"].unique().to_pylist() == ["ac"]
    branches, buses = run.table("branches"), run.table("buses")
    assert (branches.num_rows, buses.num_rows) == (3 * 9, 3 * 9)
    assert {"scenario_id", "branch_id", "flow_mw", "loading_pct"} <= set(branches.column_names)
    one = run.table("branches", job=CASE9[1])
    assert one.num_rows == 9
    assert one["flow_mw"].to_pylist() == branches["flow_mw"].to_pylist()[9:18]
    assert run.table("results").num_rows == 3
    assert run.table("results", job=CASE9[1])["job_id"].to_pylist() == [CASE9[1]]

    with pytest.raises(BadInput, match=r'no table "branchs"; did you mean "branches"\?'):
        run.table("branchs")
    with pytest.raises(BadInput, match='has no table "contingencies"; it has scenarios, branches, buses'):
        run.table("contingencies")
    with pytest.raises(BadInput, match=r'scenario "case9_s001" \(completed\) has no table "scenarios"'):
        run.table("scenarios", job=CASE9[0])
    with pytest.raises(NotFound, match="case9_s1"):
        run.table("buses", job="case9_s1")

    again = place.manifest(manifest, max_workers=1).run()
    assert again.name == "manifest_ac-2"
    assert all(result.data["reused"] for result in again)
    assert again.table("branches").equals(branches)
    assert run.table("branches").equals(branches)


@needs_power
def test_another_solver_and_what_all_scenarios_have(place: Place, manifest: Path) -> None:
    batch = place.manifest(
        manifest, solver="DC-OPF", max_workers=1, name="prices", results_dir=place.folder / "out"
    )
    run = batch.run()
    assert run.table("scenarios")["task"].to_pylist() == ["dcopf"] * 3
    assert run.table("buses")["lmp"].null_count == 0
    assert (place.folder / "out/summary/buses.parquet").exists()
    outages = [{"type": "branch", "id": 2}]
    batch = place.manifest(manifest, solver="n1", max_workers=1).set_default_params(
        outages=outages, dc_model="matpower"
    )
    run = batch.start()
    batch.add_job(
        id="more", task="n1", grid=str(manifest.parent / "case9.m"), load_scale=0.9, dc_model="matpower"
    )
    assert run.wait(timeout=120)
    assert sorted(set(run.table("contingencies")["scenario_id"].to_pylist())) == [*CASE9, "more"]


@needs_power
def test_scenarios_one_by_one_with_loads_and_outages(place: Place, manifest: Path) -> None:
    grid, loads = manifest.parent / "case9.m", sorted((manifest.parent / "loads").iterdir())[1]
    batch = place.batch("by hand", backend="local", concurrency=1)
    batch.set_default_params(task="ac", grid=grid)
    batch.add_job(id="base").add_job(id="loads", loads=loads)
    batch.add_job(id="out", loads=loads, outages=[{"type": "branch", "id": 2}])
    batch.add_job(id="split", outages=[{"type": "branch", "id": 7}])  # the only line of bus 2
    run = batch.run()
    assert run.get_failed_jobs().keys() == {"split"}
    scenarios = run.table("scenarios").to_pylist()
    assert [one["status"] for one in scenarios] == ["ok", "ok", "ok", "error"]
    assert scenarios[3]["error_kind"] == "islanded"
    assert len({one["loss_mw"] for one in scenarios[:3]}) == 3
    assert set(run.table("branches")["scenario_id"].to_pylist()) == {"base", "loads", "out"}
    out = run.table("branches", job="out")
    assert (out.num_rows, out["flow_mw"].to_pylist()[1]) == (9, None)

    home = Home.of(**place.home)
    waiting = place.open(clone(run.folder, None, home.library, home.backends()).keep().id)
    with pytest.raises(BadInput, match="4 of 4 scenarios have not ended; `wait` first"):
        waiting.table("branches")


@needs_power
def test_what_is_no_manifest_and_no_solver(place: Place, manifest: Path) -> None:
    with pytest.raises(BadInput, match="no such file"):
        place.manifest(manifest.with_name("nowhere.json"))
    with pytest.raises(BadInput, match="is no scenario manifest"):
        place.manifest(manifest.parent)
    rows = place.folder / "rows.json"
    rows.write_text('[{"id": 1}]')
    with pytest.raises(BadInput, match="is no scenario manifest"):
        place.manifest(rows)
    with pytest.raises(BadInput, match='solver: "acpf" is none of'):
        place.manifest(manifest, solver="acpf")
    with pytest.raises(BadInput, match='solver: "command" is none of'):
        place.manifest(manifest, solver="command")
    batch = place.manifest(manifest)
    with pytest.raises(BadInput, match="those of its manifest until it is started"):
        batch.add_job(id="more", task="dc", grid="case9.m")
    said = json.loads(manifest.read_text())
    said["scenarios"][1]["id"] = CASE9[0]
    manifest.write_text(json.dumps(said))
    with pytest.raises(BadInput, match=f'id "{CASE9[0]}" is taken'):
        place.manifest(manifest).start()
    assert not (place.folder / "runs").exists()


@needs_power
def test_a_state_file_carries_the_batch_of_a_manifest_on(place: Place, manifest: Path) -> None:
    runs = [
        place.manifest(manifest, max_workers=1).set_state(place.folder / "state.json").run() for _ in range(2)
    ]
    assert runs[0].id == runs[1].id


def test_other_batches_have_results_alone(place: Place) -> None:
    run = place.batch("words", backend="local").add_job(id="a", command=["echo", "hello"]).run()
    pytest.importorskip("pyarrow", reason="needs the extra `parquet`")
    assert run.table("results")["raw_response"].to_pylist() == ["hello\n"]
    with pytest.raises(BadInput, match='is not one of scenarios: it has no table "buses", but "results"'):
        run.table("buses")


def test_without_the_package_it_says_what_to_install(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    run = place.batch("words", backend="local").add_job(id="a", command=["echo", "hello"]).run()

    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(tables.importlib, "import_module", missing)
    with pytest.raises(
        BadInput, match=r"need pyarrow, which is not installed: pip install 'batchtui\[parquet\]'"
    ):
        run.table("results")
    with pytest.raises(
        BadInput, match=r"need pandas, which is not installed: pip install 'batchtui\[pandas\]'"
    ):
        run.frame("results")


@needs_power
def test_frames_are_the_tables(place: Place, manifest: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="needs the extra `pandas`")
    run = place.manifest(manifest, max_workers=1).run()
    frame = run.frame("branches")
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.columns) == run.table("branches").column_names
    assert frame.groupby("scenario_id")["loss_mw"].sum().to_list() == pytest.approx(
        run.table("scenarios")["loss_mw"].to_pylist()
    )


def test_scenarios_without_a_backend_say_so(place: Place) -> None:
    batch = place.batch("mine")
    batch.add_job(task="ac", grid="case14.m", loads="loads/base.csv")
    batch.add_job(task="n1", grid="case14.m")
    with pytest.raises(
        BadInput, match='mine: no backend is named; programs, calls and grids go to backend="local"'
    ):
        batch.start()
