"""A batch taken to another machine in one file: it is only followed there, is paid once, and holds no key."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable

import pytest

from batchtui.demo.server import DemoServer
from batchtui.model import Json
from tests.cli.cli_help import Cli, local_options, until
from tests.cli.copies_help import JOBS, begin, data_of, kill, over, paid, prepare, status_of


@pytest.fixture
def here(cli: Cli, with_demo: Callable[..., DemoServer]) -> DemoServer:
    server = with_demo("duration=300ms")
    prepare(cli)
    return server


@pytest.fixture
def there(cli: Cli) -> dict[str, str]:
    """Another machine: data and state of its own, the same config."""
    return {
        "BATCHTUI_DATA_DIR": str(cli.folder / "there"),
        "BATCHTUI_STATE_DIR": str(cli.folder / "there-state"),
    }


def _bundled(cli: Cli, name: str = "k") -> Json:
    made = cli("bundle", name, "--out", "k.bundle", "--json")
    assert made.code == 0, made.err
    return made.documents[0]


@pytest.mark.parametrize("kind", ["openai", "mistral", "gemini", "together"])
def test_a_bundle_of_a_running_batch_opened_elsewhere_is_told_and_pays_for_nothing(
    cli: Cli, here: DemoServer, there: dict[str, str], kind: str
) -> None:
    prepare(cli, kind)
    process = begin(cli, 0)
    told = _bundled(cli)
    assert (told["name"], told["path"]) == ("k", "k.bundle")
    taken = cli("import", "k.bundle", **there)
    assert taken.code == 0, taken.err
    assert f"resolve {told['id']} take-over" in taken.err
    status = status_of(cli, **there)
    assert "bundle" in status["follows"]
    assert [one["actions"] for one in status["attention"]] == [["take-over"]]
    shown = cli("list", **there).out
    assert "only followed" in shown
    assert "needs you" in shown
    assert "follows" in cli("status", "k", **there).out
    assert over(process) == 0
    ran = cli("resume", "k", **there)
    assert ran.code == 0, ran.err  # all that lived at the backend came home
    assert status_of(cli, **there)["completed"] == JOBS
    assert "completed (only followed)" in cli("list", **there).out
    assert cli("fsck", **there).code == 0
    assert paid(here) == (JOBS, JOBS)


@pytest.mark.parametrize("kind", ["openai", "together"])
def test_a_take_over_elsewhere_adopts_what_was_sent_since_and_sends_the_rest(
    cli: Cli, with_demo: Callable[..., DemoServer], there: dict[str, str], kind: str
) -> None:
    server = with_demo("duration=1500ms")
    prepare(cli, kind)
    kill(begin(cli, 0))
    _bundled(cli)
    process = cli.start("resume", "k")
    until(lambda: paid(server)[0] >= 20)
    kill(process)
    before = paid(server)[1]
    assert before < JOBS
    assert cli("import", "k.bundle", **there).code == 0
    assert cli("resume", "k", **there).code == 1
    assert paid(server)[1] == before
    assert cli("resolve", "k", "take-over", **there).code == 0
    assert paid(server)[1] == before
    assert cli("resume", "k", **there).code == 0
    assert status_of(cli, **there)["follows"] is None
    assert paid(server) == (JOBS, JOBS)


def test_the_file_is_the_owners_alone_and_holds_what_is_needed_and_no_more(
    cli: Cli, here: DemoServer
) -> None:
    kill(begin(cli, 12))
    batch = next(data_of(cli).glob("batches/*"))
    cli("tag", "k", "mine")
    names = _bundled(cli)["files"]
    assert set(names) >= {"batch.json", "jobs.jsonl", "events.jsonl", "results.jsonl"}
    assert not {"lock", "holder.json", "inbox.jsonl", "checkpoint.json", "contacts.json"} & set(names)
    assert any(name.startswith("raw/") for name in names)
    assert (cli.folder / "k.bundle").stat().st_mode & 0o777 == 0o600
    first = (cli.folder / "k.bundle").read_bytes()
    _bundled(cli)
    assert (cli.folder / "k.bundle").read_bytes() == first
    assert not list(cli.folder.glob(".k.bundle*"))
    assert (batch / "inbox.jsonl").exists()


def test_commands_are_obeyed_in_a_batch_that_was_taken_in(
    cli: Cli, here: DemoServer, there: dict[str, str]
) -> None:
    """The journal knows how far the other machine's inbox was read; this one begins anew."""
    kill(begin(cli, 10))
    assert cli("tag", "k", "one", "two", "three").code == 0
    _bundled(cli)
    assert cli("import", "k.bundle", **there).code == 0
    assert cli("tag", "k", "here", **there).code == 0
    assert status_of(cli, **there)["tags"] == ["one", "two", "three", "here"]


