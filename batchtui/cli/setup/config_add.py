"""`config add PROVIDER`: a table for a provider, tested before it is written. The key is named, never held."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from batchtui.cli.shared.console import Console
from batchtui.cli.shared.phrases import OK
from batchtui.cli.shared.session import Session
from batchtui.errors import BadInput, ConfigError, KeyMissing, Unreachable
from batchtui.model import Json
from batchtui.text import cell

if TYPE_CHECKING:
    from batchtui.config.editing.adding import KeyPlace

OPTIONS = ("as", "key_env", "key_command", "key_keyring", "user_key_env", "url", "no_test")


def arguments(parser: argparse.ArgumentParser) -> None:
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--key-env", metavar="NAME", help="add: the variable that holds the key")
    place.add_argument("--key-command", metavar="COMMAND", help="add: a command that prints the key")
    place.add_argument("--key-keyring", metavar="ENTRY", help="add: the keyring's entry, as service/user")
    parser.add_argument("--user-key-env", metavar="NAME", help="add daly: the variable of the second key")
    parser.add_argument(
        "--url", metavar="ADDRESS", help="add: where the server is, if not at the usual place"
    )
    parser.add_argument("--as", metavar="NAME", help="add: what to call the backend, if not by its provider")
    parser.add_argument("--no-test", action="store_true", help="add: write it without asking the backend")


def run(args: argparse.Namespace, session: Session) -> int:
    from batchtui.config import config_path, load_config
    from batchtui.config.editing.adding import PROVIDER_NAMES, new_table, refuse_unknown

    provider: str | None = args.provider
    if provider is None:
        raise BadInput(f"config add: which one? Any of {', '.join(PROVIDER_NAMES)}")
    refuse_unknown(provider)
    config = load_config(config_path(session.config_option))
    if not config.exists:  # it is made here
        config.problems.clear()
    session.config = config
    name: str = getattr(args, "as") or provider
    taken = name in session.config.backends and session.config.backends[name].origin == str(
        session.config.path
    )
    if taken or name in session.config.broken:
        raise BadInput(
            f"{cell(session.config.path)}: backends.{cell(name, 40)} is there already and is left as it is; "
            "--as gives this one another name"
        )
    session.config.check()
    place, url = _asked(provider, args, session.console)
    table = new_table(provider, place, os.environ, url=url, user_key_env=args.user_key_env)
    return _write(name, table, args.no_test, session)


def _asked(provider: str, args: argparse.Namespace, console: Console) -> tuple[KeyPlace, str | None]:
    """Where the key is and where the server is: given by options, else asked for, else the usual."""
    from batchtui.config.editing.adding import RESOURCE, KeyPlace, own_server, usual_place
    from batchtui.config.providers import BY_NAME, SERVERS, table_of

    url: str | None = args.url
    place = KeyPlace(args.key_env, args.key_command, args.key_keyring)
    given = place != KeyPlace() or provider in SERVERS
    usual = usual_place(provider, os.environ)
    if not console.can_ask:
        return (place if given else usual), url
    server, resource = own_server(provider), provider in BY_NAME and BY_NAME[provider].needs_address
    if url is None and server and (provider in SERVERS or not given):
        url = console.line(f"Where is the server? [{server}]") or server
    elif url is None and resource and "base_url" not in table_of(provider, os.environ):
        url = console.line(f"Where is the resource? ({RESOURCE})") or None
    return (place if given else _ask_place(usual, console)), url


def _ask_place(usual: KeyPlace, console: Console) -> KeyPlace:
    from batchtui.config.editing.adding import KeyPlace

    if usual.variable:
        state = "set" if os.environ.get(usual.variable) else "not set here"
        first = f"the variable {usual.variable} ({state})"
    else:
        first = "it needs none"
    console.error("Where is the key? Its place is written down, the key itself never is.")
    for number, words in enumerate((first, "another variable", "a command that prints it", "the keyring"), 1):
        console.error(f"  {number}  {words}")
    match console.line("[1]") or "1":
        case "1":
            return usual
        case "2":
            return KeyPlace(variable=console.line("The variable's name:"))
        case "3":
            return KeyPlace(command=console.line("The command, such as: pass show openai\n>"))
        case "4":
            return KeyPlace(keyring=console.line("The entry, as service/user:"))
        case other:
            raise BadInput(f'config add: expected 1, 2, 3 or 4, got "{cell(other, 10)}"; nothing was written')


def _write(name: str, table: dict[str, Json], untested: bool, session: Session) -> int:
    from batchtui.config import ENVIRONMENT, BackendConfig, append_backend

    console, config = session.console, session.config
    listed = [one for one, found in config.backends.items() if found.origin == ENVIRONMENT and one != name]
    said, models = "", list[str]()
    if not untested:
        config.backends[name] = BackendConfig(
            name=name, kind=str(table["kind"]), table=table, origin=str(config.path)
        )
        said, models = _tested(name, session)
    added = append_backend(config.path, name, table)
    if console.json:
        console.document(
            {
                "config": str(config.path),
                "name": name,
                "table": table,
                "tested": not untested,
                "models": models,
            }
        )
        return OK
    console.out(added.rstrip("\n"))
    shown = cell(name, 40)
    console.note(f"written to {cell(config.path)}" + (f"; it answers: {cell(said)}" if said else ""))
    if listed:
        adds = ", ".join(f"`batchtui config add {one}`" for one in listed)
        console.note(
            f"{cell(', '.join(listed))} came from the environment, and is listed no longer now that the file has a "
            f"table of a backend: {adds}"
        )
    console.note(
        f'backend = "{shown}" in a batch file sends there; `batchtui backends probe {shown}` asks again'
    )
    return OK


def _tested(name: str, session: Session) -> tuple[str, list[str]]:
    """What the backend says when it is asked. Raises where it does not answer; nothing is written then."""
    from batchtui.cli.setup.backends import ask

    rest = "nothing was written; --no-test writes it all the same"
    session.console.note(f"asking {cell(name, 40)} …")
    try:
        probe = ask(session, name)
    except KeyMissing as fault:
        raise KeyMissing(f"{fault}; {rest}") from None
    except ConfigError as fault:
        raise ConfigError(f"{fault}; {rest}") from None
    if not probe.ok:
        raise Unreachable(f"{cell(name, 40)}: {cell(probe.message)}; {rest}")
    return probe.message, probe.models
