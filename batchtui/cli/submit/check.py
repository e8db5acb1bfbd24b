"""`check`: what a batch would be, before anything is sent."""

from __future__ import annotations

import argparse

from batchtui.amounts import counted
from batchtui.causes import by_cause
from batchtui.cli.shared import loading
from batchtui.cli.shared.console import Console, one_line
from batchtui.cli.shared.phrases import money
from batchtui.cli.shared.session import Session
from batchtui.cli.submit import trust
from batchtui.engine.plan.consent.consent_words import consent_lines
from batchtui.engine.plan.costing import tokens_words
from batchtui.errors import BadInput
from batchtui.model import BatchSpec, Problem
from batchtui.outcome import NO_CHARGE
from batchtui.preflight import Preflight
from batchtui.text import cell

PROBLEMS_SHOWN = 20


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    loading.arguments(parser)


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    from batchtui.engine.plan.planning import plan

    faults: list[Problem] = []
    loaded = loading.load(args, faults)
    spec, base, where, stdin, files = loaded
    reach = trust.reach_of(args, loaded, session)
    flight = plan(
        spec,
        base,
        session.backends,
        stdin=stdin,
        where=where,
        files=files,
        reach=reach,
        library=session.library,
    ).preflight
    answered: dict[str | None, bool] = {"again": args.again, "cost": args.yes}
    flight.problems = [*faults, *(one for one in flight.problems if not answered.get(one.asks))]
    trust.note(args, reach, flight, session)
    if session.console.json:
        session.console.document(flight)
    else:
        _show(session.console, flight, spec)
        print_problems(session.console, flight.problems)
    return BadInput.exit_code if flight.stopped else 0


def print_problems(console: Console, problems: list[Problem]) -> None:
    """On stderr: what stops the batch first, at most 20 of each sort; what several rows share is said once."""
    for fatal, word in ((True, "problem"), (False, "warning")):
        found = [cause for cause in by_cause(problems) if cause.first.fatal is fatal]
        for cause in found[:PROBLEMS_SHOWN]:
            (console.error if fatal else console.note)(f"{word}: {cause}")
        if len(found) > PROBLEMS_SHOWN:
            console.note(
                f"{word}: … and {len(found) - PROBLEMS_SHOWN:,} more of {len(found):,}; --json shows more"
            )


def _submissions(flight: Preflight) -> str:
    if not flight.jobs:
        return "none"
    if len(flight.backends) < 2:
        return f"{flight.submissions:,}" if flight.submissions else "none: one call a job"
    parts = [
        f"{cell(share.backend)}: {share.submissions:,} of {counted(share.jobs, 'job')}"
        if share.submissions
        else f"{cell(share.backend)}: none, one call a job for {counted(share.jobs, 'job')}"
        for share in flight.backends
    ]
    return "; ".join(parts)


def _show(console: Console, flight: Preflight, spec: BatchSpec) -> None:
    facts = [
        ("name", flight.name),
        ("backend", f"{flight.backend} ({flight.kind})" if flight.kind else flight.backend or "none"),
        ("jobs", f"{flight.jobs:,}"),
        ("submissions", _submissions(flight)),
        (
            "at once",
            "; ".join(f"{cell(one.backend)}: {one.at_once}" for one in flight.backends if one.at_once),
        ),
        (
            "sent as",
            "; ".join(f"{cell(one.backend)}: {one.sent_as}" for one in flight.backends if one.sent_as),
        ),
        *(("needs", f"{cell(one.backend)}: {what}") for one in flight.backends for what in one.needs),
        ("bytes", f"{flight.bytes:,}"),
        (
            "tokens",
            tokens_words(flight) if flight.tokens_in or flight.tokens_out_max else "",
        ),
        ("cost", _cost(flight)),
        ("columns", ", ".join(flight.columns)),
        ("not used", ", ".join(flight.unused)),
        ("ids", _ids_hint(flight.columns, spec)),
        ("output", flight.output or ""),
        ("duplicates", f"{flight.duplicates:,}" if flight.duplicates else ""),
        ("first job", one_line(flight.first) if flight.first is not None else ""),
        ("longest job", one_line(flight.longest) if flight.jobs > 1 else ""),
        ("last job", one_line(flight.last) if flight.jobs > 1 else ""),
    ]
    for name, value in facts:
        if value:
            console.out(f"{name:<12} {value}")
    for line in consent_lines(flight.consent):
        console.out(
            f"{'agreed to' if flight.consent and flight.consent.agreed else 'asks first':<12} it {line}"
        )


def _ids_hint(columns: list[str], spec: BatchSpec) -> str:
    """Where rows go by their numbers though a column seems to name them."""
    from batchtui.sources.source import id_column

    if spec.source is None or spec.source.id is not None or id_column(columns):
        return ""
    names = [name for name in columns if name.lower().endswith("_id") and name.isidentifier()]
    return (
        f'the rows\' numbers; id = "{{{{ {names[0]} }}}}" under [source] takes them from there'
        if names
        else ""
    )


def _cost(flight: Preflight) -> str:
    if not flight.jobs and flight.stopped:
        return ""  # of no job is known what it would be
    if flight.cost_usd is None:
        return "unknown: no price"
    most = flight.cost_max_usd
    if most == 0:
        return NO_CHARGE
    if most is None:
        return f"about {money(flight.cost_usd)}, at most unknown: nothing bounds the answers"
    return f"about {money(flight.cost_usd)}" + (f", at most {money(most)}" if most else "")
