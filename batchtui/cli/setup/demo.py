"""`demo`: the app over a loopback server and sample batches, all of it gone afterwards; or the server alone."""

from __future__ import annotations

import argparse
import csv
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from batchtui.cli.shared import signals
from batchtui.cli.shared.console import no_app
from batchtui.cli.shared.session import Session
from batchtui.errors import BadInput

if TYPE_CHECKING:
    from batchtui.demo.samples import Sample
    from batchtui.engine.shared.pool import Backends
    from batchtui.store.library import Library


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--serve", action="store_true", help="only the server, until it is ended; no terminal needed"
    )
    parser.add_argument(
        "--port", type=int, default=0, metavar="P", help="the server's port; 0 takes a free one"
    )
    parser.add_argument("--config-out", metavar="FILE", help="write a config that points at the server")
    parser.add_argument(
        "--faults", default="", metavar="SPEC", help="what goes wrong, such as 429=0.2,drop=0.05,late=2s"
    )


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    out = Path(args.config_out) if args.config_out else None
    if args.serve:
        from batchtui.demo.server import serve

        return serve(args.port, out, args.faults)
    if no_app():
        session.console.error(
            "batchtui: the demo needs a terminal with a screen; `batchtui demo --serve` runs its server without one"
        )
        return BadInput.exit_code
    return _app(args, out)


def _app(args: argparse.Namespace, out: Path | None) -> int:
    from batchtui.config import load_config
    from batchtui.demo.samples import FAULTS, samples
    from batchtui.demo.server import DemoServer
    from batchtui.engine.shared.pool import Backends
    from batchtui.store.library import Library

    server = DemoServer(port=args.port, faults=",".join(filter(None, (FAULTS, args.faults))))
    with tempfile.TemporaryDirectory(prefix="batchtui-demo-", ignore_cleanup_errors=True) as name, server:
        folder = Path(name)
        for path in filter(None, (folder / "config.toml", out)):
            server.write_config(path)
        config = load_config(folder / "config.toml", env={})
        library, backends = Library(folder / "data"), Backends(config)
        for sample in samples():
            make(sample, folder, library, backends)
        from batchtui.tui.run import run_app

        try:
            return run_app(config=config, data_dir=library.data_dir, farewell=False)
        finally:
            signals.ignore()  # the folder must go, however impatient the system is


def make(sample: Sample, folder: Path, library: Library, backends: Backends) -> str:
    """Write the sample's source into `folder` and create its batch; the batch's id."""
    from batchtui import typed
    from batchtui.engine.plan.planning import create, plan
    from batchtui.model import BatchSpec
    from batchtui.store.files.inbox import Command, post

    source = folder / f"{sample.spec['name'].replace(' ', '-')}.csv"
    with source.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(sample.rows[0]))
        writer.writeheader()
        writer.writerows(sample.rows)
    spec = typed.convert(sample.spec | {"source": {"file": source.name, "id": "{{ id }}"}}, BatchSpec)
    draft = library.draft()
    batch = create(plan(spec, folder, backends, draft=draft), draft)
    if sample.cancel:
        post(batch.path, Command(command="cancel"))
    return batch.id
