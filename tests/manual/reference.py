"""`python -m tests.manual.reference` writes the manual's pages that list every key, option, binding and word.

They are made from the code's own tables and docstrings; a test compares, so that none is missing or stale.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import textwrap
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path

import msgspec

from batchtui import manual, model
from batchtui.backends.prompts.kind import PromptSettings
from batchtui.backends.prompts.work import ChatWork
from batchtui.backends.registry import load_kind
from batchtui.backends.settings import BackendSettings
from batchtui.cli.commands import COMMANDS
from batchtui.cli.dispatch import command_parser
from batchtui.config.notify import Notify, Receivers, Rule
from batchtui.config.plug_ins import KNOWN_KINDS
from batchtui.config.shape import ConfigLimits, Defaults
from batchtui.prices import Price
from batchtui.tui.actions.table import EVERYWHERE, of_screen, shown_key
from batchtui.tui.look.attention_words import TITLES
from batchtui.work.job import ProgramWork
from tests.manual.fields import Field, fields_of, structs_in
from tests.manual.man_page import FILE, man_page

FOLDER = Path(manual.__file__).parent
COMMON = {"kind", *(field.name for field in fields_of(BackendSettings))}
UI = (
    "## [ui]\n\n| key | type | default | means |\n| --- | --- | --- | --- |\n"
    '| `theme` | text | `"batchtui"` | The colours, as the palette names them. |\n'
    '| `clipboard` | `auto`, `file` | `"auto"` | `file` writes what is copied to a file, for terminals that take nothing to '
    "their clipboard. |\n"
    "| `columns` | table |  | The columns of the lists `batches` and `jobs` in their order, those with a `-` hidden, as `o` in "
    'the app keeps them: `{ batches = ["id", "name", "-rate"] }`. |'
)
PROMPTS = [kind for kind in KNOWN_KINDS if load_kind(kind).Work is ChatWork]


def batch_file_keys() -> str:
    top = fields_of(model.BatchSpec)
    parts = [
        "# Every key of a batch file\n\nThe page [batch-file](batch-file.md) tells what they are for. A duration is "
        "seconds, or a text such as `90s` or `2h`.",
        _section("The file itself", top),
    ]
    for table, struct in (
        ("source", model.SourceSpec),
        ("limits", model.LimitsSpec),
        ("output", model.OutputSpec),
        ("notify", model.NotifySpec),
    ):
        parts.append(_section(f"[{table}]", fields_of(struct)))
    works: dict[type[msgspec.Struct], list[str]] = {}
    for kind in KNOWN_KINDS:
        work = load_kind(kind).Work
        works.setdefault(ProgramWork if issubclass(work, ProgramWork) else work, []).append(kind)
    for work, kinds in works.items():
        parts.append(_section(f"[job] of {_listed(kinds)}", fields_of(work)))
    return "\n\n".join(parts) + "\n"


def backend_keys() -> str:
    parts = [
        "# Every key of the configuration\n\nThe page [configuration](configuration.md) tells what they are for.",
        _section("[defaults]", fields_of(Defaults)),
        _section("[limits]", fields_of(ConfigLimits)),
        _section('[prices."MODEL"]', fields_of(Price)),
        _section("[notify]", [field for field in fields_of(Notify) if field.struct != "Receivers"]),
        _section("[notify] and [notify.rules.NAME]", fields_of(Receivers)),
        _section("[notify.rules.NAME]", [field for field in fields_of(Rule) if field.struct != "Receivers"]),
        '## [keys]\n\nAn action\'s id and the keys that it gets, as `"batch.cancel" = "X"`: see '
        "[key-bindings](key-bindings.md).",
        UI,
        _section("[backends.NAME] of any kind", fields_of(BackendSettings)),
    ]
    shared = {field.name for field in fields_of(PromptSettings)} - COMMON
    own = [field for field in fields_of(PromptSettings) if field.name in shared]
    parts.append(_section("[backends.NAME] of a kind of models", own))
    for kind in KNOWN_KINDS:
        settings = load_kind(kind).Settings
        known = COMMON | (shared if kind in PROMPTS else set())
        mine = [
            field for field in fields_of(settings) if field.name not in known or _differs(field, settings)
        ]
        if mine:
            parts.append(_section(f'[backends.NAME] of kind "{kind}"', mine))
            parts += [
                part for field in mine for part in _inner(f"backends.NAME.{field.name}", settings, field.name)
            ]
    return "\n\n".join(parts) + "\n"


def commands() -> str:
    parts = [
        "# Every command and option\n\n`batchtui COMMAND --help` has the same. Options that every command takes stand "
        "at the end.",
    ]
    common: dict[str, str] = {}
    for name in COMMANDS:
        parser = command_parser(name)
        usage = " ".join(_usage(parser).split())
        lines = [
            f"## {name}\n\n{COMMANDS[name].summary[:1].upper()}{COMMANDS[name].summary[1:]}.\n\n`{usage}`"
        ]
        rows = []
        for group in parser._action_groups:
            for action in group._group_actions:
                if not action.option_strings or action.dest == "help":
                    continue
                if group.title == "common options":
                    common[_option(action)] = str(action.help)
                else:
                    rows.append((f"`{_option(action)}`", str(action.help)))
        if rows:
            lines.append(_table(("option", "does"), rows))
        parts.append("\n\n".join(lines))
    parts.append(
        "## Options of every command\n\n"
        + _table(("option", "does"), [(f"`{key}`", text) for key, text in common.items()])
    )
    return "\n\n".join(parts) + "\n"


def key_bindings() -> str:
    parts = [
        "# Every key of the app\n\n`[keys]` of the configuration binds an action anew by its id; `batchtui keys` prints "
        "them as they are set.",
    ]
    everywhere = [action for action in of_screen("batches") if action.of_app]
    parts.append("## Everywhere\n\n" + _bindings(everywhere))
    for screen in (*EVERYWHERE, "dialog"):
        own = [action for action in of_screen(screen) if not action.of_app]
        if own:
            parts.append(f"## {screen.replace('_', ' ').capitalize()}\n\n{_bindings(own)}")
    return "\n\n".join(parts) + "\n"


def words() -> str:
    parts = ["# Every state and word\n\nAs they stand on screen, in `status` and in JSON."]
    for title, states in (
        ("States of a job", model.JobState), ("States of a batch", model.BatchState),
        ("States of a submission", model.SubmissionState),
    ):  # fmt: skip
        rows = [(f"`{name}`", text) for name, text in _members(states)]
        parts.append(f"## {title}\n\n{_table(('state', 'means'), rows)}")
    needs = [(f"`{kind}`", f"{title}.") for kind, title in TITLES.items()]
    parts.append(f"## What needs a person\n\n{_table(('kind', 'says'), needs)}")
    return "\n\n".join(parts) + "\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "batch-file-keys": batch_file_keys,
    "config-keys": backend_keys,
    "commands": commands,
    "key-bindings": key_bindings,
    "words": words,
}


def _section(title: str, fields: Iterable[Field]) -> str:
    rows = [(f"`{field.name}`", field.type, field.default, field.text) for field in fields]
    return f"## {title}\n\n{_table(('key', 'type', 'default', 'means'), rows)}"


def _inner(title: str, struct: type[msgspec.Struct], name: str) -> Iterator[str]:
    """The tables within a table, each with what its class says of its keys."""
    for inner in structs_in(typing.get_type_hints(struct)[name]):
        rows = [(f"`{field.name}`", field.type, field.default) for field in fields_of(inner)]
        said = " ".join(inspect.cleandoc(inner.__doc__ or "").split())
        yield f"### [{title}]\n\n{said}\n\n{_table(('key', 'type', 'default'), rows)}"
        for field in fields_of(inner):
            yield from _inner(f"{title}.{field.name}", inner, field.name)


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _bindings(actions: Iterable[object]) -> str:
    rows = []
    for action in actions:
        assert hasattr(action, "keys")
        keys = " ".join(f"`{shown_key(key)}`" for key in action.keys)
        rows.append((keys, f"{action.help}.", f"`{action.id}`"))  # type: ignore[attr-defined]
    return _table(("key", "does", "id"), rows)


def _usage(parser: argparse.ArgumentParser) -> str:
    """The command with its positional arguments."""
    names = [
        action.metavar
        if isinstance(action.metavar, str)
        else "/".join(map(str, action.choices or [action.dest]))
        for action in parser._actions
        if not action.option_strings
    ]
    return f"{parser.prog} {' '.join(names)} [OPTIONS]"


def _option(action: argparse.Action) -> str:
    names = ", ".join(action.option_strings)
    if action.nargs == 0:
        return names
    value = (
        action.metavar
        if isinstance(action.metavar, str)
        else ",".join(map(str, action.choices or [action.dest.upper()]))
    )
    return f"{names} {value}"


def _differs(field: Field, settings: type[msgspec.Struct]) -> bool:
    """Whether the kind has its own default or word for a key that others have too."""
    shared = {one.name: one for one in fields_of(BackendSettings)}
    return field.name in shared and field != shared[field.name]


def _members(states: type[StrEnum]) -> Iterator[tuple[str, str]]:
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(states))).body
    assert isinstance(tree, ast.ClassDef)
    for here, below in zip(tree.body, tree.body[1:], strict=False):
        match here, below:
            case ast.Assign(value=ast.Constant(value=state)), ast.Expr(value=ast.Constant(value=text)):
                yield str(state), str(text)


def _listed(names: list[str]) -> str:
    return ", ".join(names)


def main() -> None:
    for name, made in PAGES.items():
        (FOLDER / f"{name}.md").write_text(made(), "utf-8")
    FILE.write_text(man_page(), "utf-8")


if __name__ == "__main__":
    main()
