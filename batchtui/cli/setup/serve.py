"""`serve --web`: the app in a browser on this machine, or over an SSH forward."""

from __future__ import annotations

import argparse
import shlex
import sys

from batchtui.cli.shared.session import Session
from batchtui.errors import BadInput, ConfigError


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--web", action="store_true", help="to a browser, on 127.0.0.1, behind a token in the address"
    )
    parser.add_argument("--port", type=int, default=0, metavar="P", help="the port; 0 takes a free one")


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    if not args.web:
        raise BadInput("say what it serves to: --web, to a browser")
    try:
        from batchtui.tui import web
    except ImportError:
        raise ConfigError("`serve --web` needs the extra: pip install 'batchtui[browser]'") from None
    try:
        own = web.listening(args.port)
    except (OSError, OverflowError) as fault:
        raise BadInput(
            f"port {args.port}: {getattr(fault, 'strerror', None) or fault}; --port 0 takes a free one"
        ) from None
    app = [
        sys.executable,
        "-m",
        "batchtui",
        "open",
        "--data-dir",
        str(session.data_dir),
        "--config",
        str(session.config.path),
    ]

    server = web.TokenServer(shlex.join(app), own)
    print(server.address, flush=True)
    session.console.note(
        "open it in a browser; ctrl+c ends the server and the apps in it, and cancels nothing"
    )
    server.serve()
    return 0
