"""`fsck`: prove that what is stored is sound, and mend it when asked to; never by a new create."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from batchtui.amounts import counted
from batchtui.cli.shared.drive import drive
from batchtui.cli.shared.phrases import OK, SOME_FAILED
from batchtui.cli.shared.session import Session
from batchtui.errors import BatchtuiError, StoreDamaged
from batchtui.model import Json, SubmissionState
from batchtui.store.files.lock import holder, is_held
from batchtui.store.folder import BatchFolder
from batchtui.store.health.proof import Proof, prove
from batchtui.store.health.repair import Repaired, repair
from batchtui.store.health.versions import is_newer


def arguments(command: str, parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", nargs="?", help="one batch; default: all")
    parser.add_argument(
        "--repair",
        action="store_true",
        help="make again what can be made again, and bring lost results home from raw/ or the backend, at no cost",
    )


def run(command: str, args: argparse.Namespace, session: Session) -> int:
    ids = [session.library.meant(args.id)] if args.id else sorted(session.library.ids())
    codes = [_one(session, batch_id, args.repair) for batch_id in ids]
    if args.id is None:
        codes += [_foreign(session)]
        if not session.console.json:
            sound = codes.count(OK) - 1 if codes[-1] == OK else codes.count(OK)
            session.console.note(
                f"1 batch is {'sound' if sound else 'not sound'}"
                if len(ids) == 1
                else f"{sound:,} of {len(ids):,} batches are sound"
            )
    return max(codes, default=OK)


def _one(session: Session, batch_id: str, mend: bool) -> int:
    path, console = session.library.path(batch_id), session.console
    if path.is_symlink():
        console.error(f"{batch_id}: is a symbolic link; a batch is a folder of its own")
        return SOME_FAILED
    if is_held(path):
        console.note(
            f"{batch_id}: is driven by {holder(path) or 'another process'}, and is looked at as it is written"
        )
    proof = prove(path)
    done, left = Repaired(), []
    if mend:
        before = proof
        try:
            if not before.sound:
                done = repair(path)
            _bring_home(session, batch_id, done)
        except BatchtuiError as fault:
            left.append(str(fault))
        proof = prove(path)
        if not before.sound:
            _tell(session, batch_id, before, [])
    _tell(session, batch_id, proof, done.done)
    for words in (*done.left, *left):
        console.error(f"{batch_id}: {words}")
    if console.json:
        console.document(_document(batch_id, proof, done, left))
    elif not proof.sound and not mend and not is_newer(path):
        console.note(f"`batchtui fsck {batch_id} --repair` mends what can be mended")
    return OK if proof.sound and not left else SOME_FAILED


def _tell(session: Session, batch_id: str, proof: Proof, done: Sequence[str]) -> None:
    if session.console.json:
        return
    for words in done:
        session.console.out(f"{batch_id}: {words}")
    for fault in proof.faults:
        session.console.out(f"{batch_id}/{fault}")
    if proof.sound:
        name = proof.header.name if proof.header else ""
        session.console.out(f"{batch_id}: {name}: sound")


def _bring_home(session: Session, batch_id: str, repaired: Repaired) -> None:
    """Drive the batch until what a repair wants home is collected, also one that was cut short; nothing is sent."""
    folder = session.library.open(batch_id)
    wanted = {one.id for one in folder.progress.submissions.values() if one.homing} | set(repaired.collect)
    if not wanted or is_held(folder.path):
        return

    def there(folder: BatchFolder) -> bool:
        found = folder.progress.submissions
        return all(found[id_].state is SubmissionState.COLLECTED for id_ in wanted if id_ in found)

    _, reason = drive(session, folder, until=there, prepare=lambda worker: worker.finish_direct())
    if reason:
        raise StoreDamaged(f"not all results could be brought home: {reason}")
    of = counted(len(wanted), "submission")
    repaired.done.append(f"the results of {of} were brought home again")


def _foreign(session: Session) -> int:
    """What lies among the batches and is none."""
    strange = session.library.strange()
    for name in strange:
        session.console.error(f"{name}: lies among the batches and is no folder; it is left alone")
    return SOME_FAILED if strange else OK


def _document(batch_id: str, proof: Proof, done: Repaired, left: Sequence[str]) -> dict[str, Json]:
    faults: list[Json] = [
        {"file": fault.file, "line": fault.line, "job": fault.job, "cause": fault.cause}
        for fault in proof.faults
    ]
    return {
        "id": batch_id,
        "name": proof.header.name if proof.header else None,
        "sound": proof.sound,
        "faults": faults,
        "done": list(done.done),
        "left": [*done.left, *left],
    }
