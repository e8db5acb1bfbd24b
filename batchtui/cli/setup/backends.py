"""`backends`: what is configured, and whether it answers."""

from __future__ import annotations

import argparse

from batchtui.backends.base import Probe
from batchtui.cli.shared.phrases import OK, UNREACHABLE
from batchtui.cli.shared.proxies import proxy_of
from batchtui.cli.shared.session import Session
from batchtui.errors import BadInput, ConfigError
from batchtui.text import cell

PROBE_SECONDS = 30.0
MODELS_SHOWN = 50


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("probe",), nargs="?", help="ask a backend whether it is there")
    parser.add_argument("name", nargs="?", metavar="NAME", help="the backend to ask")


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    if args.action == "probe":
        if not args.name:
            raise BadInput("backends probe: which one? `batchtui backends` lists them")
        return _probe(args.name, session)
    return _list(session)


def _list(session: Session) -> int:
    from batchtui.backends.registry import broken
    from batchtui.config import key_state

    console, config = session.console, session.config
    rows = []
    for name, backend in config.backends.items():
        url, state = backend.table.get("base_url"), key_state(backend)
        through = proxy_of(backend)
        rows.append((name, backend.kind, url, state, through, backend.origin))
        if console.json:
            console.document(
                {
                    "name": name,
                    "kind": backend.kind,
                    "base_url": url,
                    "key": state,
                    "proxy": through,
                    "origin": backend.origin,
                }
            )
    if not console.json:
        console.table(("NAME", "KIND", "ADDRESS", "KEY", "PROXY", "FROM"), rows)
    for name, problems in config.broken.items():
        console.note(f"left out: {cell(name)}: {problems[0]}")
    for _, fault in broken():
        console.note(f"warning: {fault}")
    return OK


def _probe(name: str, session: Session) -> int:
    session.config.backend(name)  # NotFound and ConfigError, with their hints
    probe = ask(session, name)
    if session.console.json:
        document = {"name": name, "ok": probe.ok, "message": probe.message, "models": probe.models}
        session.console.document(document)
    else:
        print(f"{cell(name)}: {'ok' if probe.ok else 'problem'}: {cell(probe.message)}")
        for model in probe.models[:MODELS_SHOWN]:
            print(f"  {cell(model)}")
        if len(probe.models) > MODELS_SHOWN:
            print(f"  … and {len(probe.models) - MODELS_SHOWN} more; --json shows all")
    return OK if probe.ok else UNREACHABLE


def ask(session: Session, name: str) -> Probe:
    """The backend's own answer; faults of the network become an answer too. Raises ConfigError."""
    import asyncio

    from batchtui.backends.base import NeedsPerson, Refused, Transient, TryLater

    backend = session.backends.get(name)

    async def probe() -> Probe:
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                return await backend.probe()
        except TimeoutError:
            return Probe(ok=False, message=f"no answer within {PROBE_SECONDS:g} s")
        except NeedsPerson as fault:
            if fault.kind in ("key", "address"):
                raise ConfigError(f"{name}: {fault.message}") from None
            return Probe(ok=False, message=fault.message)
        except (Refused, TryLater, Transient) as fault:
            return Probe(ok=False, message=fault.message)
        finally:
            await session.backends.close()

    return asyncio.run(probe())
