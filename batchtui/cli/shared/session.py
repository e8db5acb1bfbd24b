"""What one command works with: its console, the configuration and the batches, each opened when first needed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from batchtui.cli.shared.console import Console
from batchtui.masking import ask_later

if TYPE_CHECKING:
    from batchtui.config import Config
    from batchtui.engine.shared.pool import Backends
    from batchtui.store.library import Library


@dataclass
class Session:
    console: Console
    data_dir_option: str | None = None
    config_option: str | None = None

    def __post_init__(self) -> None:
        ask_later(self._key_values)

    def _key_values(self) -> Iterable[str]:
        """Read as far as that takes, for commands that need no configuration."""
        from batchtui.config.keys.key_variables import key_values
        from batchtui.config.paths import config_path
        from batchtui.toml_file import read_toml

        path = config_path(self.config_option)
        return key_values(read_toml(path) if path.exists() else {}, os.environ)

    @cached_property
    def config(self) -> Config:
        """What is wrong in it is said here once; a backend that is at fault is refused when it is asked for."""
        from batchtui.config import load_config

        config = load_config(Path(self.config_option) if self.config_option else None, env=os.environ)
        for problem in config.problems:
            told = problem.fatal or not config.exists  # a file that was named and is not there
            (self.console.note if told else self.console.more)(f"warning: {problem}")
        return config

    @cached_property
    def data_dir(self) -> Path:
        from batchtui.config import data_dir

        return data_dir(self.data_dir_option)

    @cached_property
    def library(self) -> Library:
        from batchtui.store.library import Library

        return Library(self.data_dir, self.console.note)

    @cached_property
    def backends(self) -> Backends:
        """Raises ConfigError for a fault that concerns every backend."""
        from batchtui.engine.shared.pool import Backends

        self.config.check()
        return Backends(self.config)
