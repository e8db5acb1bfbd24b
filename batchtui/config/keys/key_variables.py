"""Which environment variables hold keys, so that what runs on this machine is not handed them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from batchtui.catalog import cards
from batchtui.config.keys.env_file import brought
from batchtui.config.providers import DIALECTS, PROVIDERS
from batchtui.config.shape import Config
from batchtui.model import Json

_USUAL = re.compile(r"\w+_API_KEY|\w+_API_TOKEN|\w+_ACCESS_TOKEN|\w+_SECRET_(ACCESS_)?KEY|HF_TOKEN", re.ASCII)
"""Names that providers' keys usually have."""
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_REFERENCE = re.compile(r"env:([A-Za-z_]\w*)|\{\{\s*env\.([A-Za-z_]\w*)\s*\}\}", re.ASCII)


def key_variables(config: Config, env: Collection[str]) -> frozenset[str]:
    """Names of all variables that the config names as a key, that usually hold one, or that `--env-file` brought.

    `env` are the names that are set: the usual ones among them are told by their form.
    """
    return frozenset(_usual(env) | brought()).union(
        *(_in_table(backend.table) for backend in config.offered.values()),
        _in_table(config.written),
        _in_table(config.notices_written),
    )


def key_values(tables: Json, env: Mapping[str, str]) -> Iterator[str]:
    """What stands in the variables that these tables of a config name as keys, and in the usual ones.

    Not all that `--env-file` brought: there are names and places among it.
    """
    for name in _usual(env).union(_in_table(tables)):
        if value := env.get(name):
            yield value


def variables_of(table: Json) -> set[str]:
    """The variables that a table names."""
    return set(_in_table(table))


def _usual(env: Collection[str]) -> set[str]:
    named = {variable for card in cards().values() for variable in card.key_settings.values()}
    for provider in (*PROVIDERS, *DIALECTS):
        named.add(provider.key_env)
        named.update(filter(None, [provider.first_key_env]))
    return named | {name for name in env if _USUAL.fullmatch(name)}


def _in_table(value: Json, key: str = "") -> Iterator[str]:
    """Variables that a table names: by a setting that ends in `_env`, or by a reference anywhere in it."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _in_table(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _in_table(inner)
    elif isinstance(value, str):
        if key.endswith("_env") and _NAME.fullmatch(value):
            yield value
        for match in _REFERENCE.finditer(value):
            yield match[1] or match[2]
