"""What manual and README say of scenarios on grids, done as a reader does it: files are written, lines are typed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from batchtui import manual
from tests import extras
from tests.cli.cli_help import ROOT, Cli
from tests.manual.blocks import blocks_of
from tests.manual.test_blocks import typed

pytestmark = extras.needs("power")


def section(text: str, title: str) -> str:
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("source", ["manual", "README"])
def test_every_block_on_grids(source: str, tmp_path: Path) -> None:
    text = manual.page("grids").text
    if source == "README":
        text = section((ROOT / "README.md").read_text("utf-8"), "Scenarios on grids")
    if not any(block.commands for block in blocks_of(text)):
        pytest.skip("nothing is typed there")
    shutil.copy(ROOT / "tests/data/power/case14/case14.m", tmp_path)
    (tmp_path / "loads").mkdir()
    (tmp_path / "config.toml").touch()
    typed(Cli(tmp_path), text)
    tables = {path.parent.name for path in tmp_path.glob("runs/*/*/batch_manifest.json")}
    assert {"manifest", "manifest-2"} <= tables
