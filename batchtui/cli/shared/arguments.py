"""What commands take: argparse with our words for mistakes, options everywhere, and a variable for every option."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NoReturn, TypeVar

from batchtui.errors import BadInput, nearest
from batchtui.text import cell

T = TypeVar("T")
_READ_ELSEWHERE = ("help", "data_dir", "config")
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")
TAKES_VALUE = ("--data-dir", "--config", "--env-file", "--color")
"""Common options with a value, which may stand before the command."""


_REQUIRED = re.compile(r"the following arguments are required: (.+)")
_CHOICE = re.compile(r"argument ([^:]+): invalid choice: '?(.*?)'? \(choose from (.+)\)", re.DOTALL)
_ARGUMENT = re.compile(r"argument ([^:]+): (.+)", re.DOTALL)


def _plainly(message: str) -> str:
    """What argparse says of a mistake, in our words."""
    if found := _REQUIRED.fullmatch(message):
        return f"{found[1]} {'are' if ', ' in found[1] else 'is'} missing"
    if found := _CHOICE.fullmatch(message):
        known = [word.strip("'") for word in found[3].split(", ")]
        return f'{found[1]}: there is no "{cell(found[2])}"{nearest(found[2], known) or "; there are " + ", ".join(known)}'
    if found := _ARGUMENT.fullmatch(message):
        return f"{found[1]}: {'a value is missing' if found[2] == 'expected one argument' else found[2]}"
    return message


class Parser(argparse.ArgumentParser):
    """The arguments of one command, the common ones included."""

    def __init__(self, command: str, summary: str) -> None:
        super().__init__(
            prog=f"batchtui {command}".rstrip(),
            description=summary[:1].upper() + summary[1:] + ".",
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self.set_defaults(command=command)

    def error(self, message: str) -> NoReturn:
        command = self.prog.removeprefix("batchtui ")
        raise BadInput(f"{command}: {_plainly(message)}; `{self.prog} --help` shows what it takes")

    def read(self, arguments: Sequence[str], env: Mapping[str, str]) -> argparse.Namespace:
        """The arguments, with variables for what they leave out. Raises BadInput."""
        self._refuse_unknown(arguments)
        for action in self._actions:
            self._take_variable(action, env)
        found, extra = self.parse_known_intermixed_args(list(arguments))
        if extra:
            self.error(f'unexpected argument "{cell(extra[0])}"')
        return found

    def _refuse_unknown(self, arguments: Iterable[str]) -> None:
        """argparse would first complain about what is missing, and it knows no nearest word."""
        known = [option for action in self._actions for option in action.option_strings]
        for argument in arguments:
            if argument == "--":
                return
            option = argument.partition("=")[0]
            if option.startswith("--") and option not in known:
                self.error(f"unknown option {cell(option)}{nearest(option, known)}")

    def _take_variable(self, action: argparse.Action, env: Mapping[str, str]) -> None:
        name = f"BATCHTUI_{action.dest.upper()}"
        value = env.get(name)
        if value is None or not action.option_strings or action.dest in _READ_ELSEWHERE:
            return
        if action.nargs == 0:
            if value.lower() not in (*_TRUE, *_FALSE):
                self.error(f'{name}: expected 1 or 0, got "{cell(value)}"')
            if value.lower() in _TRUE:
                action.default = action.const
        else:
            try:
                kind: Callable[[str], object] = action.type if callable(action.type) else str
                read = kind(value)
            except (argparse.ArgumentTypeError, ValueError) as fault:
                self.error(f"{name}: {cell(fault)}")
            if action.choices and read not in action.choices:
                self.error(
                    f'{name}: expected one of {", ".join(map(str, action.choices))}, got "{cell(value)}"'
                )
            action.default = [read] if isinstance(action, argparse._AppendAction) else read
        action.required = False


def add_common(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("common options")
    group.add_argument("--json", action="store_true", help="data as JSON")
    group.add_argument("-q", "--quiet", action="store_true", help="no words beside data and errors")
    group.add_argument("-v", "--verbose", action="store_true", help="more words")
    group.add_argument("--no-input", action="store_true", help="never ask")
    group.add_argument("--data-dir", metavar="DIR", help="the folder that holds batches/")
    group.add_argument("--config", metavar="FILE", help="the configuration")
    group.add_argument("--env-file", metavar="FILE", help="read variables, such as keys, from this file")
    group.add_argument("--color", choices=["auto", "never"], default="auto", help="colour on a terminal")
    group.add_argument("--debug", action="store_true", help="show tracebacks")


def split_command(arguments: Sequence[str]) -> tuple[str | None, list[str]]:
    """The command and everything else: common options may stand before it."""
    expect_value = False
    for at, argument in enumerate(arguments):
        if expect_value:
            expect_value = False
        elif argument.startswith("-") and argument != "-":
            expect_value = argument in TAKES_VALUE
        else:
            return argument, [*arguments[:at], *arguments[at + 1 :]]
    return None, list(arguments)


def batch_id(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="a batch: its id, any beginning of it, or its name")


def duration(text: str) -> float:
    """Seconds of `90s` or `2h`, for argparse."""
    from batchtui.model import seconds

    try:
        return seconds(text)
    except ValueError as fault:
        raise argparse.ArgumentTypeError(str(fault)) from None


def words(text: str, known: Iterable[T], what: str) -> list[str]:
    """`a,b` as its parts, each of them known. Raises BadInput with the nearest."""
    allowed = [str(word) for word in known]
    parts = [part.strip() for part in text.split(",") if part.strip()]
    for part in parts:
        if part not in allowed:
            hint = nearest(part, allowed) or f"; expected any of {', '.join(allowed)}"
            raise BadInput(f'unknown {what} "{cell(part)}"{hint}')
    return parts
