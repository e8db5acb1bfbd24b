"""Ten thousand power flows in chunks on a real cluster, and what is written of scenarios that were solved there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.model import BatchSpec, Json, OutputSpec, SourceSpec
from batchtui.results.scenarios.rows import tables_of
from tests import extras
from tests.cluster.clusters import Cluster
from tests.engine.bench import Bench

pytestmark = pytest.mark.timeout(400)
GRID = Path(__file__).parents[1] / "data" / "power" / "case14" / "case14.m"


def scale(n: int) -> float:
    return round(0.5 + n / 10_000, 6)


def sweep(folder: Path, rows: int, out: str | None = None) -> BatchSpec:
    scales = folder / "scales.csv"
    scales.write_text("id,scale\n" + "".join(f"s{n},{scale(n)}\n" for n in range(rows)))
    return BatchSpec(
        name="sweep",
        backend="cluster",
        source=SourceSpec(file=str(scales)),
        job={"task": "dc", "grid": str(GRID), "load_scale": "{{ scale }}"},
        output=OutputSpec(dir=out),
    )


def solved_here(*numbers: int) -> list[dict[str, Json]]:
    extras.require("power")
    from batchtui.domains.power.tasks import solve_many

    jobs = [{"task": "dc", "grid": str(GRID), "load_scale": scale(n), "folder": None} for n in numbers]
    values = [value for value in solve_many(jobs) if isinstance(value, dict)]
    assert len(values) == len(numbers)
    return values


def test_ten_thousand_scenarios(on_cluster: Callable[..., Bench], cluster: Cluster, tmp_path: Path) -> None:
    some = range(0, 10_000, 271)
    expected = solved_here(*some)
    bench = on_cluster(chunk=2500)
    folder = bench.run(sweep(tmp_path, 10_000))
    status = bench.status(folder)
    assert (status.completed, status.total) == (10_000, 10_000), folder.result(0)
    assert len(status.submissions or []) == 1
    assert len(cluster.submitted()) == 4
    for n, value in zip(some, expected, strict=True):
        stored = folder.result(n).output
        assert "tables" not in stored  # what is large stays in the run folder
        assert stored["input_hash"] == value["input_hash"]
        tables = tables_of(stored)
        assert tables
        assert tables["branch"]["branch_id"] == value["tables"]["branch"]["branch_id"]
        assert tables["branch"]["flow_mw"] == pytest.approx(value["tables"]["branch"]["flow_mw"])


def test_the_output_folder_is_that_of_local_scenarios(
    on_cluster: Callable[..., Bench], tmp_path: Path
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra `power`")
    (expected,) = solved_here(33)
    bench, out = on_cluster(chunk=20), tmp_path / "out"
    folder = bench.run(sweep(tmp_path, 40, str(out)))
    assert folder.status().completed == 40, folder.result(0)
    summary = parquet.read_table(out / "summary" / "aggregated_results.parquet").to_pylist()
    assert [row["scenario_id"] for row in summary] == [f"s{n}" for n in range(40)]
    assert summary[33]["load_mw"] == pytest.approx(expected["summary"]["load_mw"])
    written = parquet.read_table(out / "job_s33" / "result.parquet").to_pydict()
    assert written["flow_mw"] == pytest.approx(expected["tables"]["branch"]["flow_mw"])
