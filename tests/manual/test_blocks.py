"""Every code block of the manual, done as a reader does it: the files are written, the lines are typed.

Providers are the demo server's, by a configuration in the environment; a page that has one of its own names it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui import batchfile, manual
from batchtui.demo.server import DemoServer
from tests.cli.cli_help import Cli
from tests.manual.blocks import blocks_of

NEED_A_TERMINAL = ("demo", "new", "open")
"""Commands that open the app; tests/terminal runs them."""
README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
PAGES = [name for name in manual.names() if blocks_of(manual.page(name).text)]
ELSEWHERE = {
    "grids": "needs grids and the extra `power`: test_grids.py",
    "python": "tests/api/test_examples.py runs its scripts",
}
"""Pages whose blocks other tests run, since they need more than the demo server."""


def typed(cli: Cli, text: str) -> None:
    for block in blocks_of(text):
        if block.name:
            (cli.folder / block.name).write_text(block.text, "utf-8")
        if block.language == "console":
            for program, *words in block.commands:
                assert program == "batchtui", words
                if words[0] in NEED_A_TERMINAL:
                    continue
                done = cli(*words)
                assert done.code == 0, (words, done.err)
        elif block.language == "toml":
            tomllib.loads(block.text)
        elif block.language == "json":
            json.loads(block.text)
        elif block.language == "jsonl":
            [json.loads(line) for line in block.text.splitlines()]
        elif block.language == "python" and not block.name:
            ran = subprocess.run(
                [sys.executable, "-c", block.text], cwd=cli.folder, env=cli.environment(), capture_output=True,
                text=True, timeout=60, check=False,
            )  # fmt: skip
            assert ran.returncode == 0, ran.stderr


@pytest.fixture
def reader(tmp_path: Path, demo_server: Callable[..., DemoServer]) -> Cli:
    server = demo_server(faults="duration=100ms")
    server.write_config(tmp_path / "demo.toml")
    return Cli(tmp_path, {"BATCHTUI_CONFIG": str(tmp_path / "demo.toml"), "HOME": str(tmp_path)})


@pytest.mark.parametrize("name", [name for name in PAGES if name not in ELSEWHERE])
def test_every_block_does_what_it_says(name: str, reader: Cli) -> None:
    typed(reader, manual.page(name).text)


def test_every_block_of_the_readme_does_what_it_says(reader: Cli) -> None:
    typed(reader, README)
    assert len(README.splitlines()) <= 250


def test_the_readme_says_of_answers_what_the_manual_says() -> None:
    told = README.partition("## What counts as an answer\n\n")[2].partition("\n\n## ")[0]
    assert told
    assert told in manual.page("answers").text


def test_every_link_of_the_readme_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)]+)\)", README)
    assert links
    assert [link for link in links if not (Path(__file__).parents[2] / link).is_file()] == []


@pytest.mark.parametrize("name", PAGES)
def test_every_batch_file_can_be_read(name: str) -> None:
    for block in blocks_of(manual.page(name).text):
        if block.language == "toml" and block.name and block.name != "config.toml":
            batchfile.loads(block.text, block.name)
