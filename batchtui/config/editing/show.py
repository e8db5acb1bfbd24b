"""Every value of the configuration with where it came from, for `config show --origin`."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from batchtui.config.checks import is_inline_secret, is_secret_header
from batchtui.config.paths import settings_path
from batchtui.config.shape import BUILT_IN, Config
from batchtui.model import Json

HIDDEN = "•••"


def origins(config: Config) -> list[tuple[str, Json, str]]:
    """(dotted key, value, origin) in the order of the file; whatever may be a key shows as dots."""
    file = str(config.path)
    rows: list[tuple[str, Json, str]] = []
    for backend in config.backends.values():
        rows += [(*row, backend.origin) for row in leaves(f"backends.{_bare(backend.name)}", backend.table)]
    defaults = msgspec.to_builtins(config.defaults)
    rows += [(*row, file) for row in leaves("defaults", defaults)]
    for model, price in config.prices.items():
        rows += [(*row, file) for row in leaves(f"prices.{_bare(model)}", msgspec.to_builtins(price))]
    rows += [(*row, file) for row in leaves("limits", msgspec.to_builtins(config.limits))]
    rows += [(*row, file) for row in leaves("notify", config.notices_written)]
    beside = str(settings_path(config.path))
    for table, values in (("ui", config.ui), ("keys", config.keys)):
        stored = config.settings.get(table)
        app = stored if isinstance(stored, dict) else {}
        for key, value in values.items():
            origin = beside if app.get(key) == value else file
            rows += [(*row, origin) for row in leaves(f"{table}.{_bare(key)}", value)]
    return rows or [("backends", {}, BUILT_IN)]


def leaves(prefix: str, value: Json) -> Iterator[tuple[str, Json]]:
    """Leaves with their dotted key; unset and empty ones are left out."""
    last = prefix.rpartition(".")[2]
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(f"{prefix}.{_bare(key)}", item)
    elif value is not None and value != []:
        yield prefix, HIDDEN if is_inline_secret(last, value) or is_secret_header(last, value) else value


def _bare(key: str) -> str:
    """A key as TOML writes it: quoted unless plain."""
    return key if key and key.isascii() and key.replace("-", "").replace("_", "").isalnum() else f'"{key}"'
