"""Reading config.toml so that one broken table leaves the rest usable, and nothing broken is overlooked."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TypeVar

from batchtui.config.checks import backend_problems, toml_type
from batchtui.config.keymap import key_warnings
from batchtui.config.keys.key_variables import key_values, variables_of
from batchtui.config.paths import CONFIG_VARIABLE, config_path, settings_path
from batchtui.config.plug_ins import KNOWN_KINDS
from batchtui.config.providers import KEYLESS, has_key, offered
from batchtui.config.settings import load_settings
from batchtui.config.shape import BackendConfig, Config, ConfigLimits, Defaults
from batchtui.decode import convert
from batchtui.errors import ConfigError, nearest
from batchtui.limit_ranges import dollars_fault, limit_problems, number_text
from batchtui.masking import ask_later
from batchtui.model import Json, Problem
from batchtui.text import cell
from batchtui.toml_file import read_toml

VERSION = 1
"""The newest `config_version` that this program reads; a file without one is of version 1."""
_TABLES = ("backends", "defaults", "prices", "limits", "notify", "ui", "keys")
T = TypeVar("T")


def load_config(
    path: str | Path | None = None,
    *,
    env: Mapping[str, str] = os.environ,
    strict: bool = False,
    kinds: Collection[str] = KNOWN_KINDS,
) -> Config:
    """The user's config, the app's settings under it, and what the environment offers.

    Without `path` it is found by `config_path`. What is wrong is collected in `Config.problems`, and
    `Config.backend` refuses what it touches; `strict` raises ConfigError for the first fatal one instead.
    A file that the user named and that is not there is fatal; with no file at all the defaults hold.
    """
    default = config_path(env={})
    asked = config_path(env=env)
    path = config_path(path, env=env)
    config = Config(path=path, exists=path.exists())
    config.offered = offered(env)
    if config.exists:
        _read(config, env, kinds)
    elif path != default:
        message = "no such file; `batchtui config init` writes one"
        if named := path == asked:
            message = f"{CONFIG_VARIABLE} names it, but there is {message}"
        config.problems.append(Problem(file=cell(path), message=message, fatal=not named))
    ask_later(lambda: key_values([config.written, config.notices_written], env))
    _offer(config, env, kinds)
    _under(config, load_settings(settings_path(path)))
    config.problems += [
        Problem(file=cell(path), key=f"keys.{cell(action, 40)}", message=message, fatal=False)
        for action, message in key_warnings(config.keys)
    ]
    if strict:
        for problem in config.problems:
            if problem.fatal:
                raise ConfigError(str(problem))
    return config


def _read(config: Config, env: Mapping[str, str], kinds: Collection[str]) -> None:
    where = cell(config.path)
    try:
        data = read_toml(config.path, ConfigError)
    except ConfigError as fault:
        config.problems.append(_problem(fault, where))
        return
    version = data.pop("config_version", VERSION)
    if type(version) is not int or not 1 <= version <= VERSION:
        version_text = number_text(version) if type(version) is int else toml_type(version)
        message = f"written for a newer batchtui ({version_text}); update to read it, it is left as it is"
        config.problems.append(Problem(file=where, key="config_version", message=message))
        return
    for key in [key for key in data if key not in _TABLES]:
        message = f"unknown key{nearest(key, _TABLES)}"
        config.problems.append(Problem(file=where, key=cell(key, 40), message=message, fatal=False))
    tables = {key: _table(config, data, key) for key in _TABLES}
    _backends(config, tables["backends"], env, kinds)
    config.defaults = _decoded(config, tables["defaults"], Defaults, "defaults") or Defaults()
    config.problems += limit_problems(config.defaults.limits, where, "defaults.limits")
    config.limits = _decoded(config, tables["limits"], ConfigLimits, "limits") or ConfigLimits()
    if wrong := dollars_fault(config.limits.cost_usd_per_day):
        config.problems.append(Problem(file=where, key="limits.cost_usd_per_day", message=wrong))
    _prices(config, tables["prices"])
    _notify(config, tables["notify"], env)
    config.ui = tables["ui"]
    config.keys = _decoded(config, tables["keys"], dict[str, str], "keys", fatal=False) or {}


def _table(config: Config, data: dict[str, Json], key: str) -> dict[str, Json]:
    value = data.get(key, {})
    if isinstance(value, dict):
        return value
    message = f"expected a table, got {toml_type(value)}"
    config.problems.append(
        Problem(file=cell(config.path), key=key, message=message, fatal=key not in ("notify", "ui", "keys"))
    )
    return {}


def _decoded(config: Config, value: Json, type_: type[T], prefix: str, fatal: bool = True) -> T | None:
    where = cell(config.path)
    try:
        return convert(value, type_, where=where, prefix=prefix, error=ConfigError)
    except ConfigError as fault:
        config.problems.append(_problem(fault, where, fatal))
        return None


def _problem(fault: ConfigError, where: str, fatal: bool = True) -> Problem:
    return Problem(file=where, message=cell(str(fault).removeprefix(f"{where}: ")), fatal=fatal)


def _backends(
    config: Config, tables: dict[str, Json], env: Mapping[str, str], kinds: Collection[str]
) -> None:
    config.written = tables
    for name, table in tables.items():
        problems = backend_problems(name, table, kinds, cell(config.path))
        config.problems += problems
        if fatal := [problem for problem in problems if problem.fatal]:
            config.broken[name] = fatal
            continue
        config.backends[name] = BackendConfig(
            name=name, kind=table["kind"], table=table, origin=str(config.path)
        )
        for key, variable in table.items():
            if key.endswith("_env") and not env.get(variable):
                message = f"{variable} is not set, so this backend is not ready"
                place = f"backends.{name}.{cell(key, 40)}"
                config.problems.append(
                    Problem(file=cell(config.path), key=place, message=message, fatal=False)
                )


def _prices(config: Config, tables: dict[str, Json]) -> None:
    if not tables:
        return
    from batchtui.prices import Price

    for model, table in tables.items():
        prefix = f'prices."{cell(model, 60)}"'
        price = _decoded(config, table, Price, prefix)
        if price is None:
            continue
        for side in Price.__struct_fields__:
            if fault := dollars_fault(getattr(price, side)):
                key = f"{prefix}.{side}"
                config.problems.append(Problem(file=cell(config.path), key=key, message=fault))
        config.prices[model] = price


def _notify(config: Config, table: dict[str, Json], env: Mapping[str, str]) -> None:
    """What is wrong in it is no reason to stop work: then nobody is told of it, and that is said where a batch is driven."""
    if not table:
        return
    from batchtui.config.notify import Notify, notify_faults

    config.notices_written = table
    found = _decoded(config, table, Notify, "notify", fatal=False)
    if found is None:
        return
    faults = [
        Problem(file=cell(config.path), key=f"notify.{cell(key, 60)}", message=message, fatal=False)
        for key, message in notify_faults(found)
    ]
    config.problems += faults
    config.notify = None if faults else found
    for variable in sorted(variables_of(table) - env.keys()):
        message = f"{variable} is not set, so who is told by it is not told"
        config.problems.append(Problem(file=cell(config.path), key="notify", message=message, fatal=False))


def _offer(config: Config, env: Mapping[str, str], kinds: Collection[str]) -> None:
    """Check what the environment sets up, and list it where the user configured no backend; KEYLESS ones always."""
    configured = bool(config.backends or config.broken)
    for name, backend in list(config.offered.items()):
        listed = name in KEYLESS or (not configured and has_key(name, env))
        problems = backend_problems(name, backend.table, kinds, backend.origin)
        if listed:
            config.problems += problems
        if fatal := [problem for problem in problems if problem.fatal]:
            del config.offered[name]
            config.broken.setdefault(name, fatal)
        elif listed and name not in config.broken:
            config.backends.setdefault(name, backend)
    sound = not any(problem.fatal for problem in config.problems)
    if config.exists and not configured and sound and set(config.backends) <= KEYLESS:
        names = " and ".join(config.backends)
        message = f"no backend is configured beside {names}; add a backend by `batchtui config add PROVIDER`"
        config.problems.append(Problem(file=cell(config.path), message=message, fatal=False))


def _under(config: Config, settings: dict[str, Json]) -> None:
    """Put the app's settings under the user's."""
    config.settings = settings
    ui, keys = settings.get("ui"), settings.get("keys")
    if isinstance(ui, dict):
        config.ui = ui | config.ui
    if isinstance(keys, dict):
        config.keys = {action: key for action, key in keys.items() if isinstance(key, str)} | config.keys
