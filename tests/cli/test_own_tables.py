"""Each run of a manifest has a folder of tables of its own; what an earlier one solved is taken from there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batchtui.results.views import registry
from batchtui.store.library import Library
from tests import extras
from tests.cli.cli_help import Cli, Ran
from tests.cli.scenario_help import copied, lines, manifest, rows, table

pytestmark = extras.needs("power")
ALONE = ("--set", "limits.concurrency=1")


@pytest.fixture
def file(cli: Cli) -> Path:
    return copied("case9", cli.folder) / "manifest_ac.json"


def run(cli: Cli, file: Path, *more: str) -> Ran:
    ran = cli("run", str(file), *ALONE, *more)
    assert ran.code == 0, ran.err
    return ran


def reused(cli: Cli, name: str) -> list[bool]:
    folder = Library(cli.folder / "data").find(name)
    outputs = {one["job_id"]: one["output"] for one in lines(folder.path / "results.jsonl")[1:]}
    return [bool(outputs[job].get("reused")) for job in folder.jobs.ids]


def view(cli: Cli, name: str, which: str) -> list[tuple[object, ...]]:
    return list(registry.build(Library(cli.folder / "data").find(name), which).table.rows)


def test_two_runs_and_another_task_are_three_batches_with_three_sets_of_tables(cli: Cli, file: Path) -> None:
    folders = cli.folder / "runs/batch"
    assert f"output       {folders / 'manifest_ac'}\n" in cli("check", str(file)).out
    run(cli, file)
    solved_before = "solved before from the same inputs, and taken from there; nothing was solved now\n"
    first = {name: view(cli, "manifest_ac", name) for name in ("scenarios", "voltages", "loading")}
    before = (folders / "manifest_ac/batch_manifest.json").read_bytes()

    assert f"output       {folders / 'manifest_ac-2'}\n" in cli("check", str(file)).out
    run(cli, file)
    third = run(cli, file, "--set", "job.task=n1")
    assert "changed" not in third.err  # another task is no change of what was solved
    fourth = run(cli, file)  # past the contingencies in between
    assert f"its tables go to {folders / 'manifest_ac-4'}\n" in fourth.err
    assert f"all 3 scenarios were {solved_before}" in fourth.err
    assert "solved before" not in third.err

    names = ["manifest_ac", "manifest_ac-2", "manifest_ac-3", "manifest_ac-4"]
    assert sorted(path.name for path in folders.iterdir()) == names
    assert sorted(folder.header.name for folder in Library(cli.folder / "data").folders()) == names
    assert [reused(cli, name) for name in names] == [[False] * 3, [True] * 3, [False] * 3, [True] * 3]
    assert [manifest(folders / name)["task"] for name in names] == ["ac", "ac", "n1", "ac"]
    for name in names:
        assert len(table(folders / name / "summary", "aggregated_results")["scenario_id"]) == 3
    for which, expected in first.items():
        assert view(cli, "manifest_ac", which) == view(cli, "manifest_ac-2", which) == expected
    assert len(view(cli, "manifest_ac-3", "contingencies")) > 3
    assert (folders / "manifest_ac/batch_manifest.json").read_bytes() == before
    told = cli("view", "manifest_ac", "loading", "--format", "csv").out.splitlines()
    assert len(told) == len(first["loading"]) + 1


def test_only_what_changed_is_solved_and_the_first_batch_stays_as_it_was(cli: Cli, file: Path) -> None:
    folders = cli.folder / "runs/batch"
    run(cli, file)
    before = view(cli, "manifest_ac", "scenarios")
    loads = sorted((file.parent / "loads").iterdir())[1]
    loads.write_text(loads.read_text().replace("\n5,", "\n5,1"))
    second = run(cli, file)
    assert "the inputs of 1 scenario (" in second.err
    assert (
        "2 scenarios were solved before from the same inputs, and taken from there; 1 ran now\n" in second.err
    )
    assert reused(cli, "manifest_ac-2") == [True, False, True]
    assert view(cli, "manifest_ac", "scenarios") == before
    places = folders / "manifest_ac", folders / "manifest_ac-2"
    losses = [table(place / "summary", "aggregated_results")["loss_mw"] for place in places]
    assert [one == other for one, other in zip(*losses, strict=True)] == [True, False, True]


def test_a_folder_that_anybody_used_is_never_taken(cli: Cli, file: Path) -> None:
    folders = cli.folder / "runs/batch"
    (folders / "manifest_ac").mkdir(parents=True)
    (folders / "manifest_ac-2").write_text("a file of somebody")
    (folders / "manifest_ac-3").symlink_to(cli.folder / "nowhere")
    run(cli, file)
    assert manifest(folders / "manifest_ac-4")["success"] == 3
    assert list((folders / "manifest_ac").iterdir()) == []

    assert cli("rm", "manifest_ac", "--yes").code == 0
    run(cli, file)  # the name is free again, its folder is not
    assert (
        manifest(folders / "manifest_ac-5")["success"] == manifest(folders / "manifest_ac-4")["success"] == 3
    )
    assert reused(cli, "manifest_ac") == [True] * 3


def test_runs_at_once_get_a_folder_each(cli: Cli, file: Path) -> None:
    running = [cli.start("run", "--trust", str(file), *ALONE) for _ in range(3)]
    for one in running:
        _, err = one.communicate()
        assert one.returncode == 0, err
    places = sorted((cli.folder / "runs/batch").iterdir())
    assert len(places) == 3
    owners = {json.loads((place / ".batchtui.jsonl").read_text())["batch"] for place in places}
    assert owners == set(Library(cli.folder / "data").ids())


def test_a_clone_has_its_own_too(cli: Cli, file: Path) -> None:
    run(cli, file)
    before = view(cli, "manifest_ac", "voltages")
    made = cli("clone", "manifest_ac", "--name", "again")
    assert made.code == 0
    assert str(cli.folder / "runs/batch/again") in made.err
    assert cli("resume", "again").code == 0
    assert view(cli, "again", "voltages") == before == view(cli, "manifest_ac", "voltages")


def test_a_folder_that_was_asked_for_is_told_before_it_is_written_over(cli: Cli, file: Path) -> None:
    mine = ("--set", f"output.dir={cli.folder / 'mine'}")
    run(cli, file, *mine)
    told = cli("check", str(file), *mine)
    assert 'holds the tables of batch "manifest_ac"' in told.err
    assert "written over" in told.err
    (cli.folder / "rows.csv").write_text("id\na\n")
    echo = ("--backend", "local", "--set", 'job.command=["echo", "x"]', "--json")
    other = cli("run", str(cli.folder / "rows.csv"), *echo, *mine)
    assert (other.code, "goes into a folder in it" in other.err) == (0, True)
    assert (cli.folder / "mine" / other.documents[-1]["id"] / "a.json").exists()
    expected = rows(table(cli.folder / "mine/summary", "aggregated_results"))
    assert view(cli, "manifest_ac", "scenarios")

    again = run(cli, file, *mine, "--set", "job.task=dc")
    assert 'holds the tables of batch "manifest_ac"' in again.err
    assert manifest(cli.folder / "mine")["task"] == "dc"
    assert rows(table(cli.folder / "mine/summary", "aggregated_results")) != expected
    assert "wrote over this batch's tables" in cli("view", "manifest_ac", "loading").out


def test_a_folder_that_cannot_be_made_is_told_and_nothing_is_lost(cli: Cli, file: Path) -> None:
    (cli.folder / "runs").write_text("in the way")
    ran = cli("run", str(file), *ALONE)
    assert ran.code == 1
    assert "could not be written to" in ran.err
    (cli.folder / "runs").unlink()
    assert cli("resume", "manifest_ac").code == 0
    assert manifest(cli.folder / "runs/batch/manifest_ac")["success"] == 3
