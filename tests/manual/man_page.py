"""The man page, made from the tables of commands and exit codes as the manual's reference pages are.

`python -m tests.manual.reference` writes it; the wheel puts it where `man batchtui` looks.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import batchtui
from batchtui import exit_codes
from batchtui.cli.commands import COMMANDS
from batchtui.cli.dispatch import command_parser

FILE = Path(batchtui.__file__).parent / "manual/batchtui.1"


def man_page() -> str:
    parts = [
        '.TH BATCHTUI 1 "" "batchtui" "User commands"',
        ".SH NAME\nbatchtui \\- one terminal for every batch",
        ".SH SYNOPSIS\n.B batchtui\n[COMMAND] [OPTIONS]",
        ".SH DESCRIPTION\nWithout a command it opens the app. The whole manual comes along:\n.B batchtui help\n"
        "lists its pages.",
        ".SH COMMANDS",
    ]
    common: dict[str, str] = {}
    for name, entry in COMMANDS.items():
        parser = command_parser(name)
        takes = " ".join(_taken(action) for action in parser._actions if not action.option_strings)
        parts.append(
            f".SS {_roff(f'{name} {takes}'.rstrip())}\n{_roff(entry.summary[:1].upper() + entry.summary[1:])}."
        )
        for group in parser._action_groups:
            for action in group._group_actions:
                if not action.option_strings or action.dest == "help":
                    continue
                if group.title == "common options":
                    common[_option(action)] = str(action.help)
                else:
                    parts.append(_item(_option(action), str(action.help)))
    parts.append(".SH OPTIONS OF EVERY COMMAND")
    parts += [_item(option, words) for option, words in common.items()]
    parts.append(".SH EXIT STATUS")
    parts += [_item(str(code.value), words) for code, words in exit_codes.WORDS.items()]
    return "\n".join(parts) + "\n"


def _item(head: str, words: str) -> str:
    return f".TP\n.B {_roff(head)}\n{_roff(words)}"


def _taken(action: argparse.Action) -> str:
    return (
        action.metavar
        if isinstance(action.metavar, str)
        else "/".join(map(str, action.choices or [action.dest]))
    )


def _option(action: argparse.Action) -> str:
    names = ", ".join(action.option_strings)
    return names if action.nargs == 0 else f"{names} {_value(action)}"


def _value(action: argparse.Action) -> str:
    return (
        action.metavar
        if isinstance(action.metavar, str)
        else ",".join(map(str, action.choices or [action.dest.upper()]))
    )


def _roff(text: str) -> str:
    """As it stands: no word of it is a request, and a dash is the one that is typed."""
    plain = text.replace("\\", "\\e").replace("-", "\\-")
    plain = "".join(one if one.isascii() else f"\\[u{ord(one):04X}]" for one in plain)
    return f"\\&{plain}" if plain.startswith((".", "'")) else plain
