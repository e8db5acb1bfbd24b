"""`example`: ready batches with their rows, to run and to change."""

from __future__ import annotations

import argparse
from pathlib import Path

from batchtui.cli.shared.session import Session
from batchtui.engine.plan.consent.trusted import Trusted
from batchtui.examples import examples, find, write


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="which one; left out: list what there is")
    parser.add_argument(
        "--into", metavar="DIR", default=".", help="make its folder in this one; default: here"
    )


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    console = session.console
    if args.name is None:
        if console.json:
            for example in examples():
                console.document(example._asdict())
        else:
            console.table(("NAME", "WHAT IT DOES"), [(example.name, example.about) for example in examples()])
            first = examples()[0]
            console.note(
                f"`batchtui example {first.name}` writes the first into a folder of its name, "
                f"`batchtui run {first.name}/{first.run}` runs it and shows an answer"
            )
        return 0
    written = write(args.name, Path(args.into))
    batch = Path(args.into) / args.name / find(args.name).run
    Trusted(session.data_dir).own(batch)
    if console.json:
        console.document({"name": args.name, "files": [str(path) for path in written]})
        return 0
    for path in written:
        console.out(str(path))
    console.note(
        f"`batchtui check {batch}` says what it would be, `batchtui run {batch}` runs it and shows an answer"
    )
    return 0
