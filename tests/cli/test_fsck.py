"""`fsck`: what is damaged is told where it is read, named with its line, and brought home again at no cost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.demo.server import DemoServer
from tests.cli.cli_help import Cli

ROWS = "id,text\n" + "".join(f"q{n},Question {n}\n" for n in range(12))
BATCH = """name = "k"
backend = "openai"
[source]
file = "rows.csv"
[job]
model = "demo-small"
prompt = "{{ text }}"
[limits]
jobs_per_submission = 4
"""


@pytest.fixture
def batch(cli: Cli, with_demo: Callable[..., DemoServer]) -> tuple[Path, DemoServer]:
    """The folder of a batch that has ended, of twelve jobs in three submissions, and the server that has it."""
    server = with_demo()
    (cli.folder / "rows.csv").write_text(ROWS)
    (cli.folder / "k.toml").write_text(BATCH)
    ran = cli("run", "k.toml", "--yes", "--trust")
    assert ran.code == 0, ran.err
    return next((cli.folder / "data/batches").glob("[!.]*")), server


def _creates(server: DemoServer) -> int:
    return sum(entry["op"] == "create" for entry in server.ledger())


def _answers(cli: Cli) -> dict[str, str | None]:
    return {row["job_id"]: row["raw_response"] for row in cli("results", "k", "--format", "jsonl").documents}


def test_a_sound_batch_is_said_to_be_sound(cli: Cli, batch: tuple[Path, DemoServer]) -> None:
    ran = cli("fsck")
    assert (ran.code, "k: sound" in ran.out) == (0, True)
    assert cli("fsck", "k", "--json").documents[0]["faults"] == []


@pytest.mark.parametrize("kept", [0, 1500, None])
def test_results_that_are_gone_are_told_everywhere_and_come_home_without_a_create(
    cli: Cli, batch: tuple[Path, DemoServer], kept: int | None
) -> None:
    folder, server = batch
    before, creates = _answers(cli), _creates(server)
    path = folder / "results.jsonl"
    path.write_bytes(path.read_bytes()[:kept]) if kept is not None else path.unlink()
    for command in (["list"], ["status", "k"], ["results", "k"], ["export", "k", "--out", "out.csv"]):
        ran = cli(*command)
        assert ran.code == 1, command
        assert "results damaged" in ran.err
        assert f"batchtui fsck {folder.name} --repair" in ran.err
    ran = cli("fsck", "k")
    assert ran.code == 1
    assert f"{folder.name}/results.jsonl" in ran.out
    ran = cli("fsck", "k", "--repair")
    assert ran.code == 0, ran.out + ran.err
    assert _answers(cli) == before
    assert _creates(server) == creates
    assert cli("status", "k").code == 0


def test_a_changed_letter_of_an_answer_is_found_and_mended(cli: Cli, batch: tuple[Path, DemoServer]) -> None:
    folder, server = batch
    before, creates = _answers(cli), _creates(server)
    path = folder / "results.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[3] = lines[3].replace(b"Question", b"question").replace(b"demo", b"dem0")
    path.write_bytes(b"".join(lines))
    found = cli("fsck", "k", "--json").documents[0]
    assert [(fault["file"], fault["line"]) for fault in found["faults"]] == [("results.jsonl", 4)]
    assert cli("results", "k").code == 1
    assert cli("fsck", "k", "--repair").code == 0
    assert (_answers(cli), _creates(server)) == (before, creates)


def test_the_results_are_read_without_the_header(cli: Cli, batch: tuple[Path, DemoServer]) -> None:
    folder, _ = batch
    before = _answers(cli)
    (folder / "batch.json").write_text("{")
    assert _answers(cli) == before
    ran = cli("list")
    assert (ran.code, "batch.json" in ran.err) == (1, True)
    assert cli("fsck", folder.name, "--repair").code == 0
    assert cli("list").code == 0
    assert json.loads((folder / "batch.json").read_text())["name"] == "k"


def test_a_lost_journal_makes_a_batch_that_only_follows(cli: Cli, batch: tuple[Path, DemoServer]) -> None:
    folder, server = batch
    before, creates = _answers(cli), _creates(server)
    (folder / "events.jsonl").unlink()
    (folder / "checkpoint.json").unlink()
    ran = cli("fsck", "k", "--repair")
    assert ran.code == 0, ran.out + ran.err
    assert _answers(cli) == before
    told = cli("status", "k", "--json").documents[0]
    assert "journal" in told["follows"]
    assert cli("resolve", "k", "take-over").code in (0, 2)
    assert _creates(server) == creates


def test_what_is_no_batch_takes_no_batch_with_it(cli: Cli, batch: tuple[Path, DemoServer]) -> None:
    folder, _ = batch
    (folder.parent / "stray.txt").write_text("x")
    empty = folder.parent / "zzzzzz"
    empty.mkdir()
    other = folder.parent / "yyyyyy"
    other.mkdir()
    (other / "batch.json").mkdir()
    (folder / "events.jsonl").rename(folder / "kept")
    (folder / "events.jsonl").mkdir()
    ran = cli("list", "--json")
    assert ran.code == 1
    assert [row["name"] for row in ran.documents] == ["k"]
    assert cli("fsck").code == 1


def test_what_a_repair_found_nowhere_is_a_failure_and_no_damage_any_more(cli: Cli) -> None:
    assert cli.local(["echo", "{{ species }}"], "--set", "source.limit=4", "--trust").code == 0
    (results,) = (cli.folder / "data").glob("batches/*/results.jsonl")
    data = results.read_bytes()
    results.write_bytes(data[: data.rstrip(b"\n").rindex(b"\n") + 1])
    errors = cli("errors", "birds")
    assert (errors.code, "1 result damaged" in errors.err) == (1, True)
    assert "1 result is lost" in cli("fsck", "birds", "--repair").err
    for command in ("results", "export", "list", "status"):
        told = cli(command, *([] if command == "list" else ["birds"]))
        assert (told.code, "damaged;" in told.err) == (0, False), told.err
    assert "nowhere to get it from again" in cli("errors", "birds").out
    assert cli("retry", "birds").code == 0
    assert cli("resume", "birds").code == 0
    assert cli("status", "birds", "--json").documents[0]["completed"] == 4
