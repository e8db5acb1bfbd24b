"""A batch by its name: names are given once, and of several that share one the newest is meant."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.demo.server import DemoServer
from batchtui.model import Json
from tests.cli.cli_help import Cli, Ran, until


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


def namesakes(cli: Cli, *words: str) -> list[Json]:
    """A batch for each word, all of one name as those are that were made at once; the oldest first."""
    for word in words:
        run(cli, word)
    made = sorted(cli("list", "--json").documents, key=lambda batch: batch["created"])
    for batch in made:
        header = cli.folder / "data/batches" / batch["id"] / "batch.json"
        text = header.read_text(encoding="utf-8").replace(f'"{batch["name"]}"', '"sweep"')
        header.write_text(text, encoding="utf-8")
    return made


def test_of_several_that_share_a_name_every_command_means_the_newest(cli: Cli) -> None:
    older, newer = namesakes(cli, "first", "second")
    assert cli("status", "sweep", "--json").documents[0]["id"] == newer["id"]
    assert cli("results", "sweep").documents[0]["raw_response"] == "second\n"
    assert cli("tag", "sweep", "mine").code == 0
    assert cli("fsck", "sweep").code == 0
    assert "no job is meant" in cli("retry", "sweep").err
    tags = {batch["id"]: batch["tags"] for batch in cli("list", "--json").documents}
    assert tags == {older["id"]: [], newer["id"]: ["mine"]}
    assert cli("rm", "sweep", "--yes").code == 0
    assert [batch["id"] for batch in cli("list", "--json").documents] == [older["id"]]


def test_which_of_several_is_meant_is_told_and_the_ones_before_are_counted_back(cli: Cli) -> None:
    first, second, third = namesakes(cli, "first", "second", "third")
    told = f'3 batches are named "sweep": {third["id"]}, the newest, is meant; "sweep~1" is the one before'
    for reference, batch, words in (
        ("sweep", third, told),
        ("sweep~1", second, f'{second["id"]}, the newest but 1, is meant; "sweep~2" is the one before'),
        ("sweep~2", first, f"{first['id']}, the oldest, is meant"),
    ):
        for command in ("status", "results", "errors", "fsck"):
            assert words in cli(command, reference).err, (command, reference)
        assert cli("status", reference, "--json").documents[0]["id"] == batch["id"]
        assert not cli("status", reference, "-q").err
    gone = cli("status", "sweep~3")
    assert (gone.code, f'3 batches are named "sweep"; the oldest is {first["id"]}' in gone.err) == (7, True)
    assert cli("status", "swep~1").code == 7


def test_a_batch_is_given_another_name(cli: Cli) -> None:
    run(cli, "first")
    [batch] = cli("list", "--json").documents
    done = cli("rename", "sweep", "the first of them")
    assert (done.code, "rename done" in done.err) == (0, True)
    assert cli("status", "the first of them", "--json").documents[0]["id"] == batch["id"]
    assert cli("status", "sweep").code == 7
    assert run(cli, "second").code == 0
    assert cli("results", "sweep").documents[0]["raw_response"] == "second\n"
    events = (cli.folder / "data/batches" / batch["id"] / "events.jsonl").read_text(encoding="utf-8")
    [renamed] = [json.loads(line) for line in events.splitlines() if '"renamed"' in line]
    assert (renamed["name"], renamed["before"]) == ("the first of them", "sweep")
    assert cli("fsck").code == 0
    again = cli("rename", batch["id"], "the first of them")
    assert (again.code, "it has that name; nothing to do" in again.err) == (0, True)


def test_a_name_that_cannot_be_one_or_means_another_is_refused(cli: Cli) -> None:
    run(cli, "first")
    run(cli, "second")
    other = cli("status", "sweep", "--json").documents[0]["id"]
    for name, words in (
        ("", "at least one letter"),
        ("x" * 201, "at most 200 characters, this has 201"),
        ("two\nlines", "no control characters"),
        (" sweep", "no space at its ends"),
        ("red\x1b[31m", "no control characters"),
        ("sweep", f'"sweep" is the name of batch {other}; "sweep-3" is free'),
        (other, "is the id of another batch"),
    ):
        done = cli("rename", "sweep-2", name)
        assert (done.code, words in done.err) == (2, True), done.err
    assert {batch["name"] for batch in cli("list", "--json").documents} == {"sweep", "sweep-2"}


def test_a_live_batch_is_renamed_by_whoever_drives_it(cli: Cli) -> None:
    done = json.dumps(["sh", "-c", "until [ -e go ]; do sleep 0.05; done"])
    at_work = cli.start("run", "rows.jsonl", "--backend", "local", "--set", f"job.command={done}", "--trust",
                        "--set", "name=sweep", "--set", f'job.cwd="{cli.folder}"')  # fmt: skip
    until(lambda: cli("list", "--json").out.count('"processing":1') == 1)
    assert cli("rename", "sweep", "late").code == 0
    assert cli("status", "late").code == 0
    (cli.folder / "go").touch()
    _, err = at_work.communicate(timeout=60)
    assert at_work.returncode == 0, err
    assert cli("status", "late", "--json").documents[0]["status"] == "completed"


def test_the_id_that_a_provider_gave_means_the_batch_too(
    cli: Cli, with_demo: Callable[..., DemoServer]
) -> None:
    with_demo("duration=100ms")
    (cli.folder / "one.csv").write_text("word\nhello\n")
    prompt = ("--set", "job.model=demo-small", "--set", "job.prompt={{ word }}")
    assert cli("run", "one.csv", "--backend", "openai", *prompt).code == 0
    remote_id = cli("status", "one", "--json").documents[0]["submissions"][0]["remote_id"]
    found = cli("results", remote_id)
    assert (found.code, len(found.documents)) == (0, 1)
    assert f"{remote_id} is submission 1 of one (" in found.err
    assert cli("results", remote_id + "x").code == 7
