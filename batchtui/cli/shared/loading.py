"""What `run` and `check` are given: a batch file, or a bare source with a backend and settings on the line."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from batchtui.errors import BadInput
from batchtui.model import BatchSpec, Problem


class Loaded(NamedTuple):
    spec: BatchSpec
    base: Path
    """The folder that the batch's paths start from."""
    where: str
    """Its name in messages."""
    stdin: BinaryIO | None
    files: Path
    """The folder that paths in rows and jobs start from: the batch file's, of a bare source its own."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", metavar="FILE", help='a batch file (.toml), or a source of rows; "-" is stdin'
    )
    parser.add_argument("--backend", metavar="NAME", help="where the jobs run")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE",
        help="a setting over the batch file, such as job.model=…; may be given again",
    )  # fmt: skip
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask about cost")
    parser.add_argument(
        "--canary", type=int, metavar="N", help="send the first N jobs, and the rest once they are released"
    )
    parser.add_argument(
        "--again", action="store_true", help="send paid work again that an earlier batch sent already"
    )
    parser.add_argument("--trust", action="store_true", help="do not ask about a batch file from elsewhere")


def read(file: str, faults: list[Problem] | None = None) -> tuple[BatchSpec, Path, Path]:
    """The batch of a batch file or a bare source, `base` and `files` of Loaded. Raises BadInput.

    With `faults` a batch file whose keys are wrong is what is left of it without them, and they are told there.
    """
    from batchtui import batchfile

    path = Path(file)
    folder = path.absolute() if path.is_dir() else path.absolute().parent
    if batchfile.is_batch_file(file):
        try:
            return batchfile.load(path), folder, folder
        except batchfile.Misshapen as fault:
            if faults is None or fault.spec is None:
                raise
            faults += fault.faults
            return fault.spec, folder, folder
    return batchfile.bare_source(file), Path.cwd(), Path.cwd() if file == "-" else folder


def load(args: argparse.Namespace, faults: list[Problem] | None = None) -> Loaded:
    """Raises BadInput with file, line and key; `faults` as of `read`."""
    from batchtui import batchfile

    if not batchfile.is_batch_file(args.file) and args.file != "-" and not Path(args.file).exists():
        raise BadInput(f"{args.file}: no such file")
    spec, base, files = read(args.file, faults)
    spec = batchfile.apply_sets(spec, args.set)
    if args.backend:  # over all that the batch file says of backends
        job = {key: value for key, value in spec.job.items() if key != "backend"}
        spec = msgspec.structs.replace(spec, backend=args.backend, job=job)
    if args.canary is not None:
        limits = msgspec.structs.replace(spec.limits, canary=args.canary)
        spec = msgspec.structs.replace(spec, limits=limits)
    reads_stdin = spec.source is not None and spec.source.file == "-"
    if reads_stdin and sys.stdin.isatty():
        raise BadInput("the source is stdin, and stdin is the terminal; give a file or pipe the rows in")
    return Loaded(spec, base, args.file, sys.stdin.buffer if reads_stdin else None, files)
