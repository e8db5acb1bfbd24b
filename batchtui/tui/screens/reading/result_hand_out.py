"""Actions of the reader that hand words out: copy, write, editor, pager."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from batchtui.model import Result
from batchtui.store.folder import BatchFolder
from batchtui.tui.actions import handing_out
from batchtui.tui.look import result_texts
from batchtui.tui.screens.base import AppScreen
from batchtui.tui.screens.composing.dialogs import AskPath
from batchtui.tui.widgets.preview import size

if TYPE_CHECKING:
    from collections.abc import Callable


class HandOut(AppScreen):
    """Needs `folder` and `result` of its screen."""

    folder: BatchFolder
    result: Result | None

    def _file_name(self, ending: str) -> str:
        job_id = self.result.job_id if self.result else ""
        return handing_out.file_name(self.folder.header.name, job_id, ending=ending)

    def _answer(self) -> str | None:
        """The answer's words; None, and a word about it, where there are none."""
        text = result_texts.answer_text(self.result) if self.result else ""
        if not text:
            self.tui.say("there is no answer to hand out")
            return None
        return text

    def action_result_copy(self) -> None:
        if (text := self._answer()) is not None:
            self._copy(text, ".txt")

    def action_result_copy_json(self) -> None:
        if self.result:
            self._copy(result_texts.result_json(self.result), ".json")

    def _copy(self, text: str, ending: str) -> None:
        wanted = self.tui.config.ui.get("clipboard", "auto")
        if wanted != "file" and handing_out.encoded_size(text) <= handing_out.CLIPBOARD_BYTES:
            data = handing_out.encoded(text)
            self.app.copy_to_clipboard(data.decode())
            self.tui.say(
                f"{size(len(data))} sent to the terminal's clipboard; if nothing arrived, "
                f"{self.tui.key('result.write')} writes a file"
            )
            return
        try:
            path = handing_out.write_beside(self.tui.data_dir / "copies", self._file_name(ending), text)
        except OSError as fault:
            self.tui.say(
                f"not copied: {fault}; {self.tui.key('result.write')} writes it where you say", "error"
            )
        else:
            why = "" if wanted == "file" else "too long for the terminal's clipboard; "
            self.tui.say(f"{why}written to {path}")

    def action_result_write(self) -> None:
        text = self._answer()
        if text is None:
            return

        def answer(path: str | None) -> None:
            if path:
                fault = handing_out.write_new(Path(path), text)
                self.tui.say(fault or f"written to {path}", "error" if fault else "information")

        about = "The answer, word for word."
        self.tui.ask(
            AskPath("Write the answer to a file", about, value=self._file_name(".txt"), base=Path.cwd()),
            answer,
        )

    def action_result_editor(self) -> None:
        if (text := self._answer()) is not None:
            self._suspended(lambda: handing_out.run_on_file(("VISUAL", "EDITOR"), "vi", text, ".txt"))

    def action_result_pager(self) -> None:
        if (text := self._answer()) is not None:
            shown = handing_out.for_pager(text)
            self._suspended(lambda: handing_out.run_on_file(("PAGER",), "less", shown, ".txt"))

    def _suspended(self, run: Callable[[], str | None]) -> None:
        try:
            with self.app.suspend():
                fault = run()
        except SuspendNotSupported:
            fault = f"this terminal cannot be handed to another program; {self.tui.key('result.write')} writes a file"
        if fault:
            self.tui.say(fault, "warning")
