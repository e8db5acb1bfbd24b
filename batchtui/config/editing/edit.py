"""Adding to the user's config without touching a letter of what stands there."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from batchtui.config.checks import backend_problems
from batchtui.config.plug_ins import KNOWN_KINDS
from batchtui.durable import make_folder
from batchtui.errors import ConfigError
from batchtui.model import Json
from batchtui.text import cell
from batchtui.toml_file import dump_toml, parse_toml, read_text, replace_file

STARTER = """\
# batchtui: your backends, defaults and limits. Every line here is an example; take away the # to use it.
# Keys never stand in this file: name the variable, the command or the keyring entry that holds one.

# [backends.openai]
# kind = "openai"
# api_key_env = "OPENAI_API_KEY"
# # api_key_command = ["pass", "show", "openai"]
# # api_key_keyring = "batchtui/openai"

# [backends.vllm]                     # any server that speaks chat completions
# kind = "chat"
# base_url = "http://127.0.0.1:8000/v1"

# [defaults]
# backend = "openai"
# [defaults.job]
# max_tokens = 500
# [defaults.limits]
# cost_usd = 5.0

# [limits]
# cost_usd_per_day = 20.0             # all batches together

# [notify]                            # being told; `batchtui help notices`
# bell = true
# webhook = "env:SLACK_HOOK"
# on = ["ended", "person"]

# [prices."my-model"]                 # USD per million tokens
# input = 0.5
# output = 1.5
# cached_input = 0.05                 # and cache_write, where they differ from input
# max_output = 32000                  # the most tokens of one answer, to keep a limit where max_tokens is not set
# batch = 0.5                         # the factor in a provider's batch
"""


def append_backend(
    path: Path, name: str, table: dict[str, Json], kinds: Collection[str] = KNOWN_KINDS
) -> str:
    """Add `[backends.NAME]` at the end of the file (made where there is none) and return the added text.

    The new text is parsed and must say exactly what the old did and this table, before it replaces the file.
    Raises ConfigError, and leaves the file as it is, for a table that is wrong or a name that is taken.
    """
    where = cell(path)
    for problem in backend_problems(name, table, kinds, where):
        if problem.fatal:
            raise ConfigError(str(problem))
    exists = path.exists()
    before = read_text(path, ConfigError) if exists else ""
    data = parse_toml(before, where, ConfigError)
    backends = data.get("backends", {})
    if not isinstance(backends, dict):
        raise ConfigError(f"{where}: backends: expected a table; mend it before adding another")
    if name in backends:
        raise ConfigError(f"{where}: backends.{cell(name, 40)} is there already; choose another name")
    added = dump_toml({"backends": {name: table}})
    gap = "" if not before or before.endswith("\n\n") else "\n" if before.endswith("\n") else "\n\n"
    text = before + gap + added
    if parse_toml(text, where, ConfigError) != data | {"backends": backends | {name: table}}:
        raise ConfigError(
            f"{where}: cannot be added to safely; write [backends.{cell(name, 40)}] there by hand"
        )
    stands = path.read_bytes() if exists else b""
    _write(path, stands + (gap + added).replace("\n", "\r\n" if b"\r\n" in stands else "\n").encode())
    return added


def init_config(path: Path) -> bool:
    """Write a commented starter file, mode 0600; False, and nothing written, where one exists."""
    if path.exists():
        return False
    _write(path, STARTER.encode())
    return True


def _write(path: Path, data: bytes) -> None:
    try:
        make_folder(path.parent)
        replace_file(Path(os.path.realpath(path)), data, 0o600)
    except OSError as fault:
        raise ConfigError(f"{cell(path)}: cannot be written ({fault.strerror})") from None
