"""Every setting in effect: its value, where that came from, and what it means, as the manual's page says it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from batchtui import manual
from batchtui.catalog import card_of
from batchtui.config.editing.show import leaves, origins
from batchtui.config.lines import line_of
from batchtui.config.paths import CONFIG_VARIABLE, DATA_VARIABLE, settings_path
from batchtui.config.shape import BUILT_IN, ENVIRONMENT, Config
from batchtui.masking import mask
from batchtui.model import Json

DEFAULT = "default"
COMMAND_LINE = "command line"
_HEAD = re.compile(r"##+ (.*)")
_ROW = re.compile(r"\| `([^`]+)` \| .*? \| (.*?) \| (.*) \|")


@dataclass(frozen=True)
class Setting:
    """`file` and `line` are where it stands, or would: the line is None where no file says it."""

    key: str
    value: str
    origin: str
    about: str = ""
    file: Path | None = None
    line: int | None = None


@cache
def meanings(page: str = "config-keys") -> dict[str, dict[str, tuple[str, str]]]:
    """By section of that page of the manual: each key with its default and what it means."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    section: dict[str, tuple[str, str]] = {}
    for line in manual.page(page).text.splitlines():
        if head := _HEAD.fullmatch(line):
            section = found.setdefault(head[1], {})
        elif row := _ROW.fullmatch(line):
            section[row[1]] = (row[2].strip().strip('`"'), row[3])
    return found


def in_effect(config: Config, data_dir: Path, env: Mapping[str, str] = os.environ) -> list[Setting]:
    """In the order of the file, what is set before what is left to its default."""
    return [*_places(config, data_dir, env), *_set(config, env), *_left(config)]


def _places(config: Config, data_dir: Path, env: Mapping[str, str]) -> Iterator[Setting]:
    """The files themselves; what is neither the variable's nor the usual place was said on the command line."""
    from platformdirs import user_config_path, user_data_path

    usual = {
        "config": (
            config.path,
            CONFIG_VARIABLE,
            user_config_path("batchtui", appauthor=False) / "config.toml",
        ),
        "data_dir": (data_dir, DATA_VARIABLE, user_data_path("batchtui", appauthor=False)),
    }
    about = {
        "config": "The configuration file" + ("" if config.exists else ", which is not there yet"),
        "data_dir": "The folder of all batches",
    }
    for key, (path, variable, place) in usual.items():
        named = env.get(variable)
        said = named is not None and Path(named).expanduser().absolute() == path
        origin = f"{ENVIRONMENT}: {variable}" if said else DEFAULT if path == place else COMMAND_LINE
        yield Setting(key, str(path), origin, about[key], config.path if key == "config" else None)
    for name, value in env.items():
        if name.startswith("BATCHTUI_") and value and name not in (CONFIG_VARIABLE, DATA_VARIABLE):
            yield Setting(
                name, mask(value), f"{ENVIRONMENT}: {name}", "The option of that name, for every command"
            )


def _set(config: Config, env: Mapping[str, str]) -> Iterator[Setting]:
    beside = settings_path(config.path)
    for key, value, origin in origins(config):
        file = next((path for path in (config.path, beside) if origin == str(path)), None)
        line = line_of(file, key) if file else None
        shown = _shown(value)
        if key.endswith("_env") and isinstance(value, str):
            shown += " (is set)" if env.get(value) else " (is not set)"
        where = (
            DEFAULT
            if origin == BUILT_IN
            else f"{file.name}:{line}"
            if file and line
            else file.name
            if file
            else origin
        )
        yield Setting(key, shown, where, _about(config, key), file or config.path, line)


def _left(config: Config) -> Iterator[Setting]:
    """What nobody has said, with what holds then."""
    told = {key for key, _, _ in origins(config)}
    tables = [
        ("defaults", "[defaults]"),
        ("ui", "[ui]"),
        ("limits", "[limits]"),
        ("notify", "[notify]"),
        ("notify", "[notify] and [notify.rules.NAME]"),
    ]
    for name, backend in config.backends.items():
        tables += [(f"backends.{name}", section) for section in _sections(backend.kind)]
    for table, section in tables:
        for key, (default, about) in meanings().get(section, {}).items():
            full = f"{table}.{key}"
            if default != "needed" and not any(one == full or one.startswith(f"{full}.") for one in told):
                told.add(full)
                yield Setting(full, default or "not set", DEFAULT, about, config.path)


def _sections(kind: str) -> tuple[str, ...]:
    """The kind's own first: it may tell a key of all kinds with a default of its own."""
    card = card_of(kind)
    models = ("[backends.NAME] of a kind of models",) if card and "prompt" in card.works else ()
    return (f'[backends.NAME] of kind "{kind}"', *models, "[backends.NAME] of any kind")


def _about(config: Config, key: str) -> str:
    table, _, last = key.rpartition(".")
    first, _, rest = table.partition(".")
    if first == "backends":
        backend = config.backends.get(rest.partition(".")[0].strip('"'))
        sections = _sections(backend.kind) if backend else ()
    else:
        sections = {
            "prices": ('[prices."MODEL"]',),
            "notify": tuple(s for s in meanings() if s.startswith("[notify]")),
        }.get(first, (f"[{first}]",))
    return next((meanings()[s][last][1] for s in sections if last in meanings().get(s, {})), "")


def _shown(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def of_batch(name: str, table: Mapping[str, Json]) -> Iterator[Setting]:
    """What a batch file says, or said when its batch was made."""
    told = meanings("batch-file-keys")
    for key, value in leaves("", dict(table)):
        key = key.lstrip(".")
        head, _, last = key.rpartition(".")
        sections = (
            [section for section in told if section.startswith(f"[{head}]")] if head else ["The file itself"]
        )
        about = next((told[section][last][1] for section in sections if last in told[section]), "")
        yield Setting(key, mask(_shown(value)), f"batch {name}", about)
