"""Backends that need no table: what the usual variables of each provider set up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from batchtui.config.shape import BUILT_IN, ENVIRONMENT, BackendConfig
from batchtui.model import Json

KINDS = (
    "local", "chat", "openai", "anthropic", "gemini", "mistral",
    "together", "daly", "buttermilk", "rest", "slurm", "gat",
)  # fmt: skip


class Provider(NamedTuple):
    """A provider's usual variables; the backend is named like its kind."""

    kind: str
    key_env: str
    base_url_env: str | None = None
    base_url: str | None = None


PROVIDERS = (
    Provider("openai", "OPENAI_API_KEY", "OPENAI_BASE_URL"),
    Provider("chat", "OPENAI_API_KEY", "OPENAI_BASE_URL", "https://api.openai.com/v1"),
)
_BY_KIND = {provider.kind: provider for provider in PROVIDERS}
LOCAL = BackendConfig(name="local", kind="local", table={"kind": "local"}, origin=BUILT_IN)


def usual_key_env(kind: str) -> str | None:
    """The variable that usually holds the key of this kind."""
    provider = _BY_KIND.get(kind)
    return provider.key_env if provider else None


def offered(env: Mapping[str, str]) -> dict[str, BackendConfig]:
    """`local`, and a backend of every provider, whether its key is set or not."""
    return {"local": LOCAL} | {provider.kind: _backend(provider, env) for provider in PROVIDERS}


def has_key(name: str, env: Mapping[str, str]) -> bool:
    """Whether the offered backend of that name has its key in the environment, or needs none."""
    variable = usual_key_env(name)
    return variable is None or bool(env.get(variable))


def _backend(provider: Provider, env: Mapping[str, str]) -> BackendConfig:
    table: dict[str, Json] = {"kind": provider.kind, "api_key_env": provider.key_env}
    base_url = (env.get(provider.base_url_env) if provider.base_url_env else None) or provider.base_url
    if base_url:
        table["base_url"] = base_url
    return BackendConfig(name=provider.kind, kind=provider.kind, table=table, origin=ENVIRONMENT)
