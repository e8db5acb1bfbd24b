"""`completion`: the script that completes commands and options in a shell."""

from __future__ import annotations

import argparse

from batchtui.cli.shared.session import Session

SHELLS = ("bash", "zsh", "fish")
_INSTALL = {
    "bash": "batchtui completion bash > ~/.local/share/bash-completion/completions/batchtui",
    "zsh": "batchtui completion zsh > a folder of $fpath, as _batchtui",
    "fish": "batchtui completion fish > ~/.config/fish/completions/batchtui.fish",
}


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS, help="your shell")


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    import shtab

    from batchtui.cli.dispatch import full_parser

    script = shtab.complete(full_parser(), shell=args.shell)
    if session.console.json:
        session.console.document({"shell": args.shell, "script": script})
    else:
        print(script)
    session.console.more(f"to install: {_INSTALL[args.shell]}")
    return 0
