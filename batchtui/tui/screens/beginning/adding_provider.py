"""A provider's table from the screen: which keys were found, where another is, asked before anything is written."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from batchtui.backends.base import Probe
from batchtui.config import BackendConfig, append_backend
from batchtui.config.editing.adding import (
    PROVIDER_NAMES,
    RESOURCE,
    KeyPlace,
    new_table,
    own_server,
    usual_place,
)
from batchtui.config.providers import BY_NAME, SERVERS
from batchtui.errors import BatchtuiError
from batchtui.model import Json
from batchtui.text import cell
from batchtui.tui.models.offered import ask
from batchtui.tui.screens.asking.dialogs import Ask, Choose
from batchtui.tui.screens.asking.pick import Pick

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp

Then = Callable[[], None]


def add_provider(tui: BaseApp, then: Then) -> None:
    """Ask which, where its key is, and the backend itself; `then` is called once its table is written."""
    listed = [(name, _found(tui, name)) for name in PROVIDER_NAMES]
    listed.sort(key=lambda one: " is set" not in one[1] and not one[1].startswith("in "))

    def chosen(name: str | None) -> None:
        if name is None:
            return
        if _written(tui, name):
            tui.say(
                f"{name} is in {tui.config.path} already; {tui.key('backends.probe')} on its line of the backends asks it"
            )
            return
        _ask_address(tui, name, then)

    tui.push_screen(Pick("Providers: the keys that were found", listed), chosen)


def _written(tui: BaseApp, name: str) -> bool:
    found = tui.config.backends.get(name)
    return name in tui.config.broken or (found is not None and found.origin == str(tui.config.path))


def _found(tui: BaseApp, name: str) -> str:
    """What is known of its key; never the key."""
    if _written(tui, name):
        return "in the configuration"
    if name in SERVERS:
        return "a server of your own: its address"
    if own_server(name):
        return "any server of chat completions: its address"
    variable = usual_place(name, os.environ).variable
    return f"{variable} is {'set' if os.environ.get(variable or '') else 'not set'}"


def _ask_address(tui: BaseApp, name: str, then: Then) -> None:
    """Only of those whose address nobody can know."""
    server, resource = own_server(name), name in BY_NAME and BY_NAME[name].needs_address
    if not server and not resource:
        _ask_key(tui, name, None, then)
        return
    usual, hint = server or "", RESOURCE if resource else ""

    def answered(url: str | None) -> None:
        if url is not None:
            _ask_key(tui, name, url.strip() or None, then)

    tui.ask(Ask(f"{name}: where is the server?", value=usual, hint=hint), answered)


def _ask_key(tui: BaseApp, name: str, url: str | None, then: Then) -> None:
    """Where the key is. Its place is written down, the key itself never is."""
    usual = usual_place(name, os.environ)
    if name in SERVERS:
        _test(tui, name, usual, url, then)
        return
    body = "Its place is written down, the key itself never is."
    options = [("none", "it needs none")]
    if usual.variable:
        there = bool(os.environ.get(usual.variable))
        options = [("usual", f"the variable {usual.variable} ({'set' if there else 'not set'})")]
        if not there:
            body += (
                f"\n\n{usual.variable} is not set where the app was started. To set it: leave with {tui.key('app.quit')}, type "
                f"`export {usual.variable}=` with the key behind it, and start batchtui again. Or say where else "
                "the key is."
            )
    options += [
        ("variable", "another variable"),
        ("command", "a command that prints it, such as: pass show openai"),
        ("keyring", "the keyring, as service/user"),
    ]

    def chosen(kind: str | None) -> None:
        match kind:
            case "usual" | "none":
                _test(tui, name, usual, url, then)
            case "variable" | "command" | "keyring":
                about = {"variable": "The variable's name", "command": "The command", "keyring": "The entry"}

                def typed(text: str | None) -> None:
                    if text and text.strip():
                        _test(tui, name, KeyPlace(**{kind: text.strip()}), url, then)

                tui.ask(Ask(f"{name}: {about[kind]}"), typed)

    tui.ask(Choose(f"{name}: where is the key?", body, options=options), chosen)


def _test(tui: BaseApp, name: str, place: KeyPlace, url: str | None, then: Then) -> None:
    """Ask the backend in a thread, as `config add` does, and write its table where it answers."""
    table = new_table(name, place, os.environ, url=url)
    if not tui.config.exists:  # it is made here
        tui.config.problems.clear()
    config, before = tui.config, tui.config.backends.get(name)
    config.backends[name] = BackendConfig(
        name=name, kind=str(table["kind"]), table=table, origin=str(config.path)
    )
    tui.say(f"asking {name} …")

    def work() -> None:
        probe = asyncio.run(ask(config, name))
        tui.call_later(answered, probe)

    def answered(probe: Probe) -> None:
        if probe.ok:
            _write(tui, name, table, probe.message, then)
            return
        if before is None:
            del config.backends[name]
        else:
            config.backends[name] = before
        options = [("", "Leave it"), ("write", "Write it all the same")]

        def chosen(choice: str | None) -> None:
            if choice:
                config.backends[name] = BackendConfig(
                    name=name, kind=str(table["kind"]), table=table, origin=str(config.path)
                )
                _write(tui, name, table, "", then)

        tui.ask(
            Choose(
                f"{name} did not answer as it should",
                f"{probe.message}\n\nNothing was written.",
                options=options,
            ),
            chosen,
        )

    tui.run_worker(work, thread=True, group="provider", exit_on_error=False)


def _write(tui: BaseApp, name: str, table: dict[str, Json], said: str, then: Then) -> None:
    try:
        append_backend(tui.config.path, name, table)
    except BatchtuiError:
        del tui.config.backends[name]
        raise
    answers = f"; it answers: {cell(said, 200)}" if said else ""
    tui.say(f"[backends.{name}] was written to {tui.config.path}{answers}")
    then()
