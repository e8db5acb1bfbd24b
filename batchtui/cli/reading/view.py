"""`view`: tables and pictures over a batch's results, in the terminal or as a file."""

from __future__ import annotations

import argparse
import shutil
import sys

from batchtui.amounts import counted
from batchtui.cli.shared.arguments import batch_id
from batchtui.cli.shared.console import is_terminal
from batchtui.cli.shared.session import Session
from batchtui.errors import BadInput
from batchtui.masking import mask
from batchtui.results.views.shapes import View
from batchtui.text import cell, clean

PICTURE_LINES = 18
TABLE_ROWS = 1000
FORMATS = ("table", "csv", "parquet", "markdown", "svg")
NARROWEST, WIDEST = 20, 1000


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    batch_id(parser)
    parser.add_argument("name", metavar="NAME", nargs="?", help="which view; left out: list what there is")
    parser.add_argument("--x", metavar="COLUMN", help="the column along the picture, such as row.gcr")
    parser.add_argument("--y", metavar="COLUMN", help="the column that is drawn")
    parser.add_argument("--job", metavar="JOB", action="append", default=[],
                        help="only about this job; two of them are compared, where the view can")  # fmt: skip
    parser.add_argument(
        "--row", metavar="ROW", help='what the view is about: for flows an outage, such as "104 base"'
    )
    parser.add_argument(
        "--format", choices=FORMATS, help="default: by the file's name; else table and picture as text"
    )
    parser.add_argument("--out", metavar="PATH", help="write to this file: .csv .parquet .md .svg")
    parser.add_argument(
        "--width", metavar="N", type=int, help="characters of the picture; default: the terminal's, else 100"
    )
    parser.add_argument("--raw", action="store_true",
                        help="leave CSV cells as they are, also those that a spreadsheet would run")  # fmt: skip


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    from batchtui.results.views import registry
    from batchtui.results.views.options import Options

    folder, console = session.library.find(args.id), session.console
    if args.name is None:
        known = registry.names(folder)
        if console.json:
            for name, title in known:
                console.document({"name": name, "title": title})
        else:
            console.table(("NAME", "SHOWS"), known)
        return 0
    if len(args.job) > 2:
        raise BadInput("--job takes one job, or two to compare them")
    show(registry.build(folder, args.name, Options(tuple(args.job), args.x, args.y, args.row)), args, session)
    return 0


def show(view: View, args: argparse.Namespace, session: Session) -> None:
    """The view in the form that was asked for. Raises BadInput."""
    from batchtui.results.views import export

    width = args.width or (shutil.get_terminal_size().columns if is_terminal(sys.stdout) else export.WIDTH)
    if not NARROWEST <= width <= WIDEST:
        raise BadInput(f"--width: from {NARROWEST} to {WIDEST} characters, got {width}")
    if args.out and args.out != "-":
        if args.format == "table":
            raise BadInput(
                f"a table is for the terminal; name a file format, one of {', '.join(export.FORMATS)}"
            )
        rows = export.write_view(
            view, args.out, format=args.format, width=args.width or export.WIDTH, raw=args.raw
        )
        if session.console.json:
            session.console.document({"path": args.out, "rows": rows})
        session.console.note(f"{counted(rows, 'row')} written to {args.out}")
    elif args.format == "parquet":
        raise BadInput("Parquet goes to a file; name it with --out")
    elif args.format in ("csv", "markdown", "svg"):
        if not is_terminal(sys.stdout):
            sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="")  # type: ignore[union-attr]
        text = {"csv": lambda: export.csv_text(view, raw=args.raw), "markdown": lambda: export.markdown(view, width),
                "svg": lambda: export.svg(view, width)}[args.format]()  # fmt: skip
        sys.stdout.write(clean(mask(text.replace("\r\n", "\n"))) if is_terminal(sys.stdout) else text)
    elif session.console.json:
        session.console.document(export.document(view))
    else:
        _print(view, width, session)


def _print(view: View, width: int, session: Session) -> None:
    """Table first, so that the picture stays in sight."""
    from rich.console import Console as Paper

    from batchtui.results.views.drawings.picture import draw, natural_height
    from batchtui.results.views.export import table_text
    from batchtui.results.views.figures import facts_line

    console = session.console
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower()
    ascii_only = not encoding.startswith("utf")
    paper = Paper(width=width, no_color=not console.colored, color_system="auto" if console.colored else None,
                  highlight=False, markup=False, emoji=False, soft_wrap=True)  # fmt: skip
    paper.print(cell(view.title), style="bold")
    if view.facts:
        paper.print(facts_line(view))
    for line in table_text(view.table, width, TABLE_ROWS):
        paper.print(line)
    if view.picture:
        paper.print()
        height = min(natural_height(view.picture, PICTURE_LINES), 60)
        paper.print(draw(view.picture, width, height, ascii_only=ascii_only))
