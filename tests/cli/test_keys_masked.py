"""A key that a job gave back is masked where it is shown, told, and stands in files as it came."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchtui.config import load_config
from batchtui.masking import MASK
from batchtui.store.library import Library
from batchtui.tui.app import BatchtuiApp
from tests.cli.cli_help import Cli
from tests.terminal.terminals import ESCAPE, Pty

OWN = "dummy-key-of-this-test-0001"
FORM = "ghp_" + "aB3" * 12
ROWS = f"id,text\nuk_2030scenario,plain\nsk-scenario-b,it is {FORM}!\nhanded,\n"
BATCH = """
name = "uk_2030scenario"
backend = "local"
[source]
file = "rows.csv"
[job]
command = ["sh", "-c", "echo \\"$1\\" $GIVEN", "sh", "{{ text }}"]
env = { GIVEN = "env:MY_OWN_NAME" }
[limits]
concurrency = 1
"""
CONFIG = '[backends.mine]\nkind = "chat"\nbase_url = "http://127.0.0.1:9/v1"\napi_key_env = "MY_OWN_NAME"\n'


@pytest.fixture
def ran(cli: Cli) -> Cli:
    """A batch of three jobs, each of which printed a key; one of them two."""
    cli.env["MY_OWN_NAME"] = OWN
    (cli.folder / "config.toml").write_text(CONFIG)
    (cli.folder / "rows.csv").write_text(ROWS)
    (cli.folder / "b.toml").write_text(BATCH)
    done = cli("run", "b.toml", "--trust")
    assert done.code == 0, done.err
    assert done.err.count("3 results hold a key: masked on screen, as it came in files and exports") == 1
    assert OWN not in done.err
    return cli


def test_it_is_masked_on_screen_and_told(ran: Cli) -> None:
    for command in (("results", "--format", "table"), ("show", "handed"), ("status",)):
        shown = ran(command[0], "uk_2030scenario", *command[1:])
        assert shown.code == 0, shown.err
        assert not any(key in shown.out + shown.err for key in (OWN, FORM))
        assert "uk_2030scenario" in shown.out or command[0] == "show"
    assert MASK in ran("show", "uk_2030scenario", "sk-scenario-b").out
    assert "3 results hold a key" in ran("status", "uk_2030scenario").out
    (status,) = ran("status", "uk_2030scenario", "--json").documents
    assert status["with_keys"] == 3
    (listed,) = ran("list", "--json").documents
    assert (listed["with_keys"], listed["name"]) == (3, "uk_2030scenario")


def test_files_hold_it_as_it_came_and_that_is_told(ran: Cli) -> None:
    done = ran("export", "uk_2030scenario", "--out", "all.jsonl", "--fields", "job_id,raw_response")
    assert "3 results hold a key" in done.err
    text = (ran.folder / "all.jsonl").read_text()
    assert text.count(OWN) == 3
    assert FORM in text
    piped = ran("results", "uk_2030scenario", "--format", "csv", "--fields", "raw_response")
    assert piped.out.count(OWN) == 3
    assert "3 results hold a key" in piped.err


def test_data_on_a_terminal_is_masked_as_well(ran: Cli) -> None:
    for shape in ("jsonl", "csv"):
        terminal = Pty(
            ran.environment(TERM="xterm"), "results", "uk_2030scenario", "--format", shape, size=(200, 40)
        )
        assert terminal.ended() == 0
        terminal.close()
        assert OWN.encode() not in terminal.written
        assert b"uk_2030scenario" in terminal.written


def test_a_key_counts_as_long_as_the_result_that_holds_it(ran: Cli) -> None:
    """Also from the store alone, where nothing but the journal or the results are left."""
    (folder,) = Library(ran.folder / "data").batches_dir.iterdir()
    (folder / "checkpoint.json").unlink()
    assert ran("status", "uk_2030scenario", "--json").documents[0]["with_keys"] == 3
    (folder / "events.jsonl").unlink()
    assert ran("fsck", "uk_2030scenario", "--repair").code == 0
    assert ran("status", "uk_2030scenario", "--json").documents[0]["with_keys"] == 3


@pytest.mark.parametrize(
    ("size", "told"), [((140, 40), "hold one, masked"), ((118, 40), "hold a key, masked")]
)
async def test_the_app_masks_and_tells(
    ran: Cli, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], told: str
) -> None:
    monkeypatch.setenv("MY_OWN_NAME", OWN)
    config = load_config(Path(ran.folder / "config.toml"))
    app = BatchtuiApp(config, ran.folder / "data", worker=False)
    async with app.run_test(size=size) as pilot:
        for key, words in (("", told), ("enter", told), ("enter", "plain")):
            if key:
                await pilot.press(key)
            while words not in (svg := app.export_screenshot().replace("&#160;", " ")):
                await pilot.pause(0.05)
            assert not any(one in svg for one in (OWN, FORM))
            assert "uk_2030scenario" in svg


PRINTS = """
name = "prints"
backend = "local"
[source]
file = "rows.csv"
[job]
command = ["sh", "-c", "env; echo it was given \\"$GIVEN\\" >&2; exit $1", "sh", "{{ code }}"]
env = { GIVEN = "env:MY_OWN_NAME" }
[limits]
concurrency = 1
retries = 0
"""


def test_a_terminal_never_shows_the_key_of_jobs_that_print_their_environment(cli: Cli) -> None:
    """The app and `show`, on a real terminal: the table, every view of the result viewer, the facts and the log."""
    cli.env |= {"MY_OWN_NAME": OWN, "TERM": "xterm", "LANG": "C.UTF-8"}
    (cli.folder / "config.toml").write_text(CONFIG)
    (cli.folder / "rows.csv").write_text("id,code\nfine,0\nbroken,3\n")
    (cli.folder / "b.toml").write_text(PRINTS)
    assert cli("run", "b.toml", "--trust").code == 1
    (folder,) = Library(cli.folder / "data").batches_dir.iterdir()
    assert OWN in (folder / "results.jsonl").read_text()  # it is there to be shown
    for job in ("fine", "broken"):
        terminal = Pty(cli.environment(), "show", "prints", job, size=(160, 60))
        assert terminal.ended() == 0
        terminal.close()
        assert OWN.encode() not in terminal.written
        assert MASK in terminal.text()
    terminal = Pty(cli.environment(), size=(160, 48))
    try:
        terminal.shown("hold one, masked")
        for job in ("fine", "broken"):
            terminal.press(b"\r")
            terminal.shown("hold one, masked|fine +")
            terminal.press(b"j\r" if job == "broken" else b"\r")
            terminal.shown(MASK)
            for view in (b"2", b"3", b"4", b"1"):
                terminal.press(view)
                terminal.settle()
                assert OWN not in terminal.text()
            terminal.press(ESCAPE)
            terminal.settle()
            terminal.press(ESCAPE)
            terminal.shown("ID +NAME")
        for key in (b"i", ESCAPE, b"t", b"3", b"4", b"5", b"1"):
            terminal.press(key)
            terminal.settle()
            assert OWN not in terminal.text()
    finally:
        terminal.close()
    assert OWN.encode() not in terminal.written
