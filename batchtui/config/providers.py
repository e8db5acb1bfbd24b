"""Backends that need no table: what the usual variables of each provider set up."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from batchtui.catalog import Card, cards
from batchtui.config.shape import BUILT_IN, ENVIRONMENT, BackendConfig
from batchtui.model import Json


class Provider(NamedTuple):
    """A provider's usual variables; the backend is named like its kind, or like its dialect of that kind."""

    kind: str
    key_env: str
    base_url_env: str | None = None
    base_url: str | None = None
    dialect: str | None = None
    first_key_env: str | None = None
    """Another variable for the key, which wins where it is set."""
    needs_address: bool = False
    """Whether there is no address but one's own."""

    @property
    def name(self) -> str:
        return self.dialect or self.kind

    def key_variable(self, env: Mapping[str, str]) -> str:
        """The variable that holds the key."""
        first = self.first_key_env
        return first if first is not None and env.get(first) else self.key_env


def _providers(card: Card) -> Iterator[Provider]:
    for one in card.variables:
        yield Provider(
            card.name, one.key, one.base_url, one.address, one.dialect, one.first_key, one.needs_address
        )


_ALL = [provider for card in cards().values() for provider in _providers(card)]
PROVIDERS = tuple(provider for provider in _ALL if provider.dialect is None)
DIALECTS = tuple(provider for provider in _ALL if provider.dialect is not None)
"""Offered where their key is set only: most users have none of them."""
SERVERS = {name: card.own_server for name, card in cards().items() if card.own_server and not card.variables}
"""Services that somebody runs, at an address that only a table can say, with the one of their own documentation."""
BY_NAME = {provider.name: provider for provider in (*PROVIDERS, *DIALECTS)}
_THERE = {card.name: card.there_with for card in cards().values() if card.there_with is not None}
THIS_MACHINE = next(name for name, program in _THERE.items() if not program)
"""The backend that is there wherever the app is."""
KEYLESS = frozenset(_THERE)
"""Backends that are there by themselves: some always, others where a program is on the PATH."""


def usual_key_env(name: str, env: Mapping[str, str]) -> str | None:
    """The variable that usually holds the key of this kind or dialect."""
    provider = BY_NAME.get(name)
    return provider.key_variable(env) if provider else None


def offered(env: Mapping[str, str]) -> dict[str, BackendConfig]:
    """What is there by itself, and every provider, its key set or not; of a dialect only where it is."""
    there = {
        name: BackendConfig(name=name, kind=name, table={"kind": name}, origin=BUILT_IN)
        for name, program in _THERE.items()
        if not program or _on_path(program, env)
    }
    keyed = [one for one in DIALECTS if env.get(one.key_env)]
    usable = [one for one in keyed if not one.needs_address or env.get(one.base_url_env or "")]
    return there | {provider.name: _backend(provider, env) for provider in (*PROVIDERS, *usable)}


def table_of(name: str, env: Mapping[str, str]) -> dict[str, Json]:
    """What the environment makes of the provider or dialect of that name, its key set or not."""
    return _backend(BY_NAME[name], env).table


def _on_path(program: str, env: Mapping[str, str]) -> bool:
    """As shutil.which, whose import takes longer than all of the config's."""
    folders = filter(None, env.get("PATH", "").split(os.pathsep))
    return any(os.access(os.path.join(folder, program), os.X_OK) for folder in folders)


def has_key(name: str, env: Mapping[str, str]) -> bool:
    """Whether the offered backend of that name has its key in the environment, or needs none."""
    provider = BY_NAME.get(name)
    return provider is None or bool(env.get(provider.key_variable(env)))


def _backend(provider: Provider, env: Mapping[str, str]) -> BackendConfig:
    table: dict[str, Json] = {"kind": provider.kind, "api_key_env": provider.key_variable(env)}
    base_url = (env.get(provider.base_url_env) if provider.base_url_env else None) or provider.base_url
    if base_url:
        table["base_url"] = base_url
    if provider.dialect:
        table["dialect"] = provider.dialect
    return BackendConfig(name=provider.name, kind=provider.kind, table=table, origin=ENVIRONMENT)
