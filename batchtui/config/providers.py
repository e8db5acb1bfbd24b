"""Backends that need no table: what the usual variables of each provider set up."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from batchtui.config.shape import BUILT_IN, ENVIRONMENT, BackendConfig
from batchtui.model import Json

KINDS = (
    "local", "chat", "openai", "anthropic", "gemini", "mistral",
    "together", "daly", "buttermilk", "rest", "slurm", "gat",
)  # fmt: skip


class Provider(NamedTuple):
    """A provider's usual variables; the backend is named like its kind, or like its dialect of that kind."""

    kind: str
    key_env: str
    base_url_env: str | None = None
    base_url: str | None = None
    dialect: str | None = None
    first_key_env: str | None = None
    """Another variable for the key, which wins where it is set."""

    @property
    def name(self) -> str:
        return self.dialect or self.kind

    def key_variable(self, env: Mapping[str, str]) -> str:
        """The variable that holds the key."""
        first = self.first_key_env
        return first if first is not None and env.get(first) else self.key_env


PROVIDERS = (
    Provider("openai", "OPENAI_API_KEY", "OPENAI_BASE_URL"),
    Provider("anthropic", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"),
    Provider("gemini", "GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL", first_key_env="GOOGLE_API_KEY"),
    Provider("mistral", "MISTRAL_API_KEY", "MISTRAL_BASE_URL"),
    Provider("together", "TOGETHER_API_KEY", "TOGETHER_BASE_URL"),
    Provider("chat", "OPENAI_API_KEY", "OPENAI_BASE_URL", "https://api.openai.com/v1"),
)
DIALECTS = (
    Provider("openai", "GROQ_API_KEY", "GROQ_BASE_URL", dialect="groq"),
    Provider("openai", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT", dialect="azure"),
    Provider("openai", "DEEPINFRA_API_KEY", "DEEPINFRA_BASE_URL", dialect="deepinfra"),
)
"""Offered where their key is set only: most users have none of them."""
SERVERS = ("daly", "buttermilk")
"""Services that somebody runs, at an address that only a table can say."""
_BY_NAME = {provider.name: provider for provider in (*PROVIDERS, *DIALECTS)}
LOCAL = BackendConfig(name="local", kind="local", table={"kind": "local"}, origin=BUILT_IN)
SLURM = BackendConfig(name="slurm", kind="slurm", table={"kind": "slurm"}, origin=BUILT_IN)
KEYLESS = frozenset({"local", "slurm"})
"""Backends that are there by themselves: `local` always, `slurm` where its commands are on the PATH."""


def usual_key_env(name: str, env: Mapping[str, str]) -> str | None:
    """The variable that usually holds the key of this kind or dialect."""
    provider = _BY_NAME.get(name)
    return provider.key_variable(env) if provider else None


def offered(env: Mapping[str, str]) -> dict[str, BackendConfig]:
    """`local`, `slurm` where there is one, and every provider, its key set or not; of a dialect only where it is."""
    keyed = [one for one in DIALECTS if env.get(one.key_env)]
    usable = [one for one in keyed if one.dialect != "azure" or env.get(one.base_url_env or "")]
    cluster = {"slurm": SLURM} if _has_sbatch(env) else {}
    providers = {provider.name: _backend(provider, env) for provider in (*PROVIDERS, *usable)}
    return {"local": LOCAL} | cluster | providers


def table_of(name: str, env: Mapping[str, str]) -> dict[str, Json]:
    """What the environment makes of the provider or dialect of that name, its key set or not."""
    return _backend(_BY_NAME[name], env).table


def _has_sbatch(env: Mapping[str, str]) -> bool:
    """As shutil.which, whose import takes longer than all of the config's."""
    folders = filter(None, env.get("PATH", "").split(os.pathsep))
    return any(os.access(os.path.join(folder, "sbatch"), os.X_OK) for folder in folders)


def has_key(name: str, env: Mapping[str, str]) -> bool:
    """Whether the offered backend of that name has its key in the environment, or needs none."""
    provider = _BY_NAME.get(name)
    return provider is None or bool(env.get(provider.key_variable(env)))


def _backend(provider: Provider, env: Mapping[str, str]) -> BackendConfig:
    table: dict[str, Json] = {"kind": provider.kind, "api_key_env": provider.key_variable(env)}
    base_url = (env.get(provider.base_url_env) if provider.base_url_env else None) or provider.base_url
    if base_url:
        table["base_url"] = base_url
    if provider.dialect:
        table["dialect"] = provider.dialect
    return BackendConfig(name=provider.name, kind=provider.kind, table=table, origin=ENVIRONMENT)
