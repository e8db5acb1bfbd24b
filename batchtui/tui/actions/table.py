"""Every action of the app in one table: it feeds the key bindings, the footer, the help screen and the palette.

An action `batch.cancel` is the method `action_batch_cancel` of its screen; `app.*` and `screen.*` belong to the app.
Its id is a promise: `[keys]` of the configuration rebinds by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from textual.actions import ActionParseResult
from textual.binding import Binding, BindingType

from batchtui.errors import nearest

EVERYWHERE = (
    "batches",
    "batch",
    "info",
    "errors",
    "result",
    "compose",
    "log",
    "help",
    "manual",
    "first_run",
    "backends",
    "remote",
    "settings",
    "views",
    "compare",
    "pair",
)
SCREENS = (*EVERYWHERE, "dialog")
NUMBERED = tuple(name for name in EVERYWHERE if name != "result")
"""Screens where digits choose a screen; in the reader they choose a view."""
VIEWS = ("views", "compare")
LISTS = ("batches", "batch", "log", "settings", *VIEWS)
MOVING = (*LISTS, "info", "errors", "pair", "result", "manual")
LEAVES = "ctrl+q"
"""Quits from a dialog and from the palette as well, which take letters for themselves."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a user can do. `show` puts it into the footer, in the order of the table."""

    id: str
    title: str
    help: str
    keys: tuple[str, ...]
    screens: tuple[str, ...]
    show: bool = False
    priority: bool = False
    """Reaches the app before the focused widget: only for keys that a text field does not need."""

    @property
    def method(self) -> str:
        return self.id.replace(".", "_")

    @property
    def of_app(self) -> bool:
        return self.id.startswith(("app.", "screen."))

    def binding(self) -> Binding:
        return Binding(
            ",".join(self.keys), self.method, self.title, show=self.show, priority=self.priority, id=self.id
        )


