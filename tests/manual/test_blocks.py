"""Every code block of the manual, done as a reader does it: the files are written, the lines are typed.

Providers are the demo server's, by a configuration in the environment; a page that has one of its own names it.
"""

from __future__ import annotations

import json
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


@pytest.mark.parametrize("name", [name for name in PAGES if name not in ELSEWHERE])
def test_every_block_does_what_it_says(
    name: str, tmp_path: Path, demo_server: Callable[..., DemoServer]
) -> None:
    server = demo_server(faults="duration=100ms")
    server.write_config(tmp_path / "demo.toml")
    cli = Cli(tmp_path, {"BATCHTUI_CONFIG": str(tmp_path / "demo.toml"), "HOME": str(tmp_path)})
    typed(cli, manual.page(name).text)


@pytest.mark.parametrize("name", PAGES)
def test_every_batch_file_can_be_read(name: str) -> None:
    for block in blocks_of(manual.page(name).text):
        if block.language == "toml" and block.name and block.name != "config.toml":
            batchfile.loads(block.text, block.name)
