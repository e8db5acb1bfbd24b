"""What the create of a submission was answered with, where that was its result already.

The reply alone holds it, so it lies in raw/ and on the disk before the journal names it. A file that the journal does
not name yet is as good: it was whole before it got its name.
"""

from __future__ import annotations

from pathlib import Path

from batchtui.durable import make_folder
from batchtui.store.disk.lines import StoreFull, replace_file


def keep_answer(batch: Path, submission: int, body: bytes, ending: str) -> str:
    """Blocks until it is on the disk; the name of its file in raw/. Raises StoreFull."""
    folder = batch / "raw"
    try:
        make_folder(folder)
    except OSError as fault:
        raise StoreFull(f"{folder}: cannot be made ({fault.strerror})") from fault
    name = f"{submission}-answer.{ending}"
    replace_file(folder / name, body)
    return name


def kept_answer(batch: Path, submission: int) -> str | None:
    """The name of the file that holds the answer of this submission's create; None where there is none."""
    return next((path.name for path in (batch / "raw").glob(f"{submission}-answer.*")), None)
