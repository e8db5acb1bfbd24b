"""Where the config, the app's settings and the data live."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from batchtui.errors import ConfigError
from batchtui.text import cell

CONFIG_VARIABLE = "BATCHTUI_CONFIG"
DATA_VARIABLE = "BATCHTUI_DATA_DIR"
STATE_VARIABLE = "BATCHTUI_STATE_DIR"


def data_dir(override: str | Path | None = None, *, env: Mapping[str, str] = os.environ) -> Path:
    """The folder that holds `batches/`, absolute; not made here.

    An override (`--data-dir`) may be relative to the working folder, BATCHTUI_DATA_DIR may not: it is set once
    and read from everywhere. Raises ConfigError for a path that cannot be a folder.
    """
    if override:
        return _folder(Path(override).expanduser().absolute(), "--data-dir")
    if value := env.get(DATA_VARIABLE):
        path = Path(value).expanduser()
        if not path.is_absolute():
            raise ConfigError(f"{DATA_VARIABLE}: expected an absolute path, got {cell(value)}")
        return _folder(path, DATA_VARIABLE)
    from platformdirs import user_data_path

    return _folder(user_data_path("batchtui", appauthor=False), "user data folder")


def _folder(path: Path, what: str) -> Path:
    if path.exists() and not path.is_dir():
        raise ConfigError(f"{what}: {cell(path)} is not a directory")
    return path


def state_dir(*, env: Mapping[str, str] = os.environ) -> Path:
    """The folder of what is told in a second place, apart from the data (see `store.tally`); not made here."""
    if (value := env.get(STATE_VARIABLE)) and Path(value).expanduser().is_absolute():
        return Path(value).expanduser()
    from platformdirs import user_state_path

    return user_state_path("batchtui", appauthor=False)


def config_path(override: str | Path | None = None, *, env: Mapping[str, str] = os.environ) -> Path:
    """The config file: the override (`--config`), else BATCHTUI_CONFIG, else config.toml in the user config folder."""
    if named := override or env.get(CONFIG_VARIABLE):
        return Path(named).expanduser().absolute()
    from platformdirs import user_config_path

    return user_config_path("batchtui", appauthor=False) / "config.toml"


def settings_path(config: Path) -> Path:
    """The app's own settings.toml, beside the config file."""
    return config.with_name("settings.toml")
