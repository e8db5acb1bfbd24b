"""What is shown when the app itself fails: where and what, never the values of variables."""

from __future__ import annotations

import traceback
from pathlib import Path

from rich.text import Text

from batchtui import text


def crash_text(error: BaseException | None) -> Text:
    """A short report: the error, and file and line of the last calls. Locals stay out: they can hold keys."""
    if error is None:
        return Text("batchtui stopped because of a fault of its own.")
    while error.__cause__ is not None:
        error = error.__cause__
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    places = "\n".join(f"  {Path(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in frames)
    return Text(
        f"batchtui stopped because of a fault of its own: {type(error).__name__}: {text.cell(error)}\n{places}\n"
        "Nothing that runs remotely was stopped; opening the app again picks everything up."
    )
