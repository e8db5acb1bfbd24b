"""Scenario manifests end to end: what is written, what failed how, what is taken as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchtui.results.scenarios.columns import AGGREGATED
from tests import extras
from tests.cli.cli_help import Cli
from tests.cli.scenario_help import (
    POWER,
    copied,
    hiding,
    lines,
    manifest,
    references,
    results,
    rows,
    table,
    the_batch,
)

pytestmark = extras.needs("power")


@pytest.mark.parametrize("case", ["case14", "case118"])
def test_a_manifest_end_to_end(cli: Cli, case: str) -> None:
    ran = cli("run", str(POWER / case / "manifest_ac.json"))
    assert ran.code == 0, ran.err
    place = cli.folder / "runs/batch/manifest_ac"

    summary = table(place / "summary", "aggregated_results")
    assert tuple(summary) == AGGREGATED
    for n, expected in enumerate(references(case, "ref_summary")):
        got = {name: values[n] for name, values in summary.items()}
        assert (got["scenario_id"], got["status"], got["task"]) == (expected["scenario_id"], "ok", "ac")
        assert (got["attempts"], got["converged"], got["error"]) == (1, True, None)
        assert got["loss_mw"] == pytest.approx(float(expected["ac_loss_mw"]), abs=1e-3)
        assert got["slack_mw"] == pytest.approx(float(expected["ac_slack_gen_p_mw"]), abs=1e-3)
        assert got["load_mw"] == pytest.approx(float(expected["total_load_mw"]), abs=1e-3)
        assert got["vm_min"] == pytest.approx(float(expected["ac_vm_min_pu"]), abs=1e-6)
        assert got["vm_max"] == pytest.approx(float(expected["ac_vm_max_pu"]), abs=1e-6)
        assert len(got["input_hash"]) == 64

    branches = table(place / "summary", "branches")
    keys = zip(branches["scenario_id"], branches["branch_id"], strict=True)
    flows = dict(zip(keys, zip(branches["flow_mw"], branches["q_to_mvar"], strict=True), strict=True))
    for row in references(case, "ref_ac_branch"):
        flow = flows[row["scenario_id"], int(row["branch_row"])]
        assert flow == pytest.approx((float(row["p_from_mw"]), float(row["q_to_mvar"])), abs=1e-3)
    buses = table(place / "summary", "buses")
    voltages = dict(zip(zip(buses["scenario_id"], buses["bus_id"], strict=True), buses["vm_pu"], strict=True))
    for row in references(case, "ref_ac_bus"):
        assert voltages[row["scenario_id"], int(row["bus_id"])] == pytest.approx(
            float(row["vm_pu"]), abs=1e-6
        )

    said = manifest(place)
    assert (said["task"], said["num_jobs"], said["success"], said["failure"]) == ("ac", 24, 24, 0)
    assert said["stats"]["convergence_rate"] == 1
    first = said["jobs"][0]
    assert first["output"] == f"job_{case}_s001/result.parquet"
    assert (place / first["output"]).exists()
    assert table(place / f"job_{case}_s001", "branch")["branch_id"][0] == 1
    journal = lines(place / "jobs.jsonl")
    assert len([one for one in journal if one.get("status") == "ok"]) == 24


def test_faults_are_told_apart_and_never_tried_again(cli: Cli) -> None:
    ran = cli("run", str(POWER / "case14/manifest_faults.json"))
    assert ran.code == 1, ran.err
    place = cli.folder / "runs/batch/manifest_faults"
    kinds = {
        "diverges": "not_converged", "missing_file": "missing_file", "missing_grid": "missing_file",
        "unknown_bus": "bad_input", "bad_cell": "bad_input", "bad_columns": "bad_input",
        "islanded": "islanded", "unknown_branch": "bad_input",
    }  # fmt: skip
    summary = table(place / "summary", "aggregated_results")
    shown = rows({name: summary[name] for name in ("status", "error_kind", "attempts")})
    found = dict(zip(summary["scenario_id"], shown, strict=True))
    assert len(found) == 11
    for row in references("case14", "ref_faults"):
        scenario = row["scenario_id"]
        assert found[scenario] == (row["expected_status"], kinds.get(scenario), 1)
        if row["ac_loss_mw"]:
            loss = summary["loss_mw"][summary["scenario_id"].index(scenario)]
            assert loss == pytest.approx(float(row["ac_loss_mw"]), abs=1e-3)
    said = manifest(place)
    assert (said["num_jobs"], said["success"], said["failure"]) == (11, 3, 8)
    assert not [event for event in lines(the_batch(cli) / "events.jsonl") if event["event"] == "retry"]
    assert "line 4" in next(one["error"] for one in said["jobs"] if one["scenario_id"] == "bad_cell")
    branches = table(place / "summary", "branches")
    assert set(branches["scenario_id"]) == {"good_a", "partial_csv", "no_loads"}
    failed = lines(place / "job_islanded/result.json")
    assert failed[0]["error_kind"] == "islanded"


def test_repeated_ids_are_refused_and_nothing_is_made(cli: Cli) -> None:
    ran = cli("run", str(POWER / "case14/manifest_duplicate_ids.json"))
    assert ran.code == 2
    assert 'id "good_a"' in ran.err
    assert not (cli.folder / "runs").exists()
    assert not list((cli.folder / "data").rglob("batch.json"))


def test_ids_that_differ_by_case_alone_are_refused(cli: Cli) -> None:
    (cli.folder / "rows.csv").write_text("id\nBase\nother\nbase\n")
    grid = f"job.grid={POWER / 'case9/case9.m'}"
    ran = cli(
        "run", str(cli.folder / "rows.csv"), "--backend", "local", "--set", "job.task=dc", "--set", grid
    )
    assert ran.code == 2
    assert 'rows.csv:4: id: ids "Base" and "base" would be one folder' in ran.err


def test_only_workers_import_what_takes_long(cli: Cli) -> None:
    ran = cli("run", str(POWER / "case9/manifest_ac.json"), PYTHONPROFILEIMPORTTIME="1")
    assert ran.code == 0
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in ran.err.splitlines()}
    assert "batchtui" in imported
    assert not imported & {"numpy", "pyarrow", "pandas", "scipy", "lightsim2grid"}


def test_a_second_run_solves_only_what_changed(cli: Cli) -> None:
    case = copied("case14", cli.folder)
    file = str(case / "manifest_ac.json")
    place = cli.folder / "runs/batch/manifest_ac"
    assert cli("run", file).code == 0
    before = table(place / "summary", "aggregated_results")

    loads = case / "loads/case14_s002.csv"
    loads.write_text(loads.read_text().replace("\n2,", "\n2,1"))
    (place / "job_case14_s003/bus.parquet").unlink()
    (place / "job_case14_s004/result.parquet").write_bytes(b"torn")
    ran = cli("run", file, "--set", "name=manifest_ac", "--json")
    assert ran.code == 0, ran.err
    assert "case14_s002" in ran.err
    assert "changed" in ran.err
    batch = ran.documents[-1]["id"]
    outputs = {job: one["output"] for job, one in results(cli, batch).items()}
    solved = {job for job, output in outputs.items() if not output.get("reused")}
    assert solved == {"case14_s002", "case14_s003", "case14_s004"}
    again = cli.folder / "runs/batch/manifest_ac-2"
    after = table(again / "summary", "aggregated_results")
    differ = [
        id_
        for id_, old, new in zip(before["scenario_id"], before["loss_mw"], after["loss_mw"], strict=True)
        if old != pytest.approx(new, abs=1e-9)
    ]
    assert differ == ["case14_s002"]
    assert set(after["attempts"]) == {1}
    assert len(table(again / "summary", "branches")["branch_id"]) == 24 * 20
    assert table(place / "summary", "aggregated_results") == before


def test_another_source_does_not_write_over_it(cli: Cli) -> None:
    place = cli.folder / "mine"
    asked = ("--set", f"output.dir={place}")
    assert cli("run", str(POWER / "case9/manifest_ac.json"), *asked).code == 0
    first = (place / "batch_manifest.json").read_bytes()
    ran = cli("run", str(POWER / "case14/manifest_ac.json"), *asked, "--json")
    assert ran.code == 0
    assert "holds the results of others" in ran.err
    assert (place / "batch_manifest.json").read_bytes() == first
    assert manifest(place / ran.documents[-1]["id"])["num_jobs"] == 24


def test_without_pyarrow_tables_are_json_lines_and_csv(cli: Cli) -> None:
    file = str(POWER / "case9/manifest_ac.json")
    assert cli("run", file, "--set", "output.dir=with").code == 0
    ran = cli("run", file, "--set", "output.dir=without", **hiding(cli, "pyarrow"))
    assert ran.code == 0, ran.err
    whole, plain = (Path(cli.folder, name) for name in ("with", "without"))
    if not whole.exists():  # the folder starts from the manifest's
        whole, plain = (POWER / "case9" / name for name in ("with", "without"))
    for name in ("aggregated_results", "branches", "buses"):
        assert (whole / "summary" / f"{name}.parquet").exists()
        assert sorted(path.name for path in (plain / "summary").glob(f"{name}*")) == [
            f"{name}.csv",
            f"{name}.jsonl",
        ]
        found = table(plain / "summary", name)
        expected = table(whole / "summary", name)
        assert list(found) == list(expected)
        assert rows(found, "duration_ms") == rows(expected, "duration_ms")
    names = {path.name for path in next(plain.glob("job_*")).iterdir()}
    assert names == {"result.jsonl", "result.csv", "bus.jsonl", "bus.csv", "result.json"}


def test_without_an_output_folder_the_tables_are_with_the_batch(cli: Cli) -> None:
    (cli.folder / "rows.csv").write_text("id,scale\na,1.0\nb,1.05\n")
    options = {
        "backend": "local", "job.task": "ac", "job.grid": str(POWER / "case14/case14.m"), "job.load_scale": "{{ scale }}"
    }  # fmt: skip
    settings = [part for key, value in options.items() for part in ("--set", f"{key}={value}")]
    ran = cli("run", str(cli.folder / "rows.csv"), *settings)
    assert ran.code == 0, ran.err
    place = the_batch(cli) / "tables"
    assert table(place / "summary", "aggregated_results")["scenario_id"] == ["a", "b"]
    assert not (cli.folder / "runs").exists()


def test_what_stands_is_not_sent_to_a_cluster(cli: Cli) -> None:
    file = str(POWER / "case9/manifest_ac.json")
    assert cli("run", file).code == 0
    (cli.folder / "config.toml").write_text('[backends.cluster]\nkind = "slurm"\n')
    ran = cli(
        "run", file, "--backend", "cluster", "--json", PATH=str(cli.folder)
    )  # there is no sbatch to ask
    assert ran.code == 0, ran.err
    found = results(cli, ran.documents[-1]["id"])
    assert [one["output"]["reused"] for one in found.values()] == [True] * 3
    assert ran.documents[-1]["submissions"] == []
    assert manifest(cli.folder / "runs/batch/manifest_ac-2")["success"] == 3


def test_without_the_extra_it_says_what_to_install(cli: Cli) -> None:
    missing = hiding(cli, "pyarrow", "numpy", "scipy", "pandas", "lightsim2grid", "pypower")
    ran = cli("run", str(POWER / "case9/manifest_ac.json"), **missing)
    assert ran.code == 2, ran.err
    assert "pip install 'batchtui[power]'" in ran.err
    assert not (cli.folder / "runs").exists()
