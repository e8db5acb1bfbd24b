"""What one command works with: its console, the configuration and the batches, each opened when first needed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from batchtui.cli.console import Console

if TYPE_CHECKING:
    from batchtui.config import Config
    from batchtui.engine.pool import Backends
    from batchtui.store.library import Library


@dataclass
class Session:
    console: Console
    data_dir_option: str | None = None
    config_option: str | None = None

    @cached_property
    def config(self) -> Config:
        """What is wrong in it is said here once; a backend that is at fault is refused when it is asked for."""
        from batchtui.config import load_config

        config = load_config(Path(self.config_option) if self.config_option else None, env=os.environ)
        for problem in config.problems:
            (self.console.note if problem.fatal else self.console.more)(f"warning: {problem}")
        return config

    @cached_property
    def data_dir(self) -> Path:
        from batchtui.config import data_dir

        return data_dir(self.data_dir_option)

    @cached_property
    def library(self) -> Library:
        from batchtui.store.library import Library

        return Library(self.data_dir)

    @cached_property
    def backends(self) -> Backends:
        """Raises ConfigError for a fault that concerns every backend."""
        from batchtui.engine.pool import Backends

        self.config.check()
        return Backends(self.config)
