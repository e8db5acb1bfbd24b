"""`help`: the manual's pages, and what each command takes."""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import shutil
import subprocess
import sys
from io import StringIO

from batchtui import manual
from batchtui.cli.commands import COMMANDS, overview
from batchtui.cli.shared.console import Console, is_terminal
from batchtui.cli.shared.session import Session
from batchtui.errors import BadInput, NotFound, nearest
from batchtui.text import cell

WIDEST = 100
"""Columns of a page: longer lines are hard to read."""


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    parser.add_argument("topic", nargs="?", metavar="TOPIC", help="a page of the manual, or a command")
    parser.add_argument("--search", metavar="WORDS", help="the lines of the manual that hold these words")


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    console = session.console
    if args.search:
        return _search(args.search, console)
    if args.topic is None:
        return _contents(console)
    if args.topic in manual.names():
        page = manual.page(args.topic)
        if console.json:
            console.document(page._asdict())
        else:
            _show(page.text, console)
        return 0
    if args.topic in COMMANDS:
        from batchtui.cli.dispatch import command_parser

        print(command_parser(args.topic).format_help(), end="")
        return 0
    known = [*manual.names(), *COMMANDS]
    raise BadInput(
        f'no page and no command "{cell(args.topic)}"{nearest(args.topic, known)}; `batchtui help` lists them, '
        "`batchtui help --search WORDS` looks into the pages"
    )


def _contents(console: Console) -> int:
    pages = [manual.page(name) for name in manual.names()]
    if console.json:
        for page in pages:
            console.document({"name": page.name, "title": page.title})
        return 0
    print(overview(), end="")
    print("\nPages of the manual, each by `batchtui help NAME`:")
    for page in pages:
        print(f"  {page.name:<20} {page.title}")
    return 0


def _search(words: str, console: Console) -> int:
    hits = manual.search(words)
    if not hits:
        raise NotFound(f'no page of the manual holds "{cell(words)}"; `batchtui help` lists them')
    if console.json:
        for hit in hits:
            console.document(hit._asdict())
        return 0
    console.table(("PAGE", "UNDER", "LINE"), [(hit.page, hit.heading, hit.text) for hit in hits])
    return 0


def _show(text: str, console: Console) -> None:
    """Drawn on a terminal, a page at a time where it is longer than the screen; elsewhere as it is written."""
    if not is_terminal(sys.stdout):
        print(text, end="")
        return
    drawn = _drawn(text, console)
    if drawn.count("\n") < shutil.get_terminal_size().lines or not console.can_ask:
        print(drawn, end="")
        return
    pager = shlex.split(os.environ.get("PAGER") or "less")
    try:
        with contextlib.suppress(BrokenPipeError):  # it was left before the end
            subprocess.run(pager, input=drawn, text=True, env={"LESS": "-FRX"} | os.environ, check=False)
    except OSError:  # there is no such pager
        print(drawn, end="")


def _drawn(text: str, console: Console) -> str:
    from rich.console import Console as RichConsole
    from rich.markdown import Markdown

    from batchtui.plain import only_ascii

    lines = StringIO()
    RichConsole(
        file=lines,
        width=min(shutil.get_terminal_size().columns, WIDEST),
        force_terminal=console.colored,
        no_color=not console.colored,
        legacy_windows=False,
        safe_box=only_ascii(),
    ).print(Markdown(text, hyperlinks=False))
    return lines.getvalue()
