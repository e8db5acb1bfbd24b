"""`keys`: what the keys of the app do, and the ids by which `[keys]` of the configuration rebinds them."""

from __future__ import annotations

import argparse

from batchtui.cli.shared.session import Session


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    return


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    from batchtui.tui.actions.table import ACTIONS, shown_key

    console, own = session.console, session.config.keys
    rows = []
    for action in ACTIONS:
        keys = [key.strip() for key in own[action.id].split(",")] if action.id in own else list(action.keys)
        if console.json:
            console.document({
                "id": action.id, "keys": keys, "title": action.title, "help": action.help,
                "screens": action.screens, "changed": action.id in own,
            })  # fmt: skip
        rows.append((" ".join(map(shown_key, keys)), action.id, action.help, " ".join(action.screens)))
    if not console.json:
        console.table(("KEYS", "ID", "WHAT IT DOES", "SCREENS"), rows)
    return 0
