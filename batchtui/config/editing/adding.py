"""What a new `[backends.NAME]` table says of a provider: its kind, its address, and where its key is."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from batchtui.catalog import card_of, cards
from batchtui.config.checks import is_inline_secret, variable_fault
from batchtui.config.providers import BY_NAME, DIALECTS, PROVIDERS, SERVERS, table_of
from batchtui.errors import BadInput, nearest
from batchtui.model import Json
from batchtui.text import cell

RESOURCE = "https://NAME.openai.azure.com"
PROVIDER_NAMES = (*(one.name for one in (*PROVIDERS, *DIALECTS)), *SERVERS)


@dataclass(frozen=True)
class KeyPlace:
    """Where a key is, never the key: one of three, or none."""

    variable: str | None = None
    command: str | None = None
    """As typed on a command line; it is run without a shell."""
    keyring: str | None = None

    def settings(self) -> dict[str, Json]:
        """The one key of the table. Raises BadInput, which never shows what may be a key itself."""
        if self.variable is not None:
            if fault := variable_fault(self.variable):
                raise BadInput(f"the key's variable: {fault}")
            return {"api_key_env": self.variable}
        if self.command is not None:
            return {"api_key_command": list(_words(self.command))}
        if self.keyring is not None:
            if is_inline_secret("", self.keyring):
                raise BadInput(
                    "the keyring entry: expected service/user, such as batchtui/openai, not the key itself"
                )
            return {"api_key_keyring": self.keyring}
        return {}


def refuse_unknown(provider: str) -> None:
    """Raises BadInput for what `config add` cannot add, with what does."""
    if provider in PROVIDER_NAMES:
        return
    shown, card = cell(provider, 40), card_of(provider)
    if card and card.page:
        raise BadInput(
            f"config add: a table of {shown} says more than an address and a key; `batchtui help {card.page}` has "
            "one to copy, `batchtui config path` says into which file"
        )
    if card and card.there_with is not None:
        raise BadInput(f"config add: {shown} is there by itself: this machine needs no table and no key")
    if card:
        raise BadInput(f"config add: {shown} cannot be added so; `batchtui help config-keys` lists its keys")
    hint = nearest(provider, PROVIDER_NAMES) or f"; known are {', '.join(PROVIDER_NAMES)}"
    raise BadInput(
        f'config add: no provider "{shown}"{hint} (a server that speaks chat completions: '
        "`batchtui config add chat --url ADDRESS`)"
    )


def own_server(provider: str) -> str | None:
    """Where a server that somebody runs is by default; None of a provider that has one for all."""
    card = card_of(provider)
    return card.own_server if card else None


def usual_place(provider: str, env: Mapping[str, str]) -> KeyPlace:
    """The variable that usually holds the key; none of a server that may have no key."""
    if own_server(provider):
        return KeyPlace()
    variable = table_of(provider, env).get("api_key_env")
    return KeyPlace(variable if isinstance(variable, str) else None)


def new_table(
    provider: str, key: KeyPlace, env: Mapping[str, str], *, url: str | None, user_key_env: str | None = None
) -> dict[str, Json]:
    """The table. Raises BadInput for what it lacks, or where a key itself was given."""
    refuse_unknown(provider)
    if provider in SERVERS:
        return {"kind": provider, "base_url": url or SERVERS[provider]} | _own_keys(
            provider, key, user_key_env
        )
    if user_key_env is not None:
        raise BadInput("--user-key-env belongs to config add daly")
    table = {name: value for name, value in table_of(provider, env).items() if name != "api_key_env"}
    if url is not None:
        table["base_url"] = url
    elif server := own_server(provider):
        raise BadInput(f"config add {provider}: where is the server? --url {server}, for one")
    elif BY_NAME[provider].needs_address and "base_url" not in table:
        raise BadInput(f"config add {provider}: where is the resource? --url {RESOURCE}")
    return table | key.settings()


def _own_keys(provider: str, key: KeyPlace, user_key_env: str | None) -> dict[str, Json]:
    if key.command is not None or key.keyring is not None:
        raise BadInput(f"config add {provider}: its keys are taken from variables only: --key-env NAME")
    usual_names = cards()[provider].key_settings
    if not usual_names:
        if key.variable is not None or user_key_env is not None:
            raise BadInput(
                f"config add {provider}: its servers take no key; what stands before one may want `headers`, which "
                "`batchtui help config-keys` tells of"
            )
        return {}
    named = dict(zip(usual_names, (key.variable, user_key_env), strict=True))
    for setting, name in named.items():
        if name is not None and (fault := variable_fault(name)):
            raise BadInput(f"{setting}: {fault}")
    return {setting: named[setting] or usual for setting, usual in usual_names.items()}


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as fault:
        raise BadInput(f"the key's command: {fault}") from None
    if not words:
        raise BadInput(
            "the key's command: it is empty; name a program that prints the key, such as: pass show openai"
        )
    if any(is_inline_secret("", word) for word in words):
        raise BadInput("the key's command: expected a program that prints the key, not the key itself")
    return words
