"""A bundle beside the batch of the same id that is here already: which of the two knows more."""

from __future__ import annotations

from batchtui.errors import BatchtuiError
from batchtui.store.bundles.manifest import JOURNAL, RESULTS
from batchtui.store.bundles.unpacking import Bundle
from batchtui.store.library import Library
from batchtui.text import cell


def what_differs(bundle: Bundle, library: Library) -> str:
    """In words, with what to do."""
    manifest = bundle.manifest
    path = library.path(manifest.batch)
    try:
        folder = library.open(manifest.batch)
        name = cell(folder.header.name, 60)
    except BatchtuiError:
        name = "damaged"
    theirs = bundle.read(JOURNAL) if any(part.name == JOURNAL for part in manifest.parts) else b""
    try:
        mine = (path / JOURNAL).read_bytes()
    except OSError:
        mine = b""
    sizes = {part.name: part.size for part in manifest.parts}
    try:
        results = (path / RESULTS).stat().st_size
    except OSError:
        results = 0
    return (
        f"batch {manifest.batch} ({name}) is here already, and is not replaced: {_journals(mine, theirs)}; "
        f"its results are {results:,} bytes here and {sizes.get(RESULTS, 0):,} in the bundle. "
        f"To take the bundle in, remove the one here first: batchtui rm {manifest.batch}"
    )


def _journals(mine: bytes, theirs: bytes) -> str:
    here, there = mine.splitlines(), theirs.splitlines()
    same = 0
    for one, other in zip(here, there, strict=False):
        if one != other:
            break
        same += 1
    more_here, more_there = len(here) - same, len(there) - same
    if not more_here and not more_there:
        return "both say the same"
    if not more_there:
        return f"the bundle is older by {more_here:,} lines of its journal"
    if not more_here:
        return f"the bundle goes on for {more_there:,} lines of its journal after those here"
    return (
        f"they went different ways after line {same:,} of their journals, with {more_here:,} lines more here and "
        f"{more_there:,} in the bundle"
    )
