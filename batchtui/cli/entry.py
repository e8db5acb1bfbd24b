"""Where the program starts and ends. `--version` imports nothing but this, so that it costs what bare Python costs."""

import contextlib
import os
import sys
from typing import NoReturn


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    if arguments in (["--version"], ["-V"]):
        from batchtui import __version__

        sys.stdout.write(f"batchtui {__version__}\n")
        return 0
    from batchtui.cli.dispatch import dispatch

    return dispatch(arguments)


def program() -> NoReturn:
    """`main` as a whole process: what was said is flushed, then it ends at once.

    An interpreter that is taken down in order pulls modules away under threads that still run, and the process dies
    by signal 11 in place of its exit code. What counts was committed before; a thread that is cut short here is one
    that a kill might have cut short as well.
    """
    code = 1
    try:
        code = main()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(AttributeError, OSError, ValueError):
                stream.flush()
        os._exit(code)
