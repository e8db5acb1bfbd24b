"""settings.toml: what was changed on screen (theme, columns, keys). The app's file, never worth a failed start."""

from __future__ import annotations

import contextlib
from pathlib import Path

from batchtui.durable import make_folder
from batchtui.errors import BadInput, ConfigError
from batchtui.model import Json
from batchtui.text import cell
from batchtui.toml_file import read_toml, write_toml


def load_settings(path: Path) -> dict[str, Json]:
    """The settings; a damaged file is set aside as `<name>.damaged` and counts as empty. Never raises."""
    if not path.is_file():
        return {}
    try:
        return read_toml(path)
    except BadInput:
        with contextlib.suppress(OSError):
            path.replace(path.with_name(path.name + ".damaged"))
        return {}


def save_settings(path: Path, settings: dict[str, Json]) -> None:
    """Replace the file atomically, mode 0600. Raises ConfigError where the disk refuses."""
    try:
        make_folder(path.parent)
        write_toml(path, settings, mode=0o600)
    except OSError as fault:
        raise ConfigError(f"{cell(path)}: cannot be written ({fault.strerror})") from None
