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


def write_theme(config: Config, theme: str) -> None:
    """The theme lives in `[ui]`, where the user's own config may overrule it."""
    write(config, "ui", {**config.settings.get("ui", {}), "theme": theme})