ACTIONS: tuple[Action, ...] = (
    # ---- what stands first in a footer
    Action("batch.open", "Open", "Open the batch: its jobs, one a line", ("enter",), ("batches",), True),
    Action("job.open", "Read", "Read the job's result", ("enter",), ("batch", *VIEWS, "pair"), True),
    Action("errors.open", "Show jobs", "Show only the jobs that failed of this cause", ("enter",), ("errors",), True),
    Action("batch.new", "New", "Compose a new batch", ("n",), ("batches", "first_run"), True),
    Action("list.mark", "Mark", "Mark or unmark; actions then apply to the marked ones", ("space",),
           ("batches", "batch"), True),
    Action("batch.retry", "Retry", "Put failed, invalid, expired and cancelled jobs back to pending: the marked ones, "
           "else those shown; of the causes, those of the one under the cursor", ("r",), ("batches", "batch", "errors"), True),
    Action("batch.cancel", "Cancel", "Cancel the marked batches or jobs, those shown, or the whole batch; asks first",
           ("x",), ("batches", "batch"), True),
    Action("list.filter", "Filter", "Type to narrow the list; `!text` leaves out, `/pattern/` is a regular expression, "
           "`status:failed` looks at a column",
           ("slash",), LISTS, True),
    Action("batch.pause", "Pause", "Pause: nothing more is sent and nothing is polled; again to resume", ("p",),
           ("batches", "batch", "info"), True),
    Action("batch.info", "Facts", "All about the batch: money, times, every submission and its stage", ("i",),
           ("batches", "batch"), True),
    Action("list.failed", "Failed only", "Show only the jobs that did not succeed; again for all", ("f",),
           ("batch",), True),
    Action("batch.errors", "Errors", "Why jobs failed, one cause a row: what they are, what helps, and a retry of one cause",
           ("E",), ("batches", "batch", "info"), True),
    Action("batch.resolve", "Settle", "Settle what needs a person: an unsure submission, a canary, a spent budget",
           ("u",), ("batches", "batch", "info"), True),
    Action("batch.collect", "Collect", "Bring home the answers that are not here, from what was kept or from the "
           "backend; costs nothing", ("h",), ("batches", "batch", "info")),
    Action("batch.limit", "Limits", "Change what the batch may cost and how long it may take", ("l",),
           ("batches", "batch", "info"), True),
    Action("view.open", "Views", "Tables and pictures over what is marked, else shown; from a result, over that job", ("v",),
           ("batches", "batch", "result"), True),
    Action("view.compare", "Compare", "Compare two marked jobs or batches side by side, or this batch with another",
           ("C",), ("batches", "batch", *VIEWS)),
    Action("list.sort", "Sort", "Sort by the next column; in a view by the underlined one, which left and right move",
           ("s",), ("batches", "batch", *VIEWS)),
    Action("list.reverse", "Reverse", "Turn the order round", ("S",), ("batches", "batch", *VIEWS)),
    Action("list.range", "Mark to here", "Mark all that is shown from the last mark to the cursor", ("V", "ctrl+@"),
           ("batches", "batch")),
    Action("list.extend_down", "Mark down", "Mark along with the cursor, one line down; on its way back it unmarks",
           ("shift+down",), ("batches", "batch")),
    Action("list.extend_up", "Mark up", "Mark along with the cursor, one line up", ("shift+up",), ("batches", "batch")),
    Action("list.columns", "Columns", "Choose which columns the list has, and in what order", ("o",), ("batches", "batch")),
    Action("list.all", "Mark all", "Mark everything the filter shows", ("ctrl+a",), ("batches", "batch")),
    Action("list.none", "Unmark", "Take all marks away", ("ctrl+backslash", "U"), ("batches", "batch")),
    Action("batch.export", "Export", "Write to a file what is marked, else shown, or all", ("e",),
           ("batches", "batch", "result")),
    Action("batch.clone", "Clone", "A new batch from this one: edited, or of the marked or shown jobs as they are", ("c",),
           ("batches", "batch")),
    Action("batch.archive", "Archive", "Hide the batch, or bring it back; everything stays on the disk", ("z",),
           ("batches",)),
    Action("batch.tag", "Tag", "Tag the marked batches, or take a tag away; `tag:x` in the filter finds them", ("T",),
           ("batches",)),
    Action("batch.rename", "Rename", "Give the batch another name, which no other batch has", ("N",), ("batches",)),
    Action("batch.archived", "Archived too", "Show archived batches too; again to hide them", ("Z",), ("batches",)),
    Action("batch.remove", "Remove", "Delete the batch with its results from the disk; asks first", ("delete", "D"),
           ("batches",)),
    Action("batch.log", "Log", "What happened to this batch, in order", ("t",), ("batches", "batch", "info")),
    Action("label.good", "Good", "Call the result good, or the marked ones; again takes it back. `label:good` finds them",
           ("plus",), ("batch", "result")),
    Action("label.bad", "Bad", "Call the result bad, or the marked ones; again takes it back", ("minus",),
           ("batch", "result")),
    Action("label.again", "Look again", "Call the result one to look at again, or the marked ones; again takes it back",
           ("equals_sign",), ("batch", "result")),
    Action("label.note", "Note", "Write a note on the result", ("a",), ("batch", "result")),
    # ---- the result reader
    Action("result.next", "Next", "The next job of the list; while a text is searched, the next place of it",
           ("n", "right", "right_square_bracket"), ("result", "pair"), True),
    Action("result.previous", "Previous", "The job before this one in the list",
           ("p", "left", "left_square_bracket"), ("result", "pair"), True),
    Action("result.find", "Find", "Find text in what is shown; escape ends the search", ("slash",), ("result",), True),
    Action("result.find_previous", "Hit before", "The place before where the text is found", ("N",), ("result",)),
    Action("result.copy", "Copy", "Copy the answer to the terminal's clipboard", ("y",), ("result",), True),
    Action("result.copy_json", "Copy JSON", "Copy the whole result as JSON", ("Y",), ("result",)),
    Action("result.write", "Write", "Write the answer to a file", ("w",), ("result",), True),
    Action("result.editor", "Editor", "Open the answer in $EDITOR", ("o",), ("result",), True),
    Action("result.pager", "Pager", "Open the answer in $PAGER", ("P",), ("result",)),
    Action("result.markdown", "Markdown", "Show the answer as Markdown; again for plain text", ("M",),
           ("result",), True),
    Action("result.tree", "Tree", "Show a JSON answer as a tree; again for text", ("t",), ("result",), True),
    Action("result.page_next", "More", "The next part of a long text", ("greater_than_sign",), ("result",)),
    Action("result.page_previous", "Part before", "The part before of a long text", ("less_than_sign",), ("result",)),
    Action("result.answer", "Answer", "What came back", ("1",), ("result",)),
    Action("result.request", "Request", "The job as it was sent, and its source row", ("2",), ("result",)),
    Action("result.json", "JSON", "The whole result as JSON", ("3",), ("result",)),
    Action("result.meta", "Meta", "State, tokens, cost, times and errors", ("4",), ("result",)),
    Action("result.attempts", "Attempts", "Every attempt that gave something", ("5",), ("result",)),
    Action("result.view", "Next view", "The next of these views", ("tab",), ("result",)),
    Action("pair.better", "Better", "The second answer is the better one; again takes it back", ("b",), ("pair",), True),
    Action("pair.worse", "Worse", "The second answer is the worse one; again takes it back", ("w",), ("pair",), True),
    Action("pair.same", "Same", "Neither answer is better; again takes it back", ("s",), ("pair",), True),
    # ---- tables and pictures
    Action("view.next", "Next view", "The next view", ("tab",), VIEWS, True),
    Action("view.previous", "View before", "The view before this one", ("shift+tab",), VIEWS),
    Action("view.choose", "All views", "Choose a view from a list", ("v",), VIEWS),
    Action("view.picture", "Picture", "The picture, the table, or both where there is room", ("p",), VIEWS, True),
    Action("view.x", "Column x", "Choose the column along the picture", ("x",), VIEWS, True),
    Action("view.y", "Column y", "Choose the column that is drawn or compared", ("y",), VIEWS, True),
    Action("view.write", "Write", "Write the view to a file: .csv .parquet .md .svg", ("e", "w"), VIEWS, True),
    Action("view.all", "Whole batch", "Over the whole batch, or again over the jobs it was opened for", ("a",), VIEWS),
    Action("view.reload", "Read again", "Read the results again, with those that came since", ("R",), VIEWS),
    # ---- compose
    Action("compose.save", "Save", "Save as a batch file", ("f2", "ctrl+s"), ("compose",), True, True),
    Action("compose.column", "Column", "Insert the name of a column where the cursor is", ("f3",), ("compose",),
           True, True),
    Action("compose.models", "Models", "Choose the model from those of the backend, with their prices, or the flow", ("ctrl+l",),
           ("compose",), True, True),
    Action("compose.task", "Task", "The next task on a grid: dc, ac, n1, dcopf, acopf", ("ctrl+t",), ("compose",), False,
           True),
    Action("compose.open", "Open", "Open a batch file or a source", ("f4", "ctrl+o"), ("compose",), True, True),
    Action("compose.check", "Check", "Check every row without sending anything", ("f5",), ("compose",), True, True),
    Action("compose.previous_row", "Previous row", "Preview the row before", ("f7",), ("compose",), False, True),
    Action("compose.next_row", "Next row", "Preview the next row", ("f8",), ("compose",), True, True),
    Action("compose.submit", "Submit", "Check everything once more, then ask and submit", ("f9", "ctrl+j"),
           ("compose",), True, True),
    Action("compose.backends", "Backends", "What is configured, and whether it answers", ("f6",), ("compose",), False, True),
    Action("compose.new", "Start over", "Empty the form for another batch; what stood in it is kept as a draft", ("ctrl+n",),
           ("compose",), False, True),
    Action("compose.drafts", "Drafts", "Forms that were neither submitted nor saved, to go on with", ("ctrl+g",), ("compose",),
           False, True),
    # ---- first run
    Action("first_run.example", "Example", "Take a ready batch with its rows: written into a folder here, opened in the editor",
           ("e",), ("first_run",), True),
    Action("first_run.file", "Your file", "A file of your own, typed or dropped here: what it holds, and a batch for it",
           ("f",), ("first_run",)),
    Action("first_run.provider", "Provider", "Which providers' keys were found, and a table for one, tested before it is written",
           ("p",), ("first_run", "backends")),
    Action("first_run.tour", "Tour", "What there is to know, in two minutes; any key leaves", ("t",), ("first_run",)),
    Action("first_run.show", "First screen", "What to begin with: examples, a file of your own, a provider, the tour",
           ("F",), ("batches",)),
    Action("first_run.demo", "Demo", "Try the demo: sample batches over a server on this machine, no key needed",
           ("d",), ("first_run",), True),
    Action("first_run.backends", "Backends", "What is configured, and whether it answers", ("b",), ("first_run",), True),
    # ---- backends
    Action("backends.open", "Batches there", "List the batches that live at the backend, to take one over", ("enter",),
           ("backends",), True),
    Action("backends.probe", "Ask", "Ask the backend whether it answers and takes the key", ("t",), ("backends",), True),
    Action("backends.probe_all", "Ask all", "Ask every backend", ("a",), ("backends",), True),
    # ---- settings
    Action("settings.edit", "Open its file", "Open the file that says it in $EDITOR, on its line; where there is none yet, "
           "write one", ("enter",), ("settings",), True),
    # ---- what lives at a backend
    Action("remote.adopt", "Take over", "Follow the batch here and collect its results; one that is followed is opened",
           ("enter",), ("remote",), True),
    Action("remote.list", "List again", "Ask the backend again what lives there", ("a",), ("remote",), True),
    # ---- the manual
    Action("help.manual", "Manual", "The page of the manual on the screen you came from", ("m",), ("help",), True),
    Action("manual.next", "Next page", "The next page of the manual", ("n", "right", "right_square_bracket"),
           ("manual",), True),
    Action("manual.previous", "Page before", "The page of the manual before this one",
           ("p", "left", "left_square_bracket"), ("manual",), True),
    Action("manual.choose", "All pages", "Choose a page of the manual", ("m", "c"), ("manual",), True),
    # ---- the log
    Action("log.follow", "Follow", "Keep to the newest line, or stand still", ("f",), ("log",), True),
    Action("log.wrap", "Wrap", "Wrap long lines, or cut them", ("W",), ("log",), True),
    Action("log.batch", "This batch", "Only lines of the selected batch; again for all", ("b",), ("log",), True),
    # ---- dialogs
    Action("dialog.yes", "Yes", "Do it", ("y",), ("dialog",)),
    Action("dialog.no", "No", "Leave everything as it is", ("n", "escape"), ("dialog",)),
    # ---- moving
    Action("nav.down", "Down", "One line down (also the arrow keys)", ("j",), MOVING),
    Action("nav.up", "Up", "One line up", ("k",), MOVING),
    Action("nav.top", "Top", "To the first line (also Home)", ("g",), MOVING),
    Action("nav.bottom", "Bottom", "To the last line (also End)", ("G",), MOVING),
    Action("nav.page_down", "Page down", "A page down", ("ctrl+d",), MOVING),
    Action("nav.page_up", "Page up", "A page up", ("ctrl+u",), MOVING),
    # ---- everywhere
    Action("app.refresh", "Refresh", "Ask the backends now instead of at the next poll", ("ctrl+r",), EVERYWHERE),
    Action("app.palette", "Commands", "Everything by name: what can be done here, batches, backends, pages of the manual, themes",
           ("ctrl+p", "colon"), EVERYWHERE),
    Action("app.interrupt", "Interrupt", "Says how to quit; ctrl+c copies where text is selected", ("ctrl+c",),
           EVERYWHERE),
    Action("app.suspend", "Suspend", "Back to the shell; its `fg` brings the app back", ("ctrl+z",), EVERYWHERE),
    Action("app.help", "Help", "Keys of this screen, states, and what quitting means",
           ("question_mark", "f1"), EVERYWHERE, True),
    Action("app.settings", "Settings", "Every setting in effect: its value, where it came from and what it means", ("comma",),
           EVERYWHERE),
    Action("app.quit", "Quit", "Leave; what runs remotely keeps running", ("q", LEAVES), EVERYWHERE, True),
    Action("screen.batches", "Batches", "All batches", ("1",), NUMBERED, True),
    Action("screen.compose", "Compose", "The batch you are composing", ("2",), NUMBERED, True),
    Action("screen.results", "Results", "Jobs and results of the selected batch", ("3",), NUMBERED, True),
    Action("screen.log", "Log", "What the app and its worker do", ("4",), NUMBERED, True),
    Action("screen.back", "Back", "Back: closes the filter, then the screen; never quits", ("escape",), EVERYWHERE),
)  # fmt: skip

