"""A batch file that reaches outside its folder says so and asks, once."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from batchtui.cli.loading import Loaded
from batchtui.cli.session import Session
from batchtui.errors import BadInput
from batchtui.model import Problem

if TYPE_CHECKING:
    from batchtui.engine.composing.reach import Reach


def reach_of(args: argparse.Namespace, loaded: Loaded) -> Reach | None:
    """What collects where the batch file leads; None for a bare source, whose settings are all the user's own."""
    from batchtui.batchfile import is_batch_file
    from batchtui.engine.composing.reach import Reach

    if not is_batch_file(args.file):
        return None
    return Reach(loaded.spec, loaded.base, [item.partition("=")[0].strip() for item in args.set])


def warnings(args: argparse.Namespace, reach: Reach | None) -> list[Problem]:
    """For `check`, which asks nothing."""
    if reach is None:
        return []
    return [
        Problem(file=args.file, message=f"{line}, outside its folder; run asks first", fatal=False)
        for line in reach.lines
    ]


def agree(args: argparse.Namespace, reach: Reach | None, session: Session) -> None:
    """Raises BadInput where the batch file leads outside and nobody agrees to it."""
    from batchtui.engine.composing.reach import Trusted

    if reach is None or not reach.lines or args.trust:
        return
    trusted = Trusted(session.data_dir)
    if reach.hash in trusted:
        return
    console = session.console
    if not console.can_ask:
        raise BadInput(
            f"{args.file} reaches outside its folder: it {'; it '.join(reach.lines)}; --trust allows that"
        )
    console.error(f"{args.file} reaches outside its folder:")
    for line in reach.lines:
        console.error(f"  it {line}")
    if not console.ask("Allow that, from now on?"):
        raise BadInput("nothing was sent")
    trusted.add(reach.hash)
