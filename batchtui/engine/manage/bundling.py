"""A batch taken to another machine: what goes into its bundle, and what becomes of one that is taken in.

It arrives as a copy that only follows, whatever it says of itself: its paths start from a folder of its own, its results
are written nowhere, and its backends are those of this machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from batchtui.amounts import counted
from batchtui.batchfile import check_limits
from batchtui.config import key_variables
from batchtui.durable import sync_folder
from batchtui.engine.adopt import following
from batchtui.engine.manage.bringing import brought
from batchtui.engine.plan.compose.rendering import Renderer
from batchtui.engine.plan.consent.reach import Reach
from batchtui.engine.shared.pool import Backends
from batchtui.errors import BadInput, BatchtuiError
from batchtui.model import ENDED_BATCH_STATES, Json, OutputSpec
from batchtui.store.bundles.bounds import check_bounds
from batchtui.store.bundles.kinship import what_differs
from batchtui.store.bundles.manifest import Manifest
from batchtui.store.bundles.packing import pack
from batchtui.store.bundles.unpacking import Bundle
from batchtui.store.disk import clock
from batchtui.store.disk.commit import Committer
from batchtui.store.folder import BatchFolder
from batchtui.store.health.proof import INBOX, prove
from batchtui.store.library import Library
from batchtui.store.writer import BatchWriter
from batchtui.text import cell

FILES = "files"
"""The folder, in a batch that was taken in, that its paths start from."""
NOT_HERE = "not usable here"
"""Stands for the account of a backend that cannot be used on this machine: nothing is asked or sent in its name."""
_SHORTEST_KEY = 8


def bundle(folder: BatchFolder, target: Path, backends: Backends) -> Manifest:
    """Write the batch into one file, which takes the place of what is there. Raises BadInput, StoreDamaged, OSError."""
    if not target.absolute().parent.is_dir() or (target.exists() and not target.is_file()):
        raise BadInput(f"{cell(target)}: name a file in a folder that is there")
    found = brought(folder, backends)
    fd, name = tempfile.mkstemp(dir=target.absolute().parent, prefix=f".{target.name[:100]}.")  # mode 0600
    os.close(fd)
    try:
        manifest = pack(folder, Path(name), found.files, found.left, _secrets(folder, backends))
        os.replace(name, target)
        return manifest
    except BaseException:
        os.unlink(name)
        raise


def _secrets(folder: BatchFolder, backends: Backends) -> dict[bytes, str]:
    """Keys as they would stand in a file, each with the words for it."""
    found: dict[str, str] = {}
    for name in key_variables(backends.config, os.environ):
        if value := os.environ.get(name):
            found[value] = f"the value of {name}"
    for name in folder.header.backends:
        with contextlib.suppress(BatchtuiError):
            if key := backends.get(name).setup.key:
                found[key.reveal()] = f'the key of backend "{cell(name, 40)}"'
    told: dict[bytes, str] = {}
    for value, words in found.items():
        if len(value) >= _SHORTEST_KEY:
            told[value.encode(errors="surrogatepass")] = words
            told[json.dumps(value)[1:-1].encode()] = words
    return told


# ---- taking in


def take_in(
    path: Path, library: Library, backends: Backends, *, agree: Callable[[Reach], None]
) -> tuple[BatchFolder, list[str]]:
    """The batch of a bundle, which from here is only followed, and what a person should hear.

    `agree` is asked before it is kept, and raises where nobody agrees to what its jobs would do once they are sent from
    here. Raises BadInput where the bundle is not whole, or its batch is here already; OSError.
    """
    with Bundle(path) as opened:
        manifest = opened.manifest
        if os.path.lexists(library.path(manifest.batch)):
            raise BadInput(what_differs(opened, library))
        with library.hidden() as hidden:
            place = hidden / manifest.batch
            opened.unpack(place)
            _prove(place, path)
            notes = _settle(place, library.path(manifest.batch), manifest, backends, agree)
            for inside in (*(one for one in place.rglob("*") if one.is_dir()), place, hidden):
                sync_folder(inside)
            try:
                place.rename(library.path(manifest.batch))
            except OSError:
                raise BadInput(f"batch {manifest.batch} is here by now, and is not replaced") from None
            sync_folder(library.batches_dir)
    return library.open(manifest.batch), notes


def _prove(place: Path, path: Path) -> None:
    """Raises BadInput where its files are not those of one sound batch."""
    try:
        check_bounds(place)
        # A bundle leaves the inbox behind, and the commands that come here are counted from the start.
        faults = [fault for fault in prove(place).faults if fault.file != INBOX]
        if faults:
            more = f"; and {len(faults) - 1:,} more" if len(faults) > 1 else ""
            raise BadInput(f"{cell(faults[0], 300)}{more}")
        folder = BatchFolder(place)
        for problem in check_limits(folder.header.spec, "limits"):
            if problem.fatal:
                raise BadInput(str(problem))
        clock.unix(folder.header.created)
        folder.status(submissions=True)
    except (BatchtuiError, ValueError, LookupError, TypeError, OverflowError, RecursionError) as fault:
        raise BadInput(
            f"{cell(path)}: its batch is not sound: {cell(fault, 400)}; nothing was taken in"
        ) from None


def _settle(
    place: Path, final: Path, manifest: Manifest, backends: Backends, agree: Callable[[Reach], None]
) -> list[str]:
    """Make it a batch that only follows; what a person should hear."""
    folder = BatchFolder(place)
    header, notes = folder.header, list[str]()
    _ = folder.progress
    header.follows = f"it came in a bundle that was made on {cell(manifest.host, 60) or 'another machine'}, where it may go on"
    header.taking_over = False
    header.base = header.files = str(final / FILES)
    (place / FILES).mkdir(mode=0o700, exist_ok=True)
    if header.spec.output.dir:
        notes.append("its results are not written to a folder from here; `batchtui export` writes them")
        header.spec = msgspec.structs.replace(header.spec, output=OutputSpec(raw=header.spec.output.raw))
        header.own_folder = False
    for name, account in header.accounts.items():
        notes += _of_backend(name, account, folder, backends)
    if manifest.left:
        count, first = len(manifest.left), cell(manifest.left[0], 100)
        notes.append(
            f"not in it, though its jobs name them: {counted(count, 'file')}, such as {first}; those jobs would fail"
        )
    agree(_reach(folder, backends))
    _journal(folder, backends)
    return notes


def _of_backend(name: str, account: str, folder: BatchFolder, backends: Backends) -> list[str]:
    shown = cell(name, 40)
    try:
        if backends.get(name).account() == account:
            return []
    except BatchtuiError as fault:  # nobody could be asked what its jobs would do there
        folder.header.accounts = folder.header.accounts | {name: NOT_HERE}
        return [
            f'backend "{shown}" cannot be used here: {fault}. What the bundle holds can be read, and nothing of it can be '
            f"followed; for that set it right, `batchtui rm {folder.id} --forget`, and import the bundle again"
        ]
    return [
        f'backend "{shown}" has another address or key here than where the batch was made: nothing of it can be '
        "followed before they are the same"
    ]


def _reach(folder: BatchFolder, backends: Backends) -> Reach:
    """What its jobs would do beyond their words, were they sent from here. All of it is somebody else's word."""
    header = folder.header
    job: dict[str, Json] = {key: value for key, value in header.spec.job.items() if key != "schema"}
    spec = msgspec.structs.replace(header.spec, source=None, job=job)
    renderer = Renderer(folder, backends)
    templates = {name: header.template_of(name) for name in header.backends}
    implied = {key for template in templates.values() for key in template}
    reach = Reach(spec, Path(header.base), implied=implied, templates=templates)
    for record in (*header.seeds, *map(folder.jobs.record, range(len(folder.jobs)))):
        try:
            backend, job_ = renderer.rendered(record, 1, "")
        except BatchtuiError:
            continue  # it cannot be sent
        reach.look(backend, job_.work, record.sweep)
    return reach


def _journal(folder: BatchFolder, backends: Backends) -> None:
    """Write down what became of it, as whoever drives it would."""
    committer = Committer()
    writer = BatchWriter(folder, committer, lambda _: None)
    try:
        writer.record("inbox", upto=0)
        writer.save_header()
        if (
            folder.state() not in ENDED_BATCH_STATES
            and (following.KIND, None) not in folder.progress.attention
        ):
            text = following.follows_words(folder.header, backends)
            writer.record("attention", kind=following.KIND, text=text, actions=following.ACTIONS)
    finally:
        writer.close()
        committer.stop()