BY_ID: Mapping[str, Action] = {action.id: action for action in ACTIONS}
WRITES = frozenset(
    {
        "batch.retry", "batch.cancel", "batch.pause", "batch.resolve", "batch.collect", "batch.limit", "batch.clone",
        "batch.archive", "batch.tag", "batch.rename", "batch.remove", "label.good", "label.bad", "label.again", "label.note",
        "pair.better", "pair.worse", "pair.same", "compose.submit", "compose.save", "remote.adopt", "first_run.example",
        "first_run.provider",
    }
)  # fmt: skip
"""What changes a batch, sends, or writes a file of ours: refused in an app that only reads. Exports are reading."""


def that_writes(action: str | ActionParseResult) -> Action | None:
    """The action of that call, where it is one that writes."""
    name = action.partition("(")[0] if isinstance(action, str) else action[1]
    method = name.rpartition(".")[2]
    return next((BY_ID[one] for one in WRITES if BY_ID[one].method == method), None)


def of_screen(name: str) -> Iterator[Action]:
    """Actions of a screen, in the order of its footer."""
    return (action for action in ACTIONS if name in action.screens)


def bindings(name: str) -> list[BindingType]:
    """`BINDINGS` of the screen called `name`, or of the app."""
    if name == "app":
        above = Binding(LEAVES, "leave", show=False, priority=True)
        return [*(action.binding() for action in ACTIONS if action.of_app), above]
    return [action.binding() for action in of_screen(name) if not action.of_app]


