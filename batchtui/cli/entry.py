"""Where the program starts. `--version` imports nothing but this, so that it costs what bare Python costs."""

import sys


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    if arguments in (["--version"], ["-V"]):
        from batchtui import __version__

        sys.stdout.write(f"batchtui {__version__}\n")
        return 0
    from batchtui.cli.dispatch import dispatch

    return dispatch(arguments)
