"""A batch by its name: names are given once, and of several that share one the newest is meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.cli_help import Cli, Ran


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    (tmp_path / "config.toml").write_text("", encoding="utf-8")
    (tmp_path / "rows.jsonl").write_text('{"id": 1}\n', encoding="utf-8")
    return Cli(tmp_path)


def run(cli: Cli, word: str) -> Ran:
    job = ("--backend", "local", "--set", f"job.command={json.dumps(['echo', word])}")
    return cli("run", "rows.jsonl", *job, "--set", "name=sweep", "--json")


def test_a_second_batch_of_a_name_gets_its_own(cli: Cli) -> None:
    assert run(cli, "first").code == 0
    again = run(cli, "second")
    assert again.code == 0
    assert 'an earlier batch is named "sweep", so this one is "sweep-2"' in again.err
    for name, word in (("sweep", "first"), ("sweep-2", "second")):
        [result] = cli("results", name).documents
        assert (result["raw_response"], cli("status", name, "--json").documents[0]["name"]) == (
            f"{word}\n",
            name,
        )


def test_of_several_that_share_a_name_every_command_means_the_newest(cli: Cli) -> None:
    run(cli, "first")
    run(cli, "second")
    older, newer = sorted(cli("list", "--json").documents, key=lambda batch: batch["created"])
    header = cli.folder / "data/batches" / newer["id"] / "batch.json"
    header.write_text(header.read_text(encoding="utf-8").replace('"sweep-2"', '"sweep"'), encoding="utf-8")
    assert cli("status", "sweep", "--json").documents[0]["id"] == newer["id"]
    assert cli("results", "sweep").documents[0]["raw_response"] == "second\n"
    assert cli("tag", "sweep", "mine").code == 0
    assert cli("fsck", "sweep").code == 0
    assert "no job is meant" in cli("retry", "sweep").err
    tags = {batch["id"]: batch["tags"] for batch in cli("list", "--json").documents}
    assert tags == {older["id"]: [], newer["id"]: ["mine"]}
    assert cli("rm", "sweep", "--yes").code == 0
    assert [batch["id"] for batch in cli("list", "--json").documents] == [older["id"]]
