"""Why a store that somebody is about to drive may only follow: it is a copy, was set back, or another was taken over."""

from __future__ import annotations

from pathlib import Path

from batchtui.store import home
from batchtui.store.files import tally
from batchtui.store.files.header import BatchHeader


def why_it_follows(folder: Path, header: BatchHeader, seq: int) -> str | None:
    """`seq`: how far its journal goes. None where it is the store that drove last, as far as can be told."""
    known = header.home
    if known is None:
        return None  # of before homes were told
    if copied := is_a_copy(folder, header):
        return copied
    told = tally.read(header.id)
    if told.mark is None:
        return None
    if told.mark != known.mark:
        return "another copy of it was taken over, and sends from there"
    ahead = sum(one > seq for one in told.seqs)
    if not ahead:
        return None
    if not header.remote:
        return "it was set back: it had gone on after this was saved"
    sent = "1 submission was" if ahead == 1 else f"{ahead:,} submissions were"
    return f"it was set back: {sent} sent after this was saved"


def is_a_copy(folder: Path, header: BatchHeader) -> str | None:
    """The same as far as the batch's own files tell it, which anybody who only reads may ask."""
    if header.home is None or home.is_at(header.home, folder):
        return None
    return "it is a copy: the files that the batch was sent from lie elsewhere, or are no more"
