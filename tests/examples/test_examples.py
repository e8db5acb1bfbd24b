"""Every example as a newcomer takes it: listed, written, checked, run; providers are the demo server's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.demo.server import DemoServer
from batchtui.examples import examples
from tests import extras
from tests.cli.cli_help import Cli

NAMES = [example.name for example in examples()]
NEEDS = {"contingencies": "power"}


@pytest.fixture
def cli(tmp_path: Path, demo_server: Callable[..., DemoServer]) -> Cli:
    demo_server(faults="duration=100ms").write_config(tmp_path / "config.toml")
    return Cli(tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_as_it_is_written(name: str, cli: Cli) -> None:
    if name in NEEDS:
        extras.require(NEEDS[name])
    written = cli("example", name)
    assert written.code == 0, written.err
    batch = f"{name}/{name}.toml"
    assert batch in written.out.split()
    checked = cli("check", batch)
    assert (checked.code, "problem" in checked.err) == (0, False), checked.err
    done = cli("run", batch)
    assert done.code == 0, done.err + cli("errors", name).out
    assert cli("results", name, "--where", "status:completed").out
    assert cli("view", name).code == 0


def test_each_says_what_it_does_and_where(cli: Cli) -> None:
    told = cli("example").out
    for example in examples():
        assert example.name in told
        assert example.about.endswith(")"), example.about
        assert len(example.about) < 120


def test_a_first_answer_in_two_commands(tmp_path: Path) -> None:
    """From an empty home: what the first tells to type is the second, which shows an answer."""
    home = Cli(tmp_path, dict.fromkeys(("BATCHTUI_DATA_DIR", "BATCHTUI_CONFIG", "BATCHTUI_STATE_DIR"), ""))
    home.env |= {"HOME": str(tmp_path)}
    written = home("example", "files")
    told = written.err.partition("`batchtui run ")[2].partition("`")[0]
    ran = home("run", *told.split())
    assert ran.code == 0, ran.err
    lines = ran.err.splitlines()
    assert lines[-2] == "1: 11 one.txt"
    reads = lines[-1].partition("`batchtui ")[2].partition("`")[0]
    assert [one["raw_response"] for one in home(*reads.split()).documents] == ["11 one.txt\n", "17 two.txt\n"]


def test_nothing_is_written_over(cli: Cli) -> None:
    assert cli("example", "files").code == 0
    again = cli("example", "files")
    assert again.code == 2
    assert "is there already" in again.err


def test_an_unknown_one_is_told_with_the_nearest(cli: Cli) -> None:
    told = cli("example", "review")
    assert told.code == 2
    assert 'did you mean "reviews"?' in told.err
