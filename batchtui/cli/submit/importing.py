"""`import`: take in what another program or machine left behind."""

from __future__ import annotations

import argparse
from pathlib import Path

from batchtui.amounts import counted
from batchtui.cli.shared.phrases import OK, counts, is_over, label, money
from batchtui.cli.shared.session import Session
from batchtui.cli.submit import trust
from batchtui.errors import BadInput
from batchtui.store.bundles.unpacking import is_bundle


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "path",
        metavar="PATH",
        help="a file that `bundle` wrote, a batchata results folder, or its state file",
    )
    parser.add_argument("--backend", metavar="NAME", help="where jobs that are still to be sent would run")
    parser.add_argument("--name", metavar="NAME", default="", help="what to call it here")
    parser.add_argument(
        "--trust", action="store_true", help="do not ask about what its jobs would run, upload or read"
    )


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    from batchtui.engine.manage import importing

    path = Path(args.path)
    if not path.exists():
        raise BadInput(f"{args.path}: no such file or folder")
    if is_bundle(path):
        return _bundle(path, args, session)
    found = importing.read(path)
    imported = importing.make(
        found,
        path,
        session.library,
        session.backends,
        backend=args.backend,
        name=args.name,
        agree=lambda reach: trust.agree(args.path, reach, session, trusted=args.trust),
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
    if status.cost_limit_usd is not None:
        console.note(f"its cost limit is {money(status.cost_limit_usd)}, as it was")
    if imported.pending:
        console.note(
            f"{counted(imported.pending, 'job')} {'was' if imported.pending == 1 else 'were'} never sent; "
            f"`batchtui resume {folder.id}` sends {'it' if imported.pending == 1 else 'them'}"
        )
    return OK


def _bundle(path: Path, args: argparse.Namespace, session: Session) -> int:
    from batchtui.engine.manage.bundling import take_in

    if args.backend or args.name:
        raise BadInput(
            "a bundle is taken in as it is, with its name and its backends: leave out --backend and --name"
        )
    folder, notes = take_in(
        path,
        session.library,
        session.backends,
        agree=lambda reach: trust.agree(args.path, reach, session, trusted=args.trust),
    )
    console = session.console
    for note in notes:
        console.note(note)
    status = folder.status()
    if console.json:
        console.document(status)
    else:
        print(folder.id)
    console.note(f"{label(status)}: {counts(status)}")
    if is_over(status):
        console.note(f"it has ended; `batchtui results {folder.id}` reads it")
    else:
        console.note(
            f"it is only followed from here: `batchtui resume {folder.id}` collects what was sent, "
            f"`batchtui resolve {folder.id} take-over` sends the rest from here"
        )
    return OK