def test_a_batch_that_is_here_already_is_left_alone_and_what_differs_is_said(
    cli: Cli, here: DemoServer, there: dict[str, str]
) -> None:
    kill(begin(cli, 10))
    _bundled(cli)
    before = {path: path.read_bytes() for path in data_of(cli).rglob("*") if path.is_file()}
    refused = cli("import", "k.bundle")
    assert refused.code == 2
    assert "is here already" in refused.err
    assert "both say the same" in refused.err
    assert {path: path.read_bytes() for path in data_of(cli).rglob("*") if path.is_file()} == before
    assert cli("resume", "k").code == 0
    assert "the bundle is older by" in cli("import", "k.bundle").err
    assert cli("import", "k.bundle", **there).code == 0
    _bundled(cli)
    assert "went different ways" in cli("import", "k.bundle", **there).err
    assert cli("rm", "k", "--forget", "--yes", **there).code == 0
    assert cli("import", "k.bundle", **there).code == 0
    assert status_of(cli, **there)["completed"] == JOBS


def test_files_of_unfinished_jobs_come_along_and_others_are_named(
    cli: Cli, with_demo: Callable[..., DemoServer], there: dict[str, str]
) -> None:
    server = with_demo("duration=300ms")
    place = cli.folder / "project"
    (place / "texts").mkdir(parents=True)
    (cli.folder / "outside.txt").write_text("outside")
    (place / "texts" / "a.txt").write_text("inside")
    (place / "rows.csv").write_text(f"id,path\na,texts/a.txt\nb,{cli.folder}/outside.txt\n")
    (place / "f.toml").write_text(
        'name = "k"\nbackend = "anthropic"\n[source]\nfile = "rows.csv"\n[job]\nmodel = "demo-small"\n'
        'prompt = "Read"\nfile = "{{ path }}"\n'
    )
    ran = cli("run", "project/f.toml", "--yes", "--trust", "--canary", "1", "--json")
    assert ran.code == 6, ran.err
    assert cli("cancel", "k").code == 0
    told = _bundled(cli)
    assert [name for name in told["files"] if name.startswith("files/")] == []
    assert told["left"] == [f"{cli.folder}/outside.txt"]
    made = cli("clone", "k", "--again")
    assert made.code == 0, made.err
    assert cli("bundle", made.out.strip(), "--out", "k.bundle").code == 0
    asked = cli("import", "k.bundle", **there)
    assert asked.code == 2
    assert "uploads files" in asked.err
    assert not list((cli.folder / "there" / "batches").iterdir())
    assert cli("import", "k.bundle", "--trust", **there).code == 0
    batch = cli.folder / "there" / "batches" / made.out.strip()
    assert (batch / "files" / "texts" / "a.txt").read_text() == "inside"
    (place / "texts" / "a.txt").unlink()
    assert (
        cli("resolve", made.out.strip(), "take-over", **there).code == 1
    )  # the first batch is there, and asked about
    assert cli("resolve", made.out.strip(), "take-over", **there).code == 0
    cli("cancel", made.out.strip(), "--job", "b", **there)
    assert cli("resume", made.out.strip(), **there).code == 1
    done = cli(
        "results", made.out.strip(), "--where", "status:completed", "--format", "jsonl", **there
    ).documents
    assert [one["job_id"] for one in done] == ["a"]
    assert len([entry for entry in server.ledger() if entry["op"] == "create"]) == 2


