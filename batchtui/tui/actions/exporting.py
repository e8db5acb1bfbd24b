"""Results to a file from a screen: those that are marked or shown, or all; the dialog names which and how many."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from batchtui.amounts import counted
from batchtui.errors import BatchtuiError
from batchtui.outcome import key_words
from batchtui.store.folder import BatchFolder
from batchtui.tui.actions.scope import Scope
from batchtui.tui.look import figures
from batchtui.tui.screens.asking.dialogs import Ask
from batchtui.tui.screens.asking.export_dialog import ExportDialog

if TYPE_CHECKING:
    from batchtui.tui.base_app import BaseApp


@dataclass(frozen=True, slots=True)
class Choice:
    """What a file may hold: a label, and the job numbers; None for all, those that are born meanwhile too."""

    label: str
    numbers: Collection[int] | None


def choices(scope: Scope, total: int) -> list[Choice]:
    """What there is to choose, the nearest to what the screen shows first."""
    found = []
    count = figures.count
    if scope.marked:
        if scope.hides and scope.shown:
            found.append(Choice(f"the {count(len(scope.shown))} marked that are shown", scope.shown))
        found.append(Choice(f"the {count(len(scope.meant))} marked", scope.meant))
    elif scope.hides and scope.shown:
        found.append(Choice(f"the {count(len(scope.shown))} shown", scope.shown))
    return [*found, Choice(f"all {count(total)}", None)]


def export_jobs(app: BaseApp, batch_id: str, scope: Scope) -> None:
    """Ask which and where to, then write in a thread."""
    folder = app.link.folder(batch_id)
    if folder is None:
        app.say_none()
        return
    if not scope.marked and scope.hides and not scope.shown:
        app.say(f"nothing to export: the filter shows no job; {app.key('screen.back')} clears it", "warning")
        return
    found = choices(scope, len(folder.jobs))

    def answered(answer: tuple[int, str] | None) -> None:
        if answer:
            at, path = answer
            _start(app, [(folder, path, found[at].numbers)])

    title = f"Export results of {folder.header.name or folder.id}"
    app.ask(ExportDialog(title, [choice.label for choice in found], f"{file_name(folder)}.jsonl"), answered)


def export_batches(app: BaseApp, ids: Sequence[str]) -> None:
    """One batch with all its jobs; of several, a file each."""
    folders = [folder for batch_id in ids if (folder := app.link.folder(batch_id))]
    if len(folders) < 2:
        if not folders:
            app.say_none()
            return
        total = len(folders[0].jobs)
        export_jobs(app, folders[0].id, Scope(range(total), range(total)))
        return

    def answered(path: str | None) -> None:
        if not path or not path.strip():
            return
        if "*" not in Path(path).name:
            app.say("not exported: put a * where the batch's name belongs, such as *.jsonl", "warning")
            return
        names = _different([file_name(folder) for folder in folders])
        _start(app, [(one, path.replace("*", name), None) for one, name in zip(folders, names, strict=True)])

    ask = Ask(
        f"Export {len(folders)} marked batches, a file each",
        "Where to; * stands for the batch's name, and the ending decides the format: .jsonl .csv .json .parquet",
        value="*.jsonl",
    )
    app.ask(ask, answered)


def file_name(folder: BatchFolder) -> str:
    """The batch's name as that of a file."""
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in folder.header.name)[:60] or folder.id


def _different(names: Sequence[str]) -> list[str]:
    """The same names, those that were there before with a number."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return found


def _start(app: BaseApp, files: Sequence[tuple[BatchFolder, str, Collection[int] | None]]) -> None:
    """Write the files in a thread, and say what came of it."""

    def work() -> None:
        from batchtui.results.export.file import export_batch

        for folder, path, numbers in files:
            target = str(Path(path.strip()).expanduser())
            try:
                count = export_batch(folder, target, numbers=numbers)
            except (BatchtuiError, OSError, ValueError) as fault:
                app.call_later(app.say, f"not exported: {fault}", "error")
            else:
                total = len(folder.jobs)
                told = (
                    counted(count, "result") if count == total else f"{count:,} of {counted(total, 'result')}"
                )
                app.call_later(app.say, f"wrote {told} to {target}")
                if words := key_words(folder.status()):
                    app.call_later(app.say, words, "warning")

    app.run_worker(work, thread=True, exit_on_error=False, group="export")
    app.say("writing …")
