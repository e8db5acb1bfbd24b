"""batch.json: what a batch is, small, replaced atomically.

Every change of it is an event of the journal as well (`header`), so that the file can be made again from there.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import msgspec

from batchtui import typed
from batchtui.errors import StoreDamaged
from batchtui.model import BatchSpec, JobRecord, Json
from batchtui.store.disk.lines import replace_file
from batchtui.store.home import Home

SCHEMA = 1


class StoreNewer(StoreDamaged):
    """A later version wrote it: it may be read, and is neither changed nor mended here."""

    header: BatchHeader | None = None
    """What it says in the words of this version; None where it lacks some of them."""


class BatchHeader(msgspec.Struct, kw_only=True):
    """The batch's own facts and flags. `template` is `[job]` as the source completes it; jobs are rendered from it."""

    schema: int = SCHEMA
    seq: int = 0
    """The journal's sequence number of the newest change that this holds."""
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
    files: str | None = None
    """Folder that relative paths of jobs start from; None in older batches, where it is the source's."""
    accounts: dict[str, str] = {}
    """Fingerprint of the account by backend: a batch is not followed with another account's key."""
    templates: dict[str, dict[str, Json]] = {}
    """By backend, the template of jobs on another backend than the batch's own, where it differs."""
    answer_schema: dict[str, Json] | None = None
    """The JSON Schema that answers must fit, as it was when the batch was made."""
    answer_schemas: dict[str, dict[str, Json]] = {}
    """By name, those of jobs that choose their own."""
    own_folder: bool = False
    """`[output] dir` was not asked for: its source implies one, and this batch has a folder there that no other has."""
    estimated_usd: float | None = None
    adopted: str | None = None
    """The remote id of a submission that was not made here and is followed as the batch's first."""
    growing: bool = False
    """Jobs may yet be born: they are not known before their backend shows them, or before their results."""
    seeds: list[JobRecord] = []
    """What is sent, one to a submission, for the backend to bear jobs of; no jobs themselves."""
    joined: bool = False
    """Jobs were given after the batch was made: the last line of their file may be half written."""
    paused: bool = False
    released: bool = False
    """Whether the jobs behind `limits.canary` may go."""
    cancelling: bool = False
    unpriced_agreed: bool = False
    """A person agreed to send jobs whose price nobody knows, though a limit in dollars holds."""
    answer_tokens: int | None = None
    """The `max_tokens` that jobs which name none are sent with, so that a limit in dollars can be kept; a person agreed."""
    stopping: str | None = None
    """`error_policy` or `time_limit`, once that has ended the sending."""
    clock_shift: float = 0.0
    """Seconds by which the wall clock was set forward since the first submit, which count to no limit."""
    archived: bool = False
    follows: str | None = None
    """Why this store only follows what was sent: it is a copy, or lost what it knew; None: it may send."""
    taking_over: bool = False
    """A person decided that this store sends from now on: it does once it knows what lives at the backends."""
    shown: list[str] = []
    """Remote ids of what may be of this batch, as a person was shown them before a take-over."""
    adopting: list[str] = []
    """Remote ids that a person said are of this batch, until they are adopted."""
    home: Home | None = None
    """The files that the batch is driven from; None in batches of before that was told."""
    tags: list[str] = []

    @property
    def asked(self) -> BatchSpec:
        """The batch as it was asked for, to be made again: without the output folder that is this batch's own."""
        if not self.own_folder:
            return self.spec
        return msgspec.structs.replace(self.spec, output=msgspec.structs.replace(self.spec.output, dir=None))

    @property
    def charge_free(self) -> float | None:
        """0.0 where nothing is to pay for any job, such as for programs on this machine; None where that is not known."""
        return 0.0 if self.estimated_usd == 0 else None

    def template_of(self, backend: str | None) -> dict[str, Json]:
        """What jobs on this backend are rendered from; None: on the batch's own."""
        return self.templates.get(backend or self.backend, self.template)

    def schema_for(self, record: JobRecord) -> dict[str, Json] | None:
        """What this job's answer must fit; None: anything will do."""
        return self.answer_schemas.get(record.schema) if record.schema else self.answer_schema

    @property
    def backends(self) -> list[str]:
        """Every backend that jobs of this batch are for."""
        return list(self.accounts) or [self.backend]


def read_header(folder: Path) -> BatchHeader:
    """Raises StoreDamaged, with the file's name, for a header that is missing, damaged or newer than this program."""
    path = folder / "batch.json"
    data = b""
    try:
        data = path.read_bytes()
        raw = json.loads(data)
        schema = raw.get("schema") if isinstance(raw, dict) else SCHEMA
        if schema is None or schema is True or schema < SCHEMA:
            raise ValueError(
                f"schema {schema} is none of ours" if schema is not None else "no schema version"
            )
        if schema > SCHEMA:
            raise _newer(path, raw)
        header = typed.convert(raw, BatchHeader)
    except FileNotFoundError:
        raise StoreDamaged(f"{path}: missing", proves=True) from None
    except (OSError, ValueError, TypeError, RecursionError, msgspec.ValidationError) as fault:
        raise StoreDamaged(
            f"{path}: cannot be read ({_why(data) or fault}); it is left as it is", proves=True
        ) from fault
    return header


def _newer(path: Path, raw: dict[str, Json]) -> StoreNewer:
    newer = StoreNewer(f"{path}: written by a newer batchtui (schema {raw['schema']}); update to drive it")
    with contextlib.suppress(msgspec.ValidationError):
        newer.header = typed.convert(raw, BatchHeader)
    return newer


def _why(data: bytes) -> str | None:
    """What commonly happens to a file, in words; None where the parser's own are better."""
    if not data.strip():
        return "it is empty"
    if not data.strip(b"\0"):
        return "it holds only zero bytes"
    if data[:1] == b"{" and data.rstrip()[-1:] != b"}":
        return "it is cut off"
    return None


def write_header(folder: Path, header: BatchHeader) -> None:
    """Keys of the file that this program does not know are kept. Raises StoreFull."""
    document = _unknown_keys(folder) | msgspec.to_builtins(header)
    replace_file(folder / "batch.json", json.dumps(document, indent=1).encode() + b"\n")


def _unknown_keys(folder: Path) -> dict[str, Json]:
    try:
        raw = json.loads((folder / "batch.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    known = BatchHeader.__struct_fields__
    return {key: value for key, value in raw.items() if key not in known} if isinstance(raw, dict) else {}
