"""`check`: what a batch would be, before anything is sent."""

from __future__ import annotations

import argparse

from batchtui.cli import loading
from batchtui.cli.console import Console, one_line
from batchtui.cli.phrases import money
from batchtui.cli.session import Session
from batchtui.errors import BadInput
from batchtui.model import Preflight, Problem

PROBLEMS_SHOWN = 20


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    loading.arguments(parser)


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    from batchtui.engine.planning import plan

    spec, base, where, stdin = loading.load(args)
    flight = plan(spec, base, session.backends, stdin=stdin, where=where).preflight
    if session.console.json:
        session.console.document(flight)
    else:
        _show(session.console, flight)
        print_problems(session.console, flight.problems)
    return BadInput.exit_code if flight.stopped else 0


def print_problems(console: Console, problems: list[Problem]) -> None:
    """On stderr: what stops the batch first, at most 20 of each sort."""
    for fatal, word in ((True, "problem"), (False, "warning")):
        found = [problem for problem in problems if problem.fatal is fatal]
        for problem in found[:PROBLEMS_SHOWN]:
            (console.error if fatal else console.note)(f"{word}: {problem}")
        if len(found) > PROBLEMS_SHOWN:
            console.note(
                f"{word}: … and {len(found) - PROBLEMS_SHOWN:,} more of {len(found):,}; --json shows more"
            )


def _show(console: Console, flight: Preflight) -> None:
    facts = [
        ("name", flight.name),
        ("backend", f"{flight.backend} ({flight.kind})" if flight.kind else flight.backend or "none"),
        ("jobs", f"{flight.jobs:,}"),
        ("submissions", f"{flight.submissions:,}" if flight.submissions else "none: one call a job"),
        ("bytes", f"{flight.bytes:,}"),
        (
            "tokens",
            f"{flight.tokens_in:,} in, at most {flight.tokens_out_max:,} out" if flight.tokens_in else "",
        ),
        ("cost", f"about {money(flight.cost_usd)}" if flight.cost_usd is not None else "unknown: no price"),
        ("columns", ", ".join(flight.columns)),
        ("duplicates", f"{flight.duplicates:,}" if flight.duplicates else ""),
        ("first job", one_line(flight.first) if flight.first is not None else ""),
        ("longest job", one_line(flight.longest) if flight.jobs > 1 else ""),
        ("last job", one_line(flight.last) if flight.jobs > 1 else ""),
    ]
    for name, value in facts:
        if value:
            console.out(f"{name:<12} {value}")
