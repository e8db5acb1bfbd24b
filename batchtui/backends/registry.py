"""Which kinds there are, and how a `[backends.NAME]` table becomes a backend.

Built-in kinds need no installed metadata; further ones come through the entry-point group `batchtui.backends`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib import import_module
from inspect import isabstract
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from batchtui.backends.base import Backend, BackendSettings, Setup
from batchtui.catalog import card_of, cards
from batchtui.catalog.card import Work
from batchtui.catalog.domains import found
from batchtui.catalog.form import FormField, derived
from batchtui.config.address import base_url_fault
from batchtui.config.lines import line_of
from batchtui.config.plug_ins import plug_ins
from batchtui.decode import convert
from batchtui.errors import ConfigError, KeyMissing, nearest
from batchtui.model import Json, Problem, seconds
from batchtui.text import Secret, cell

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from batchtui.backends.http import Http

AnyBackend = Backend[msgspec.Struct]


def known_kinds() -> list[str]:
    """Names of all kinds, built-in ones first; no kind is imported for it."""
    return [*cards(), *sorted(set(_plug_ins()) - set(cards()))]


def load_kind(name: str) -> type[AnyBackend]:
    """The class of a kind. Raises ConfigError with the nearest known word, or a plug-in's own fault."""
    if card := card_of(name):
        module, _, attribute = card.backend.partition(":")
        loaded: object = getattr(import_module(module), attribute)
    else:
        entry = _plug_ins().get(name)
        if entry is None:
            known = known_kinds()
            raise ConfigError(
                f'unknown kind "{cell(name, 60)}"{nearest(name, known)} (known: {", ".join(known)})'
            )
        try:
            loaded = entry.load()
        except (Exception, SystemExit) as fault:  # a plug-in may fail in any way
            raise ConfigError(f"{_broken(name)} ({cell(entry.value, 80)}): {_reason(fault)}") from None
    if not (isinstance(loaded, type) and issubclass(loaded, Backend)):
        raise ConfigError(f"{_broken(name)}: it is no batchtui.backends.base.Backend")
    if name not in cards() and (lack := _lack(loaded)):
        raise ConfigError(f"{_broken(name)}: {lack}")
    return loaded


def form_of_kind(name: str) -> Mapping[Work, tuple[FormField, ...]]:
    """The fields of a job by what it is, for a form: its card's, else those of the plug-in's `Work`, which is imported.

    Empty for a kind that nobody knows, or that cannot be loaded.
    """
    if card := card_of(name):
        return card.form
    if name not in _plug_ins():
        return {}
    try:
        kind = load_kind(name)
        return kind.card.form if kind.card else {"request": derived(kind.Work)}
    except Exception:  # a plug-in may fail in any way: its jobs then go under the form's other keys
        return {}


def _broken(name: str) -> str:
    return f'kind "{cell(name, 60)}": its plug-in is broken'


def _lack(kind: type[AnyBackend]) -> str | None:
    """What the class of a plug-in lacks before anything can be built of it."""
    if isabstract(kind):
        missing = ", ".join(sorted(kind.__abstractmethods__))
        return f"it leaves out {missing}"
    for field in ("kind", "summary", "Work", "remote"):
        if not hasattr(kind, field):
            return f"it has no `{field}`"
    if not (isinstance(kind.Work, type) and issubclass(kind.Work, msgspec.Struct)):
        return "its `Work` is no msgspec.Struct"
    if not (isinstance(kind.Settings, type) and issubclass(kind.Settings, BackendSettings)):
        return "its `Settings` is no batchtui.backends.base.BackendSettings"
    return None


def broken() -> list[tuple[str, str]]:
    """Plug-ins that cannot be loaded, with the reason; imports every plug-in."""
    faults = [
        (name, f'domain "{cell(name, 60)}": its plug-in is broken: {cell(why)}')
        for name, why in found().broken
    ]
    for name in known_kinds():
        if name not in cards():
            try:
                load_kind(name)
            except ConfigError as fault:
                faults.append((name, str(fault)))
    return faults


def default_address(kind: str) -> str | None:
    """Where backends of that kind live unless their table says otherwise. Raises ConfigError for an unknown kind."""
    address = _default_base_url(load_kind(kind).Settings)
    return address if isinstance(address, str) else None


