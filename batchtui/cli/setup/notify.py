"""`notify`: who is told of what, and a notice to try each of them."""

from __future__ import annotations

import argparse
import asyncio
import os

from batchtui.cli.shared.phrases import OK, UNREACHABLE
from batchtui.cli.shared.session import Session
from batchtui.errors import BadInput, ConfigError, nearest
from batchtui.text import cell


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action", choices=("test",), nargs="?", help="tell a receiver something, or all of them"
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="the receiver to try")


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    from batchtui.config.notify import receivers_of

    config, console = session.config, session.console
    if config.notify is None and config.notices_written:
        told = next(
            (problem for problem in config.problems if "notify" in str(problem)), "[notify] is at fault"
        )
        raise ConfigError(str(told))
    receivers = receivers_of(config.notify) if config.notify else []
    if not receivers:
        console.note(f"nobody is told: {cell(config.path)} has no [notify]; `batchtui help notices` says how")
    if args.action == "test":
        return _test(args.name, session)
    rows = []
    for one in receivers:
        on = ", ".join(one.settings.on or ["everything"])
        for_batches = _batches(one.settings)
        rows.append((one.name, one.sort, on, for_batches))
        if console.json:
            console.document(
                {"name": one.name, "sort": one.sort, "on": one.settings.on, "batches": for_batches}
            )
    if rows and not console.json:
        console.table(("NAME", "SORT", "ON", "BATCHES"), rows)
    return OK


def _batches(settings: object) -> str:
    """Which batches a receiver is told of."""
    from batchtui.config.notify import Rule

    if not isinstance(settings, Rule):
        return "all"
    parts = [settings.batches if settings.batches != "*" else "all"]
    parts += [f"backend {settings.backend}"] if settings.backend else []
    parts += [f"tag {settings.tag}"] if settings.tag else []
    return ", ".join(parts)


def _test(name: str | None, session: Session) -> int:
    """A notice to each; whether all took it."""
    from batchtui.config.notify import receivers_of
    from batchtui.engine.attention.notices.desk import hand_over
    from batchtui.engine.attention.notices.events import Notice

    config, console = session.config, session.console
    receivers = receivers_of(config.notify) if config.notify else []
    known = list(dict.fromkeys(one.name for one in receivers))
    if name is not None and name not in known:
        hint = nearest(name, known) or f"; there are {', '.join(known) or 'none'}"
        raise BadInput(f'notify test: no receiver "{cell(name)}"{hint}')
    notice = Notice(
        event="ended", key="test", batch="test", name="test", backend="none",
        title="a test", text="This is how batchtui tells you that a batch is done.", facts={"test": True},
    )  # fmt: skip
    failed = False
    for one in receivers:
        if name not in (None, one.name):
            continue
        why = asyncio.run(hand_over(one, notice, config, os.environ))
        failed = failed or why is not None
        if console.json:
            console.document({"name": one.name, "sort": one.sort, "ok": why is None, "message": why})
        else:
            label = one.name if one.name == one.sort else f"{one.name} ({one.sort})"
            console.out(f"{label}: {f'problem: {why}' if why else 'told'}")
    return UNREACHABLE if failed else OK
