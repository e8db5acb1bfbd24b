"""What a configuration holds once it is read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from batchtui.errors import ConfigError, NotFound, nearest
from batchtui.model import Json, LimitsSpec, Problem
from batchtui.text import cell

if TYPE_CHECKING:  # most configs name no price
    from batchtui.config.notify import Notify
    from batchtui.prices import Price

ENVIRONMENT = "environment"
BUILT_IN = "built in"


class BackendConfig(msgspec.Struct, kw_only=True, frozen=True):
    """One `[backends.NAME]`: the table as written, `kind` included; the kind decodes its own settings from it."""

    name: str
    kind: str
    table: dict[str, Json]
    origin: str
    """The config file's path, ENVIRONMENT or BUILT_IN."""


class Defaults(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`[defaults]`: what a batch that says nothing else takes."""

    backend: str | None = None
    """Of a batch that names none."""
    job: dict[str, Json] = {}
    """Keys of `[job]` that a batch does not say itself."""
    limits: LimitsSpec = msgspec.field(default_factory=LimitsSpec)
    """Keys of `[limits]` that a batch does not say itself."""


class ConfigLimits(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`[limits]`: what holds for all batches together."""

    cost_usd_per_day: float | None = None
    """US dollars that all batches and processes together may spend in a day, UTC."""


class Config(msgspec.Struct, kw_only=True):
    """Everything the user set, with what is wrong in it.

    `problems` holds fatal ones and warnings; those of one backend have a key that starts `backends.NAME`, and
    leave the other backends usable. Take a backend through `backend()`, which refuses what is broken.
    """

    path: Path
    exists: bool = False
    backends: dict[str, BackendConfig] = {}
    offered: dict[str, BackendConfig] = {}
    """Backends that need no table: every kind whose defaults suffice, and those the environment sets up."""
    defaults: Defaults = msgspec.field(default_factory=Defaults)
    prices: dict[str, Price] = {}
    limits: ConfigLimits = msgspec.field(default_factory=ConfigLimits)
    ui: dict[str, Json] = {}
    keys: dict[str, str] = {}
    settings: dict[str, Json] = {}
    """The app's own settings.toml; `ui` and `keys` hold it already, under the user's."""
    problems: list[Problem] = []
    notify: Notify | None = None
    """Whom to tell of what; None: nobody, or its table is at fault."""
    notices_written: dict[str, Json] = {}
    """`[notify]` as it stands in the file."""
    written: dict[str, Json] = {}
    """`[backends]` as it stands in the file, with the tables that are at fault."""
    broken: dict[str, list[Problem]] = {}
    """The fatal problems of each backend that is left out."""

    @property
    def warnings(self) -> list[Problem]:
        return [problem for problem in self.problems if not problem.fatal]

    def check(self) -> None:
        """Raises ConfigError for a fault that concerns every backend: syntax, defaults, limits, prices."""
        for problem in self.problems:
            if problem.fatal and not (problem.key or "").startswith("backends."):
                raise ConfigError(str(problem))

    def backend(self, name: str) -> BackendConfig:
        """The backend of that name, or the kind of that name where its defaults suffice.

        Raises ConfigError where its table or the whole file is at fault, NotFound where there is none.
        """
        self.check()
        if name in self.broken:
            raise ConfigError(str(self.broken[name][0]))
        found = self.backends.get(name) or self.offered.get(name)
        if found is None:
            raise NotFound(f'no backend "{cell(name)}" in {cell(self.path)}{nearest(name, self.names())}')
        return found

    def names(self) -> Iterable[str]:
        """Every name that `backend` knows, broken ones too."""
        return dict.fromkeys([*self.backends, *self.broken, *self.offered])