def test_programs_of_a_bundle_are_shown_and_run_only_where_somebody_agreed(
    cli: Cli, there: dict[str, str]
) -> None:
    (cli.folder / "rows.csv").write_text("id\n1\n2\n")
    ran = cli("run", "rows.csv", *local_options(["touch", str(cli.folder / "made-{{ id }}")], "k"))
    assert ran.code == 0, ran.err
    for path in cli.folder.glob("made-*"):
        path.unlink()
    made = cli("clone", "k")
    assert cli("bundle", made.out.strip(), "--out", "k.bundle").code == 0
    asked = cli("import", "k.bundle", **there)
    assert asked.code == 2
    assert "touch" in asked.err
    assert cli("import", "k.bundle", "--trust", **there).code == 0
    assert cli("resume", "k-2", **there).code == 1
    assert not list(cli.folder.glob("made-*"))
    assert cli("resolve", "k-2", "take-over", **there).code == 0
    assert cli("resume", "k-2", **there).code == 0
    assert len(list(cli.folder.glob("made-*"))) == 2


def test_a_key_in_what_is_stored_keeps_the_bundle_from_being_written(cli: Cli) -> None:
    key = "sk-dummy-0123456789"
    (cli.folder / "rows.csv").write_text("id\n1\n")
    assert cli("run", "rows.csv", *local_options(["echo", "sk-dummy-", "0123456789"], "k")).code == 0
    assert cli("run", "rows.csv", *local_options(["echo", key], "told")).code == 0
    refused = cli("bundle", "told", "--out", "k.bundle", OPENAI_API_KEY=key)
    assert refused.code == 2
    assert "OPENAI_API_KEY" in refused.err
    assert key not in refused.err
    assert not list(cli.folder.glob("*k.bundle*"))
    assert cli("bundle", "k", "--out", "k.bundle", OPENAI_API_KEY=key).code == 0


def test_without_its_backend_a_bundle_is_read_and_nothing_of_it_is_followed(
    cli: Cli, here: DemoServer, there: dict[str, str]
) -> None:
    kill(begin(cli, 10))
    _bundled(cli)
    (cli.folder / "bare.toml").write_text("")
    bare = there | {"BATCHTUI_CONFIG": str(cli.folder / "bare.toml")}
    taken = cli("import", "k.bundle", **bare)
    assert taken.code == 0, taken.err
    assert 'backend "openai" cannot be used here' in taken.err
    results = cli("results", "k", "--finished", "--format", "jsonl", **bare)
    assert len(results.documents) >= 10
    assert cli("resume", "k", **there).code != 0  # the backend came later, and could be anybody's
    assert paid(here)[1] < JOBS


def test_a_bundle_that_was_cut_or_changed_leaves_nothing_behind(
    cli: Cli, here: DemoServer, there: dict[str, str]
) -> None:
    kill(begin(cli, 10))
    _bundled(cli)
    whole = (cli.folder / "k.bundle").read_bytes()
    (cli.folder / "cut.bundle").write_bytes(whole[: len(whole) // 2])
    refused = cli("import", "cut.bundle", **there)
    assert refused.code == 2
    assert "cut" in refused.err
    assert "nothing was taken in" in refused.err
    changed = cli.folder / "changed.bundle"
    with zipfile.ZipFile(cli.folder / "k.bundle") as old, zipfile.ZipFile(changed, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            new.writestr(entry, data.replace(b"q1", b"q2") if entry.filename == "jobs.jsonl" else data)
    refused = cli("import", "changed.bundle", **there)
    assert refused.code == 2
    assert "changed since the bundle was made" in refused.err
    batches = cli.folder / "there" / "batches"
    assert not batches.exists() or not os.listdir(batches)
    assert cli("list", "--json", **there).out == ""


def test_a_newer_bundle_is_refused_with_words(cli: Cli, there: dict[str, str]) -> None:
    with zipfile.ZipFile(cli.folder / "new.bundle", "w") as file:
        file.writestr("manifest.json", json.dumps({"schema": 2, "format": "batchtui bundle"}))
    refused = cli("import", "new.bundle", **there)
    assert refused.code == 2
    assert "newer batchtui (bundle version 2); update" in refused.err
