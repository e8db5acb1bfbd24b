"""`bundle`: a batch in one file, to be taken to another machine. It holds no keys, and is for `import` to read."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from batchtui.cli.shared.arguments import batch_id
from batchtui.cli.shared.phrases import OK, label
from batchtui.cli.shared.session import Session
from batchtui.model import Json
from batchtui.store.bundles.manifest import Manifest
from batchtui.store.files.lock import holder
from batchtui.text import cell

_SHOWN = 3


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    batch_id(parser)
    parser.add_argument(
        "--out", metavar="FILE", required=True, help="where to write it; what is there is replaced"
    )


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    from batchtui.engine.manage.bundling import bundle

    folder = session.library.find(args.id)
    manifest = bundle(folder, Path(args.out), session.backends)
    console = session.console
    if console.json:
        console.document(_document(args.out, manifest))
    else:
        print(args.out)
    console.note(
        f"{label(folder.status())}: {_taken(manifest)}; `batchtui import {cell(args.out)}` takes it in"
    )
    if holder(folder.path):
        console.note(
            f"it is being driven: this is how it stood at {manifest.as_of}; what comes after is not in it"
        )
    if manifest.left:
        shown = ", ".join(cell(one, 100) for one in manifest.left[:_SHOWN])
        console.note(f"not in it, since they lie outside the batch's folder or are not there: {shown}"
                     + (f" and {len(manifest.left) - _SHOWN:,} more" if len(manifest.left) > _SHOWN else ""))  # fmt: skip
    return OK


def _taken(manifest: Manifest) -> str:
    """`jobs, journal, results, 4 files of the backend's words, 2 files that its jobs bring`."""
    names = [part.name for part in manifest.parts]
    said = [word for file, word in (("jobs.jsonl", "jobs"), ("events.jsonl", "journal"), ("results.jsonl", "results"))
            if file in names]  # fmt: skip
    for folder, words in (
        ("raw/", "of what a backend said"),
        ("tables/", "of its tables"),
        ("files/", "that jobs bring"),
    ):
        if count := sum(one.startswith(folder) for one in names):
            said.append(f"{count:,} {'file' if count == 1 else 'files'} {words}")
    return ", ".join(said)


def _document(path: str, manifest: Manifest) -> Json:
    return {
        "id": manifest.batch,
        "name": manifest.name,
        "path": path,
        "as_of": manifest.as_of,
        "bytes": os.path.getsize(path),
        "files": [part.name for part in manifest.parts],
        "left": manifest.left,
    }
