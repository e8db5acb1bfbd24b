"""`diff`: two batches over the same jobs, or two jobs of one batch."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from batchtui.cli.reading import view as view_command
from batchtui.cli.shared.session import Session
from batchtui.errors import BadInput
from batchtui.model import Json

if TYPE_CHECKING:
    from batchtui.results.views.compare import Comparison


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="a batch: its id, any beginning of it, or its name")
    parser.add_argument("other", metavar="ID", nargs="?", help="the batch that is compared with it")
    parser.add_argument("--job", metavar="JOB", action="append", default=[],
                        help="given twice: these two jobs of the one batch")  # fmt: skip
    parser.add_argument(
        "--field", metavar="FIELD", help="only this field's differences, such as output.loss_mw"
    )
    parser.add_argument(
        "--view", metavar="NAME", help="another comparison than of results: buses or branches of scenarios"
    )
    parser.add_argument(
        "--format", choices=view_command.FORMATS, help="default: by the file's name; else a table"
    )
    parser.add_argument("--out", metavar="PATH", help="write to this file: .csv .parquet .md .svg")
    parser.add_argument(
        "--width", metavar="N", type=int, help="characters of a line; default: the terminal's, else 100"
    )
    parser.add_argument("--raw", action="store_true",
                        help="leave CSV cells as they are, also those that a spreadsheet would run")  # fmt: skip


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    from batchtui.results.views import compare, side_by_side

    folder = session.library.find(args.id)
    if args.job:
        if args.other or len(args.job) != 2:
            raise BadInput("either two batches, or one batch and two jobs: `diff ID --job A --job B`")
        if option := "--field" if args.field else "--view" if args.view else "":
            raise BadInput(f"{option} is for two batches; two jobs are compared in every field")
        view_command.show(side_by_side.fields(folder, *args.job), args, session)
        return 0
    if not args.other:
        raise BadInput("name the batch to compare with, or two jobs of this one with --job A --job B")
    other = session.library.find(args.other)
    if other.id == folder.id:
        raise BadInput(f"both are batch {folder.id}; name two batches, or two jobs with --job A --job B")
    if args.view:
        from batchtui.results.views import registry
        from batchtui.results.views.options import Options

        view_command.show(
            registry.build_of_two(folder, other, args.view, Options(y=args.field)), args, session
        )
        return 0
    found = compare.batches(folder, other, wanted=args.field)
    if session.console.json and not args.out and args.format in (None, "table"):
        session.console.document(_document(found, folder.id, other.id))
    else:
        view_command.show(compare.view(found), args, session)
    return 0


def _document(found: Comparison, first: str, second: str) -> dict[str, Json]:
    """The whole comparison, differences largest first."""
    return {
        "a": {"id": first, "name": found.a},
        "b": {"id": second, "name": found.b},
        "jobs": found.jobs,
        "only_a": found.only_a,
        "only_b": found.only_b,
        "state_changes": found.state_changes,
        "states": [{"job_id": one.job_id, "a": one.a, "b": one.b} for one in found.states],
        "answers": {"equal": found.equal_answers, "different": found.different_answers,
                    "job_ids": [one.job_id for one in found.answers]},
        "fields": [
            {"field": name, "jobs": held.jobs, "differ": held.differ, "largest": held.largest}
            for name, held in found.fields.items()
        ],
        "differences": [
            {"job_id": one.job_id, "field": one.field, "a": one.a, "b": one.b, "difference": one.difference}
            for one in found.numbers()
        ],
    }  # fmt: skip
