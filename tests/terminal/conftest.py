"""Fixtures: the environment of a person with no configuration and an empty data folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.terminal.terminals import clean_env


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    config = tmp_path / "config.toml"
    config.write_text("")
    return clean_env(
        BATCHTUI_DATA_DIR=str(tmp_path / "data"), BATCHTUI_CONFIG=str(config), HOME=str(tmp_path)
    )
