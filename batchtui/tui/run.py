"""Running the app in this terminal, and leaving it in order."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from batchtui.config import Config
from batchtui.exit_codes import Exit
from batchtui.tui import terminal
from batchtui.tui.actions import leaving
from batchtui.tui.app import BatchtuiApp


def run_app(
    *,
    config: Config,
    data_dir: Path,
    open_batch: str | None = None,
    new_from: Path | None = None,
    drive: bool = True,
    farewell: bool = True,
) -> int:
    """Run the app until the user leaves; its exit code. Without a terminal: one line on stderr, and 2.

    `farewell` tells, once the terminal is back, which batches are not finished.
    """
    if reason := terminal.missing():
        print(f"batchtui: {reason}", file=sys.stderr)
        return Exit.BAD_INPUT
    sys.setswitchinterval(0.001)
    app = BatchtuiApp(config, data_dir, open_batch=open_batch, new_from=new_from, drive=drive)
    try:
        app.run()
    finally:
        app.drafts.close()
        app.link.stop()
        if terminal.gone():
            os._exit(
                app.return_code or Exit.HUNG_UP
            )  # threads that read a dead terminal would keep the process
    if farewell and (words := leaving.last_words(app.link)):
        print(words, file=sys.stderr)
    app.ending.over()
    return app.return_code or 0
