"""A batch from elsewhere says what it does beyond its words and asks, once."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from batchtui.cli.shared import loading
from batchtui.cli.shared.loading import Loaded
from batchtui.cli.shared.session import Session
from batchtui.errors import BadInput
from batchtui.preflight import Preflight

if TYPE_CHECKING:
    from batchtui.engine.plan.consent.reach import Reach


def reach_of(args: argparse.Namespace, loaded: Loaded, session: Session) -> Reach:
    """What collects what the batch does. The settings on the line are the user's own words, and files made here."""
    from batchtui.batchfile import is_batch_file
    from batchtui.engine.plan.consent.reach import Reach, words_of
    from batchtui.engine.plan.consent.trusted import Trusted

    own = words_of(loaded.spec)
    if is_batch_file(args.file) and not Trusted(session.data_dir).is_own(Path(args.file)):
        own -= words_of(loading.read(args.file, [])[0])
        own |= {item.partition("=")[0].strip() for item in args.set}
    return Reach(loaded.spec, loaded.base, own, loaded.files)


def note(args: argparse.Namespace, reach: Reach, flight: Preflight, session: Session) -> None:
    """For `check`, which asks nothing."""
    from batchtui.engine.plan.consent.trusted import Trusted

    if flight.consent is None:
        return
    agreed = args.trust or reach.hash in Trusted(session.data_dir)
    flight.consent = msgspec.structs.replace(flight.consent, agreed=agreed)
    if not flight.consent.agreed and not session.console.json:
        session.console.note(f"{args.file} does more than send its words: run asks first, or takes --trust")


def agree(file: str, reach: Reach, session: Session, *, trusted: bool) -> None:
    """Raises BadInput where the batch does what nobody agrees to."""
    from batchtui.engine.plan.consent.trusted import Trusted

    lines = reach.lines
    if not lines or trusted:
        return
    known = Trusted(session.data_dir)
    if reach.hash in known:
        return
    console = session.console
    if not console.can_ask:
        raise BadInput(f"{file} asks first: it {'; it '.join(lines)}; nothing was sent, --trust allows that")
    console.error(f"{file} was not run before as it is now:")
    for line in lines:
        console.error(f"  it {line}")
    if not console.ask("Allow that, from now on?"):
        raise BadInput("nothing was sent")
    known.add(reach.hash)
