"""batch.json: what a batch is, small, replaced atomically."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from batchtui.errors import StoreDamaged
from batchtui.model import BatchSpec, Json
from batchtui.store.lines import replace_file

SCHEMA = 1


class BatchHeader(msgspec.Struct, kw_only=True):
    """The batch's own facts and flags. `template` is `[job]` as the source completes it; jobs are rendered from it."""

    schema: int = SCHEMA
    id: str
    name: str
    backend: str
    kind: str
    remote: bool
    created: str
    total: int
    spec: BatchSpec
    template: dict[str, Json]
    template_hash: str
    base: str
    """Folder that relative paths of the batch file start from."""
    accounts: dict[str, str] = {}
    """Fingerprint of the account by backend: a batch is not followed with another account's key."""
    estimated_usd: float | None = None
    paused: bool = False
    cancelling: bool = False
    stopping: str | None = None
    """`error_policy` or `time_limit`, once that has ended the sending."""
    archived: bool = False
    tags: list[str] = []


def read_header(folder: Path) -> BatchHeader:
    """Raises StoreDamaged, with the file's name, for a header that is missing, damaged or newer than this program."""
    path = folder / "batch.json"
    try:
        raw = json.loads(path.read_bytes())
        if isinstance(raw, dict) and isinstance(raw.get("schema"), int) and raw["schema"] > SCHEMA:
            raise StoreDamaged(
                f"{path}: written by a newer batchtui (schema {raw['schema']}); update to read it"
            )
        return msgspec.convert(raw, BatchHeader)
    except FileNotFoundError:
        raise StoreDamaged(f"{path}: missing") from None
    except (OSError, ValueError, RecursionError, msgspec.ValidationError) as fault:
        raise StoreDamaged(f"{path}: cannot be read ({fault}); it is left as it is") from fault


def write_header(folder: Path, header: BatchHeader) -> None:
    data = json.dumps(msgspec.to_builtins(header), indent=1).encode() + b"\n"
    replace_file(folder / "batch.json", data)
