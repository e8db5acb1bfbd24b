"""`config`: where the configuration is, what it says, whether it is sound, a first one, and one provider more."""

from __future__ import annotations

import argparse
from pathlib import Path

from batchtui.cli.setup import config_add
from batchtui.cli.shared.console import one_line
from batchtui.cli.shared.session import Session
from batchtui.errors import BadInput, ConfigError

ACTIONS = ("path", "show", "check", "init", "add")


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=ACTIONS, help="what to do")
    parser.add_argument("provider", nargs="?", metavar="PROVIDER", help="add: which, such as openai or chat")
    parser.add_argument("--origin", action="store_true", help="show: where each value came from")
    config_add.arguments(parser)


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    if args.origin and args.action != "show":
        raise BadInput("--origin belongs to config show")
    if args.action == "add":
        return config_add.run(args, session)
    for option in config_add.OPTIONS:
        if getattr(args, option):
            raise BadInput(f"--{option.replace('_', '-')} belongs to config add")
    if args.provider is not None:
        raise BadInput(f"config {args.action} takes nothing more; config add takes a provider")
    if args.action == "show":
        return _show(args.origin, session)
    if args.action == "check":
        return _check(session)
    return _init(session) if args.action == "init" else _path(session)


def _file(session: Session) -> Path:
    from batchtui.config import config_path

    return config_path(session.config_option)


def _path(session: Session) -> int:
    path = _file(session)
    if session.console.json:
        session.console.document(
            {"config": str(path), "exists": path.exists(), "data_dir": str(session.data_dir)}
        )
        return 0
    session.console.out(str(path))
    if not path.exists():
        session.console.note("it does not exist; `batchtui config init` writes one")
    return 0


def _show(with_origin: bool, session: Session) -> int:
    from batchtui.config import origins

    console = session.console
    for key, value, origin in origins(session.config):
        if console.json:
            console.document({"key": key, "value": value} | ({"origin": origin} if with_origin else {}))
        else:
            console.out(
                f"{one_line(key)} = {_toml(value)}" + (f"    # {one_line(origin)}" if with_origin else "")
            )
    return 0


def _toml(value: object) -> str:
    import json

    return one_line(json.dumps(value, ensure_ascii=False))


def _check(session: Session) -> int:
    from batchtui.backends.registry import known_kinds, table_problem
    from batchtui.config import load_config

    console = session.console
    config = load_config(_file(session))
    known = known_kinds()
    for name, backend in config.backends.items():
        if backend.kind in known and (problem := table_problem(name, backend.table, str(config.path))):
            config.problems.append(problem)
    fatal = [problem for problem in config.problems if problem.fatal]
    if console.json:
        console.document({"file": str(config.path), "exists": config.exists, "problems": config.problems})
    else:
        for problem in config.problems:
            console.error(f"{'problem' if problem.fatal else 'warning'}: {problem}")
        if not config.exists:
            console.note(f"{config.path} does not exist; the defaults hold")
        elif not fatal:
            console.note(f"{config.path} is sound")
    return ConfigError.exit_code if fatal else 0


def _init(session: Session) -> int:
    from batchtui.config import init_config

    path = _file(session)
    if not init_config(path):
        raise BadInput(
            f"{path} exists already and is left as it is; `batchtui config add PROVIDER` adds a table to it"
        )
    if session.console.json:
        session.console.document({"path": str(path)})
    else:
        session.console.out(str(path))
    session.console.note(
        "written; every line of it is an example to take the # from, and `batchtui config add openai` adds a provider"
    )
    return 0
