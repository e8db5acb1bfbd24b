"""`prices`: what a model costs, where that is from and how old it is."""

from __future__ import annotations

import argparse

from batchtui.cli.shared.session import Session
from batchtui.errors import NotFound, nearest
from batchtui.model import Json
from batchtui.prices import Known, Rates
from batchtui.text import cell


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a model's name, such as gpt-4o-mini")
    parser.add_argument("--backend", metavar="B", help="as this backend of the config sells it")


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    known = _find(args, session)
    if known is None:
        from batchtui.prices.lookup import names

        model = cell(args.model, 80)
        raise NotFound(
            f'the price of "{model}" is not known{nearest(args.model, [*session.config.prices, *names()])}; '
            f'add [prices."{model}"] input = …, output = … (USD per million tokens) to {session.config.path}'
        )
    if session.console.json:
        session.console.document(_document(known))
    else:
        _show(session, known)
    return 0


def _find(args: argparse.Namespace, session: Session) -> Known | None:
    if args.backend:
        from batchtui.engine.spend.pricing import Pricing

        return Pricing(session.config).known(session.backends.get(args.backend), args.model)
    from batchtui.prices import find

    session.config.check()
    return find(args.model, session.config.prices, origin=str(session.config.path))


def _document(known: Known) -> dict[str, Json]:
    return {
        "model": known.model,
        "provider": known.provider,
        "unit": "USD per million tokens",
        "usual": _rates(known.usual),
        "batch": _rates(known.batch),
        "source": known.source,
        "date": known.date,
    }


def _rates(rates: Rates) -> dict[str, Json]:
    found: dict[str, Json] = {
        "input": rates.input,
        "output": rates.output,
        "cached_input": rates.cached,
        "cache_write": rates.written,
    }
    if rates.long is not None:
        found["above"] = {"tokens": rates.over, **_rates(rates.long)}
    return found


def _show(session: Session, known: Known) -> None:
    console = session.console
    console.out(
        f"{known.model}, USD per million tokens"
        + (f", as {known.provider} sells it" if known.provider else "")
    )
    columns = [("one by one", known.usual), ("in a batch", known.batch)]
    if known.usual.long is not None:
        over = f"{known.usual.over:,}"
        columns += [
            (name + f" above {over}", rates.long) for name, rates in list(columns) if rates.long is not None
        ]
    names = ("input", "output", "cached", "written")
    console.table(
        ["", *names],
        [[head, *(_figure(getattr(rates, name)) for name in names)] for head, rates in columns],
        right=names,
    )
    console.out(f"from {known.source}" + (f", as of {known.date}" if known.date else ""))


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
