"""`check`: what a batch would be, before anything is sent."""

from __future__ import annotations

import argparse
from collections import Counter

from batchtui.cli import loading, trust
from batchtui.cli.console import Console, one_line
from batchtui.cli.phrases import money
from batchtui.cli.session import Session
from batchtui.errors import BadInput
from batchtui.model import Preflight, Problem
from batchtui.text import cell

PROBLEMS_SHOWN = 20


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    loading.arguments(parser)


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    from batchtui.engine.composing.planning import plan

    loaded = loading.load(args)
    spec, base, where, stdin = loaded
    reach = trust.reach_of(args, loaded)
    look = reach.look if reach else None
    flight = plan(spec, base, session.backends, stdin=stdin, where=where, look=look).preflight
    flight.problems += trust.warnings(args, reach)
    if session.console.json:
        session.console.document(flight)
    else:
        _show(session.console, flight)
        print_problems(session.console, flight.problems)
    return BadInput.exit_code if flight.stopped else 0


def print_problems(console: Console, problems: list[Problem]) -> None:
    """On stderr: what stops the batch first, at most 20 of each sort; what several rows share is said once."""
    for fatal, word in ((True, "problem"), (False, "warning")):
        found = [problem for problem in problems if problem.fatal is fatal]
        same = Counter((problem.key, problem.message) for problem in found)
        first = list({(problem.key, problem.message): problem for problem in reversed(found)}.values())[::-1]
        for problem in first[:PROBLEMS_SHOWN]:
            more = same[problem.key, problem.message] - 1
            again = f" (the same in {more:,} more rows)" if more else ""
            (console.error if fatal else console.note)(f"{word}: {problem}{again}")
        if len(first) > PROBLEMS_SHOWN:
            console.note(
                f"{word}: … and {len(first) - PROBLEMS_SHOWN:,} more of {len(first):,}; --json shows more"
            )


def _submissions(flight: Preflight) -> str:
    if len(flight.backends) < 2:
        return f"{flight.submissions:,}" if flight.submissions else "none: one call a job"
    parts = [
        f"{cell(share.backend)}: {share.submissions:,} of {share.jobs:,} jobs"
        if share.submissions
        else f"{cell(share.backend)}: none, one call a job for {share.jobs:,} jobs"
        for share in flight.backends
    ]
    return "; ".join(parts)


def _show(console: Console, flight: Preflight) -> None:
    facts = [
        ("name", flight.name),
        ("backend", f"{flight.backend} ({flight.kind})" if flight.kind else flight.backend or "none"),
        ("jobs", f"{flight.jobs:,}"),
        ("submissions", _submissions(flight)),
        (
            "at once",
            "; ".join(f"{cell(one.backend)}: {one.at_once}" for one in flight.backends if one.at_once),
        ),
        ("bytes", f"{flight.bytes:,}"),
        (
            "tokens",
            f"{flight.tokens_in:,} in, at most {flight.tokens_out_max:,} out" if flight.tokens_in else "",
        ),
        ("cost", _cost(flight)),
        ("columns", ", ".join(flight.columns)),
        ("output", flight.output or ""),
        ("duplicates", f"{flight.duplicates:,}" if flight.duplicates else ""),
        ("first job", one_line(flight.first) if flight.first is not None else ""),
        ("longest job", one_line(flight.longest) if flight.jobs > 1 else ""),
        ("last job", one_line(flight.last) if flight.jobs > 1 else ""),
    ]
    for name, value in facts:
        if value:
            console.out(f"{name:<12} {value}")


def _cost(flight: Preflight) -> str:
    if flight.cost_usd is None:
        return "unknown: no price"
    most = flight.cost_max_usd
    return f"about {money(flight.cost_usd)}" + (f", at most {money(most)}" if most else "")
