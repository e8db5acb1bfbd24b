"""The app's own memory between runs: settings.toml beside the user's config."""

from __future__ import annotations

import contextlib

from batchtui.config import Config, save_settings, settings_path
from batchtui.errors import ConfigError
from batchtui.model import Json


def read(config: Config, key: str, default: Json = None) -> Json:
    return config.settings.get(key, default)


def write(config: Config, key: str, value: Json) -> None:
    """Remember `value`; a disk that refuses costs the memory, never the run."""
    if config.settings.get(key) == value:
        return
    config.settings[key] = value
    with contextlib.suppress(ConfigError):
        save_settings(settings_path(config.path), config.settings)


def write_ui(config: Config, key: str, value: Json) -> None:
    """How the app looks lives in `[ui]`: what is chosen holds now, and later unless the user's own config says otherwise."""
    config.ui = {**config.ui, key: value}
    write(config, "ui", {**_table(config.settings.get("ui")), key: value})


def columns(config: Config, name: str) -> Json:
    """The columns of that list, as they were chosen."""
    return _table(config.ui.get("columns")).get(name)


def write_columns(config: Config, name: str, kept: list[Json]) -> None:
    write_ui(config, "columns", {**_table(config.ui.get("columns")), name: kept})


def _table(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}
