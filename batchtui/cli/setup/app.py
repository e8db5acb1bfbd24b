"""`open`, `new` and no command at all: the app."""

from __future__ import annotations

import argparse
import gc
from pathlib import Path

from batchtui.cli.shared.console import no_app
from batchtui.cli.shared.session import Session
from batchtui.errors import BadInput


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    if command == "new":
        parser.add_argument("file", metavar="FILE", nargs="?", help="a batch file or a source of rows")
    else:
        parser.add_argument("id", metavar="ID", nargs="?", help="the batch to open")
        parser.add_argument(
            "--read-only",
            action="store_true",
            help="look only: nothing is sent, no batch is driven or changed; keys that would do so say so",
        )


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    if reason := no_app():
        session.console.error(f"batchtui: {reason}")
        return BadInput.exit_code
    new_from = Path(args.file) if getattr(args, "file", None) else None
    if new_from and not new_from.exists():
        raise BadInput(f"{new_from}: no such file")
    open_batch = session.library.find(args.id).id if getattr(args, "id", None) else None
    config, data_dir = session.config, session.data_dir
    gc.disable()  # nothing of what is imported now is garbage; the app turns it on again after its first paint
    from batchtui.tui.run import run_app

    drive = not getattr(args, "read_only", False)
    return run_app(config=config, data_dir=data_dir, open_batch=open_batch, new_from=new_from, drive=drive)
