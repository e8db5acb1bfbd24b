"""`import`: take in what another program or machine left behind."""

from __future__ import annotations

import argparse
from pathlib import Path

from batchtui.cli.phrases import OK, counts, label
from batchtui.cli.session import Session
from batchtui.errors import BadInput


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="PATH", help="a batchata results folder, or its state file")
    parser.add_argument("--backend", metavar="NAME", help="where jobs that are still to be sent would run")
    parser.add_argument("--name", metavar="NAME", default="", help="what to call it here")


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    from batchtui.engine import importing

    path = Path(args.path)
    if not path.exists():
        raise BadInput(f"{args.path}: no such file or folder")
    found = importing.read(path)
    imported = importing.make(
        found, path, session.library, session.backends, backend=args.backend, name=args.name
    )
    console, folder = session.console, imported.folder
    for note in imported.notes:
        console.note(note)
    status = folder.status()
    if console.json:
        console.document(status)
    else:
        print(folder.id)
    console.note(f"{label(status)}: {counts(status)}")
    if imported.pending:
        console.note(f"{imported.pending:,} jobs were never sent; `batchtui resume {folder.id}` sends them")
    return OK