def build(
    name: str, table: dict[str, Json], key: Secret | None, key_variables: frozenset[str] = frozenset()
) -> AnyBackend:
    """The backend of a config table, without any I/O. Raises ConfigError naming the key at fault.

    `key_variables` are those that programs on this machine are not to see.
    """
    prefix = f"backends.{name}"
    kind = table.get("kind", name)
    if not isinstance(kind, str):
        raise ConfigError(f"config: {prefix}.kind: expected text, got {type(kind).__name__}")
    try:
        loaded = load_kind(kind)
    except ConfigError as fault:
        raise ConfigError(f"config: {prefix}.kind: {fault}") from None
    settings = convert(
        {**table, "kind": kind}, loaded.Settings, where="config", prefix=prefix, error=ConfigError
    )
    _check(settings, prefix)
    if key is None and loaded.key_required and settings.base_url == _default_base_url(loaded.Settings):
        usual = f" (the usual one is {loaded.key_env})" if loaded.key_env else ""
        raise KeyMissing(
            f"config: {prefix}: no key; set the variable that api_key_env names{usual}, "
            "or give api_key_command or api_key_keyring"
        )
    setup = Setup(name, settings, key, _connector(loaded, settings, key, prefix), key_variables)
    if kind in cards():
        return loaded(setup)
    try:
        return loaded(setup)
    except ConfigError:
        raise
    except Exception as fault:  # a plug-in may fail in any way
        raise ConfigError(f"config: {prefix}: {_broken(kind)}: {_reason(fault)}") from None


def table_problem(name: str, table: dict[str, Json], file: str) -> Problem | None:
    """What keeps this table from being a backend, whatever its key is; a variable that is not set is a warning."""
    try:
        build(name, table, Secret("a key that is never sent"))
    except ConfigError as fault:
        key, _, message = str(fault).removeprefix("config: ").partition(": ")
        line = line_of(Path(file), key)
        return Problem(
            file=file, line=line, key=key, message=message, fatal=not isinstance(fault, KeyMissing)
        )
    return None


def _check(settings: BackendSettings, prefix: str) -> None:
    if settings.base_url is not None:
        if fault := base_url_fault(settings.base_url):
            raise ConfigError(f"config: {prefix}.base_url: {fault}")
        settings.base_url = settings.base_url.rstrip("/")
    for field in ("timeout", "poll_interval", "settle"):
        value = getattr(settings, field)
        if value is not None:
            try:
                seconds(value)
            except ValueError as fault:
                raise ConfigError(f"config: {prefix}.{field}: {fault}") from None
    for field in ("jobs_per_submission", "bytes_per_submission", "submissions_at_once"):
        value = getattr(settings, field)
        if value is not None and value < 1:
            raise ConfigError(f"config: {prefix}.{field}: expected at least 1, got {value}")
    if settings.concurrency is not None and not 1 <= settings.concurrency <= 10_000:
        raise ConfigError(f"config: {prefix}.concurrency: expected 1 to 10000, got {settings.concurrency}")


def _connector(
    kind: type[AnyBackend], settings: BackendSettings, key: Secret | None, prefix: str
) -> Callable[[], Http] | None:
    if settings.base_url is None:
        return None
    base_url = settings.base_url
    headers = {
        **kind.request_headers(settings, key.reveal() if key else None),
        **{
            header: _header(value, f"config: {prefix}.headers.{header}")
            for header, value in settings.headers.items()
        },
    }
    for header, value in headers.items():
        if not (header.isascii() and header.isprintable() and " " not in header and ":" not in header):
            raise ConfigError(f"config: {prefix}.headers: {cell(header, 60)!r} is not a header's name")
        if not (value.isascii() and value.isprintable()):
            raise ConfigError(f"config: {prefix}: the value of {header} holds characters no header can carry")

    def connect() -> Http:
        from batchtui.backends.http import Http

        timeout = 600.0 if settings.timeout is None else seconds(settings.timeout)
        return Http(base_url, headers=headers, proxy=settings.proxy, timeout=timeout)

    return connect


def _header(value: str, where: str) -> str:
    if not value.startswith("env:"):
        return value
    variable = value.removeprefix("env:")
    found = os.environ.get(variable)
    if found is None:
        raise KeyMissing(f"{where}: the variable {cell(variable, 60)} is not set")
    return found


def _default_base_url(settings: type[BackendSettings]) -> Json:
    return next(field.default for field in msgspec.structs.fields(settings) if field.name == "base_url")


def _plug_ins() -> dict[str, EntryPoint]:
    return {name: entry for name, entry in plug_ins().items() if name not in cards()}


def _reason(fault: BaseException) -> str:
    return cell(f"{type(fault).__name__}: {fault}")
