"""A scenario manifest on the command line, with nothing else said."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests import extras
from tests.cli.cli_help import ROOT, Cli


@pytest.fixture
def case14(cli: Cli) -> Path:
    folder = cli.folder / "case14"
    shutil.copytree(ROOT / "tests/data/power/case14", folder)
    return folder


@extras.needs("power")
def test_check_says_what_it_would_be(cli: Cli, case14: Path) -> None:
    ran = cli("check", "case14/manifest_ac.json")
    assert (ran.code, ran.err) == (0, "")
    assert "backend      local (local)" in ran.out
    assert f"output       {cli.folder / 'runs/batch/manifest_ac'}" in ran.out
    (found,) = cli("check", "case14/manifest_ac.json", "--json").documents
    assert (found["jobs"], found["kind"], found["problems"]) == (24, "local", [])
    assert found["limits"] == {"concurrency": 4, "timeout": 60}
    assert found["output"] == str(cli.folder / "runs/batch/manifest_ac")
    assert found["first"]["task"] == "ac"


@extras.needs("power")
def test_check_tells_faults_of_scenarios_and_lets_them_be(cli: Cli, case14: Path) -> None:
    ran = cli("check", "case14/manifest_faults.json")
    assert ran.code == 0
    assert 'warning: case14/manifest_faults.json:37: job.loads: "bad_cell": will fail: ' in ran.err
    assert ran.err.count("will fail") == 7


@extras.needs("power")
@pytest.mark.parametrize("command", ["check", "run"])
def test_faults_of_the_manifest_stop_it(cli: Cli, case14: Path, command: str) -> None:
    ran = cli(command, "case14/manifest_duplicate_ids.json")
    assert ran.code == 2
    assert 'case14/manifest_duplicate_ids.json:8: id: id "good_a" is taken by line 3' in ran.err
    assert not (cli.folder / "runs").exists()


@extras.needs("power")
def test_flags_stand_over_the_manifest(cli: Cli, case14: Path) -> None:
    flags = ["--set", "job.task=n1", "--set", "limits.concurrency=1", "--set", "output.dir=tables"]
    (found,) = cli("check", "case14/manifest_dc.json", *flags, "--json").documents
    assert (found["first"]["task"], found["limits"]["concurrency"]) == ("n1", 1)
    assert found["output"] == str(cli.folder / "tables")


def test_the_environment_stands_over_the_manifest_and_a_flag_over_both(cli: Cli, case14: Path) -> None:
    (cli.folder / "config.toml").write_text(
        "".join(f'[backends.{name}]\nkind = "local"\n' for name in ("one", "two"))
    )
    check = ["check", "case14/manifest_ac.json", "--json"]
    assert cli(*check).documents[0]["backend"] == "local"
    assert cli(*check, BATCHTUI_BACKEND="one").documents[0]["backend"] == "one"
    assert cli(*check, "--backend", "two", BATCHTUI_BACKEND="one").documents[0]["backend"] == "two"


@extras.needs("power")
def test_a_bare_manifest_runs(cli: Cli, case14: Path) -> None:
    ran = cli("run", "case14/manifest_dc.json", "--set", "source.limit=3", "--json")
    assert ran.code == 0
    (status,) = ran.documents
    assert (status["completed"], status["kind"]) == (3, "local")
    assert (cli.folder / "runs/batch/manifest_dc").is_dir()


@extras.needs("power")
def test_a_batch_file_over_a_manifest(cli: Cli, case14: Path) -> None:
    (case14 / "n1.toml").write_text('[source]\nfile = "manifest_ac.json"\nlimit = 2\n[job]\ntask = "n1"\n')
    ran = cli("run", "case14/n1.toml", "--json")
    assert ran.code == 0
    assert ran.documents[0]["completed"] == 2
