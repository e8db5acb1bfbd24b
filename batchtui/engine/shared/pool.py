"""The configured backends, each built once, when it is first needed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from batchtui.config import Config, key_variables, resolve_key
from batchtui.config.lines import placed
from batchtui.config.providers import SERVERS, has_key
from batchtui.errors import ConfigError

if TYPE_CHECKING:  # the app paints before it needs any backend
    import msgspec

    from batchtui.backends.base import Backend

AnyBackend: TypeAlias = "Backend[msgspec.Struct]"


class Backends:
    """Backends by name. Building one does no I/O beyond reading its key."""

    def __init__(self, config: Config, env: Mapping[str, str] | None = None) -> None:
        self.config = config
        self._env = os.environ if env is None else env
        self._built: dict[str, AnyBackend] = {}
        self._hidden: frozenset[str] | None = None

    def names(self) -> list[str]:
        return list(self.config.names())

    def kind(self, name: str) -> str:
        """The kind of a configured backend. Raises ConfigError."""
        return self.config.backend(name).kind

    def get(self, name: str) -> AnyBackend:
        """The backend of this name. Raises ConfigError where it is unknown, wrong, or its key is missing."""
        if name not in self._built:
            self._built[name] = self.fresh(name)
        return self._built[name]

    def lacks_table(self, name: str) -> bool:
        """Whether it is a service that somebody runs, named as such, whose table has not been written yet."""
        return name in SERVERS and name not in self.config.names()

    def without_key(self, kind: str) -> str | None:
        """The provider of that kind, where its usual variable is not set and no table says other backends instead: it
        can be planned with.
        """
        known = not self.config.written and kind in self.config.offered and not has_key(kind, self._env)
        return kind if known else None

    def unkeyed(self, name: str) -> AnyBackend:
        """The backend to plan with where its key or its table is missing: it says what would be sent, and sends nothing.

        Raises ConfigError, and NotFound for a name that is no service's.
        """
        from batchtui.backends.registry import build
        from batchtui.text import Secret

        try:
            table = {"kind": name} if self.lacks_table(name) else self.config.backend(name).table
            return build(name, table, Secret("a key that is never sent"))
        except ConfigError as fault:
            raise placed(fault, self.config.path) from None

    def fresh(self, name: str) -> AnyBackend:
        """An instance of its own, which the caller closes. Raises ConfigError."""
        from batchtui.backends.registry import build

        configured = self.config.backend(name)
        if self._hidden is None:
            self._hidden = key_variables(self.config, self._env)
        try:
            return build(name, configured.table, resolve_key(configured, self._env), self._hidden)
        except ConfigError as fault:
            raise placed(fault, self.config.path) from None

    async def close(self) -> None:
        """Let go of every connection, on the loop that used them."""
        for backend in self._built.values():
            with contextlib.suppress(Exception):
                await backend.close()
