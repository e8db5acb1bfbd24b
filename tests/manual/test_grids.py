"""What the manual says of scenarios on grids, done as a reader does it: files are written, lines are typed."""

from __future__ import annotations

import shutil
from pathlib import Path

from batchtui import manual
from tests import extras
from tests.cli.cli_help import ROOT, Cli
from tests.manual.test_blocks import typed

pytestmark = extras.needs("power")


def test_every_block_on_grids(tmp_path: Path) -> None:
    text = manual.page("grids").text
    shutil.copy(ROOT / "tests/data/power/case14/case14.m", tmp_path)
    (tmp_path / "loads").mkdir()
    (tmp_path / "config.toml").touch()
    typed(Cli(tmp_path), text)
    tables = {path.parent.name for path in tmp_path.glob("runs/*/*/batch_manifest.json")}
    assert {"manifest", "manifest-2"} <= tables
