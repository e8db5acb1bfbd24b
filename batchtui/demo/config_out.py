"""The config file that points at a demo server: one backend for each kind, and prices so that costs show."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import tomli_w

from batchtui.demo.world import PRICES
from batchtui.errors import ConfigError
from batchtui.model import Json


def config(backends: dict[str, dict[str, Json]]) -> dict[str, Json]:
    prices = {model: {"input": given, "output": made} for model, (given, made) in PRICES.items()}
    return {"backends": backends, "prices": prices}


def write_config(path: Path, backends: dict[str, dict[str, Json]]) -> None:
    """Replaces `path`, readable by its owner only. Raises ConfigError."""
    text = tomli_w.dumps(config(backends))
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # made with mode 0600
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
        Path(temporary).replace(path)
    except OSError as fault:
        raise ConfigError(
            f"{path}: cannot write the demo's config: {fault.strerror}; name a folder that exists"
        ) from None
