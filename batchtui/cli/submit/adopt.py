"""`adopt`: take over a batch that was made elsewhere, and collect its results."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from batchtui.cli.shared import loading
from batchtui.cli.shared.drive import drive, report
from batchtui.cli.shared.phrases import OK, label
from batchtui.cli.shared.session import Session
from batchtui.cli.submit.remote import asked, remote_backend
from batchtui.errors import BadInput

if TYPE_CHECKING:
    from batchtui.engine.plan.compose.composition import Composition


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    parser.add_argument("backend", metavar="BACKEND", help="the backend where it lives")
    parser.add_argument(
        "remote_id", metavar="REMOTE_ID", help="its id there; `batchtui remote BACKEND` lists them"
    )
    parser.add_argument(
        "--source",
        metavar="FILE",
        help="the rows that its jobs were made of, or the batch file; joined by id",
    )
    parser.add_argument("--name", metavar="NAME", default="", help="what to call it here")
    parser.add_argument("--detach", action="store_true", help="take it over, print its id and return")


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    from batchtui.engine.adopt.adopting import adopt

    backend = remote_backend(session, args.backend)
    source = _source(args, session) if args.source else None
    try:
        question = adopt(session.library, backend, args.remote_id, source=source, name=args.name)
        adopted = asked(session, args.backend, question)
    finally:
        if source:
            source.files.close()
    folder, console = adopted.folder, session.console
    for note in adopted.notes:
        console.note(note)
    if args.detach:
        folder, reason = drive(session, folder, until=lambda current: bool(current.progress.submissions))
        if console.json:
            console.document({"id": folder.id})
        else:
            print(folder.id)
        if reason:
            console.error(f"it cannot go on by itself: {reason}; `batchtui status {folder.id}` shows more")
        return OK
    console.note(f"{label(folder.status())}: taken over from {args.backend}")
    folder, reason = drive(session, folder)
    return report(session, folder, reason)


def _source(args: argparse.Namespace, session: Session) -> Composition:
    """Raises BadInput where its rows cannot be read."""
    import msgspec

    from batchtui.engine.plan.compose.composition import Composition

    spec, base, files = loading.read(args.source)
    job = {key: value for key, value in spec.job.items() if key != "backend"}
    spec = msgspec.structs.replace(spec, backend=args.backend, job=job)
    source = Composition(spec, base, session.backends, None, args.source, files)
    if fatal := [problem for problem in source.problems if problem.fatal]:
        raise BadInput(str(fatal[0]))
    return source
