"""Whose files are: what is kept is one's own, what is asked for goes by the umask."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.cli_help import Cli


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> str:
    return f"{path.stat().st_mode & 0o777:04o}"


def test_a_run_keeps_to_itself_what_nobody_asked_for(cli: Cli) -> None:
    data = cli.folder / "data"
    data.mkdir()
    data.chmod(0o777)
    (cli.folder / "one.toml").write_text(
        'name = "one"\nbackend = "local"\n[job]\ncommand = ["true"]\n[output]\ndir = "results"\n'
    )
    first = cli("run", "one.toml", "--trust", "--out", "one.jsonl")
    assert first.code == 0, first.err
    assert first.err.count("was open to other users (mode 0777) and is yours alone now") == 1
    assert "open to other users" not in cli("run", "one.toml", "--trust").err
    kept = [path for path in (data, *data.rglob("*")) if not path.is_symlink()]
    assert {mode(path) for path in kept if path.is_dir()} == {"0700"}
    assert {mode(path) for path in kept if path.is_file()} == {"0600"}
    results = cli.folder / "results"
    assert {mode(path) for path in results.glob("*.json")} == {"0600"}
    assert mode(results) == "0755"
    assert mode(cli.folder / "one.jsonl") == "0644"
