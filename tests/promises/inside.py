"""Commands in this very process: a tenth of what a process costs, where how it starts and ends is not in question."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

from batchtui.cli.entry import main
from tests.cli.cli_help import Ran


class Inside:
    """Runs commands over one data folder and config."""

    def __init__(self, data_dir: Path, config: Path) -> None:
        self._options = ("--data-dir", str(data_dir), "--config", str(config), "--no-input")

    def __call__(self, *arguments: str) -> Ran:
        out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([*arguments, *self._options])
        ran = Ran(code, _written(out), _written(err))
        assert "internal fault" not in ran.err, ran.err
        return ran

    def answers(self, batch_id: str) -> dict[str, str | None]:
        """By job id what its counting result says."""
        rows = self("results", batch_id, "--format", "jsonl").documents
        return {row["job_id"]: row["raw_response"] for row in rows}


def _written(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()
