"""A batch that reads one file and leaves one or two, whatever its protocol shows of it."""

from __future__ import annotations

from contextlib import ExitStack

from batchtui.demo.kinds import openai_rows
from batchtui.demo.kinds.files import Files
from batchtui.demo.run import Run
from batchtui.model import Json


class FileBatch:
    """What was asked for, what was found in its input, how far it is, where its results are."""

    result_purpose = "batch_output"

    def __init__(self, files: Files, asked: dict[str, Json], found: openai_rows.Input, batch_id: str) -> None:
        self.files, self.asked, self.found, self.id = files, asked, found, batch_id
        self.output_file: str | None = None
        self.error_file: str | None = None
        self.spent = (0, 0)
        """Tokens in and out of all answers."""
        self.run = Run(files.world, found.failing, self._write, valid=not found.problems)

    @property
    def results(self) -> dict[str, str | None]:
        """Ids of the files that an ended batch leaves."""
        ended = self.run.ended
        return {"output": self.output_file if ended else None, "error": self.error_file if ended else None}

    def results_expire(self) -> int | None:
        """When the files go that are written now."""
        return None

    def _write(self, done: int, ended_as: str) -> None:
        """Leaves the result files (in a thread); a file that would be empty is not made."""
        expires_at = self.results_expire()
        with ExitStack() as stack:
            made = [
                stack.enter_context(
                    self.files.writing(f"{self.id}_{name}.jsonl", self.result_purpose, expires_at)
                )
                for name in ("output", "error")
            ]
            (output_id, output), (error_id, errors) = made
            self.spent = openai_rows.write(self.files.world, self.found, done, ended_as, output, errors)
        self.output_file, self.error_file = self._unless_empty(output_id), self._unless_empty(error_id)

    def _unless_empty(self, file_id: str) -> str | None:
        if self.files.stored[file_id].bytes:
            return file_id
        del self.files.stored[file_id]
        return None
