"""Run folders are deleted once nothing needs them, and never under an element that may still write."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.engine.manage.discarding import discard, leftovers
from batchtui.model import BatchSpec, Json, OutputSpec, SourceSpec
from tests import extras
from tests.cluster.stand_in import StandIn
from tests.engine.bench import Bench, until
from tests.engine.victim import Victim

Made = Callable[..., Bench]
GRID = Path(__file__).parents[1] / "data" / "power" / "case14" / "case14.m"
JOB: dict[str, Json] = {"command": ["echo", "{{ id }}"]}


def run_folders(folder: Path) -> list[str]:
    return sorted(entry.name for entry in (folder / "runs").iterdir())


@pytest.mark.parametrize("asked", [False, True])
def test_it_goes_where_that_is_asked_for(on_site: Made, tmp_path: Path, asked: bool) -> None:
    bench = on_site(delete_folders=asked)
    folder = bench.run(bench.spec("cluster", 4, JOB))
    until(lambda: folder.progress.ended, "the end")
    until(lambda: bool(run_folders(tmp_path)) is not asked, "what becomes of its folder")
    assert {folder.result(n).raw_response for n in range(4)} == {f"r{n}\n" for n in range(4)}


@pytest.mark.parametrize("state", ["RUNNING", "PENDING"])
def test_it_stays_under_an_element_that_slurm_still_knows(
    on_site: Made, site: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    monkeypatch.setattr("batchtui.backends.slurm.backend.ENDING", (0.1,))
    site.fate({1: {0: f"ran:{state}"}})
    bench = on_site(delete_folders=True)
    folder = bench.run(bench.spec("cluster", 4, JOB))
    assert folder.status().completed == 4
    until(lambda: not bench.worker.drives(folder.id), "the end")
    assert len(run_folders(tmp_path)) == 1


@extras.needs("power")
def test_scenarios_have_their_tables_first_and_may_be_retried_after(
    on_site: Made, site: StandIn, tmp_path: Path
) -> None:
    bench, out = on_site(delete_folders=True, chunk=1), tmp_path / "out"
    site.fate({1: {1: "OUT_OF_MEMORY"}})
    source = tmp_path / "rows.csv"
    source.write_text("id,scale\na,0.9\nb,1.0\nc,1.1\n")
    job: dict[str, Json] = {"task": "dc", "grid": str(GRID), "load_scale": "{{ scale }}"}
    folder = bench.run(
        BatchSpec(
            backend="cluster", source=SourceSpec(file=str(source)), job=job, output=OutputSpec(dir=str(out))
        )
    )
    assert (folder.status().completed, folder.status().failed) == (2, 1), folder.result(0)
    until(lambda: not run_folders(tmp_path), "the end of its folder")
    assert (out / "job_a" / "result.json").exists()
    shutil.rmtree(out / "job_c")
    bench.ask(folder, "retry")
    folder = bench.drive(folder.id)
    assert folder.status().completed == 3
    found = json.loads((out / "batch_manifest.json").read_text())
    assert found["success"] == 3
    assert (out / "job_c" / "result.json").exists()  # whose tables were gone: solved again


@pytest.mark.usefixtures("site")
def test_rm_takes_the_run_folder_along(tmp_path: Path, on_site: Made) -> None:
    on_site()
    rows = tmp_path / "rows.csv"
    rows.write_text("id\nr0\nr1\n")
    batch = tmp_path / "batch.toml"
    batch.write_text(
        'name = "gone"\nbackend = "cluster"\n[source]\nfile = "rows.csv"\n[job]\ncommand = ["echo", "{{ id }}"]\n'
    )
    victim = Victim(tmp_path / "elsewhere", tmp_path / "config.toml")
    assert victim.finish("run", "--trust", str(batch)).returncode == 0
    assert len(run_folders(tmp_path)) == 1
    (tmp_path / "runs" / "precious").mkdir()
    done = victim.finish("rm", "gone", "--yes")
    assert (done.returncode, run_folders(tmp_path)) == (0, ["precious"]), done.stderr.decode()


def test_rm_leaves_what_may_still_be_written(tmp_path: Path, on_site: Made, site: StandIn) -> None:
    site.fate({1: {0: "ran:PENDING"}})
    bench = on_site()
    folder = bench.run(bench.spec("cluster", 2, JOB))
    (left,) = discard(leftovers(folder, bench.backends))
    assert left.endswith("stays: elements of it still run or wait")
    site.says("squeue", "squeue: error: Unable to contact slurm controller (connect failure)")
    (left,) = discard(leftovers(folder, bench.backends))
    assert "Slurm's controller does not answer" in left
    site.says("squeue", None)
    site.replace("PENDING", "COMPLETED")
    assert discard(leftovers(folder, bench.backends)) == []
    assert run_folders(tmp_path) == []
