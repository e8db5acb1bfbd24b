"""What a message tells one to type is a command as it stands, with the options that it takes."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import batchtui
from batchtui import manual
from batchtui.cli.commands import COMMANDS
from batchtui.cli.control.act import RESOLUTIONS
from batchtui.cli.dispatch import command_parser
from batchtui.cli.shared.arguments import split_command
from batchtui.cli.shared.phrases import answer

SOURCE = Path(batchtui.__file__).parent
TOLD = re.compile(r"`batchtui ([a-z-][^`\n]*)`")
NEEDS_A_NAME = " missing; "
"""Of a command that a sentence only names, such as `batchtui rm`."""
UNKNOWN = "VALUE"
"""Stands for what the program fills in: a name, a number, a word of its own."""


def texts(tree: ast.AST) -> Iterator[str]:
    """Every text of the code, docstrings too, with what it fills in as UNKNOWN."""
    pieces = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if id(node) in pieces:
            continue
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else UNKNOWN for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def told() -> dict[str, str]:
    """Each command that is told, with a file that tells it."""
    found: dict[str, str] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        for text in texts(ast.parse(path.read_text("utf-8"))):
            for command in TOLD.findall(text):
                found.setdefault(" ".join(command.split()), str(path.relative_to(SOURCE)))
    for name in manual.names():
        if name == "commands":  # made from the parsers themselves, with all their choices
            continue
        for command in TOLD.findall(manual.page(name).text):
            found.setdefault(" ".join(command.split()), f"manual/{name}.md")
    return found


def words_of(command: str) -> list[str]:
    """Its words; `[NAME]`, `…` and the like are what a reader fills in or leaves out."""
    plain = re.sub(r"\[[^\]]*\]|…", "", command)
    return [word for word in shlex.split(plain) if word != "2>"]


def refusal(command: str) -> str | None:
    """Why the parser does not take it; None where it does."""
    words = words_of(command)
    name, rest = split_command(words)
    if name is None:
        return None if words else "nothing is named"
    if name in ("COMMAND", UNKNOWN, "[COMMAND]"):
        return None
    if name not in COMMANDS:
        return f"there is no command {name}"
    if "--help" in rest:
        return None
    try:
        command_parser(name).read(rest, {})
    except Exception as fault:  # whatever it says is what is wrong
        return (
            None if all(word.startswith("-") for word in rest) and NEEDS_A_NAME in str(fault) else str(fault)
        )
    return None


def bare() -> dict[str, str]:
    """Commands that a text tells without marks around them, with the words behind them, and a file that tells each."""
    verbs = "|".join(sorted(COMMANDS, key=len, reverse=True))
    plain = re.compile(rf"(?<![`\w./-])batchtui ((?:{verbs})\b[^;,\n]*)")
    found: dict[str, str] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        docs = {node.value.value for node in ast.walk(tree)
                if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)}  # fmt: skip
        for text in texts(tree):
            if text not in docs:
                for command in plain.findall(re.sub(r"`[^`]*`", "", text)):
                    found.setdefault(command.strip(), str(path.relative_to(SOURCE)))
    return found


def takes_a_beginning(command: str) -> bool:
    """Whether the parser takes these words, or as many of them as are no sentence yet."""
    words = command.replace("…", "9").replace("--submission VALUE", "--submission 1").split()
    return any(
        refusal(" ".join(words[:count])) is None for count in range(len(words), min(len(words), 2) - 1, -1)
    )


FILLED_IN = {"resolve VALUEVALUE VALUE", "resolve VALUE VALUE"}
"""Answers to what needs a person: tests/engine and `test_every_answer_is_a_command` hold them."""


def test_what_is_told_without_marks_can_be_typed_too() -> None:
    told = {command: where for command, where in bare().items() if command not in FILLED_IN}
    assert len(told) > 10
    assert {where: command for command, where in told.items() if not takes_a_beginning(command)} == {}


def test_every_answer_is_a_command() -> None:
    actions = {"limit", "resume", *RESOLUTIONS}
    told = {action: answer("abcdef", action, 1, 2.5) for action in actions}
    assert {action: words for action, words in told.items() if refusal(words.removeprefix("batchtui "))} == {}
    asked = set(
        re.findall(r"actions\"?[=:] ?\[([^\]]*)\]", " ".join(p.read_text() for p in SOURCE.rglob("*.py")))
    )
    words = {word for group in asked for word in re.findall(r'"([a-z-]+)"', group)}
    assert {"limit", "resend", "release"} <= words <= actions


def test_messages_tell_commands() -> None:
    assert len(told()) > 40


def test_what_is_told_can_be_typed() -> None:
    faults = {
        f"{where}: {command}": fault for command, where in told().items() if (fault := refusal(command))
    }
    assert faults == {}


def test_what_cannot_be_typed_would_be_found() -> None:
    assert refusal("resolve ID limit")
    assert refusal("frobnicate")
    assert not takes_a_beginning("resolve ID limit")
    assert refusal("config add openai --api-key x")
    assert refusal("config add openai --key-env X") is None