def keymap(wanted: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """`[keys]` as Textual takes it, and a sentence for every entry that is refused."""
    good: dict[str, str] = {}
    faults: list[str] = []
    for action_id, keys in wanted.items():
        if action_id not in BY_ID:
            faults.append(f'[keys] "{action_id}": no such action{nearest(action_id, BY_ID)}')
        elif not (parts := [part.strip() for part in keys.split(",") if part.strip()]):
            faults.append(f'[keys] "{action_id}": no key given')
        elif clash := _clash(action_id, parts, wanted):
            faults.append(f'[keys] "{action_id}" = "{keys}": that is already the key of {clash}')
        else:
            good[action_id] = ",".join(_name(part) for part in parts)
    return good, faults


def _clash(action_id: str, keys: list[str], wanted: Mapping[str, str]) -> str | None:
    """An action of a common screen that holds one of these keys and keeps it."""
    screens = set(BY_ID[action_id].screens)
    mine = {_name(key) for key in keys}
    for other in ACTIONS:
        if other.id == action_id or not screens & set(other.screens):
            continue
        held = wanted[other.id].split(",") if other.id in wanted else other.keys
        if mine & {_name(key.strip()) for key in held}:
            return f'"{other.id}"'
    return None


_NAMES = {
    "/": "slash",
    "+": "plus",
    "-": "minus",
    "=": "equals_sign",
    "?": "question_mark",
    ":": "colon",
    "[": "left_square_bracket",
    "]": "right_square_bracket",
    "<": "less_than_sign",
    ">": "greater_than_sign",
    "ctrl+space": "ctrl+@",  # what terminals send for it
}


def _name(key: str) -> str:
    return _NAMES.get(key, key)


_SHOWN = {name: char for char, name in _NAMES.items()} | {
    "comma": ",", "ctrl+backslash": "ctrl+\\", "escape": "esc", "delete": "del",
}  # fmt: skip


def shown_key(key: str) -> str:
    """A key as users read it."""
    return _SHOWN.get(key, key)
