"""Every command by name: the module in a room of `batchtui.cli` that holds it, imported only when it is asked for, and
one line of help.

Such a module has `arguments(command, parser)`, which says what it takes, and `run(command, args, session)`, which
does it and answers the exit code.
"""

from __future__ import annotations

from typing import NamedTuple

from batchtui import exit_codes


class Entry(NamedTuple):
    module: str
    summary: str
    group: str = ""


COMMANDS: dict[str, Entry] = {
    "open": Entry("setup.app", "open the app, on a batch", "The app"),
    "new": Entry("setup.app", "open the app's editor, on a batch file or a source"),
    "serve": Entry(
        "setup.serve", "the app in a browser: `--web`, on this machine's own address, behind a token"
    ),
    "demo": Entry("setup.demo", "the app over sample batches, without any key; or the demo server alone"),
    "example": Entry("setup.example", "ready batches with their rows: list them, or write one into a folder"),
    "check": Entry(
        "submit.check", "say what a batch would be, and what is wrong with it; sends nothing", "Run"
    ),
    "run": Entry("submit.run", "submit a batch, follow it and write its results"),
    "resume": Entry("control.resume", "drive every unfinished batch, or one, until it ends"),
    "list": Entry("reading.look", "all batches, newest first", "Look"),
    "status": Entry("reading.look", "one batch, with its submissions"),
    "watch": Entry("reading.watch", "follow a batch until it ends"),
    "wait": Entry("reading.watch", "block until a batch has ended"),
    "cancel": Entry("control.act", "cancel a batch, or some of its jobs", "Act"),
    "pause": Entry("control.act", "send nothing more until `resume`"),
    "retry": Entry("control.act", "put jobs that did not succeed back to pending"),
    "clone": Entry(
        "submit.clone", "a new batch of a batch's jobs, or of some of them; nothing is sent before `resume`"
    ),
    "collect": Entry(
        "control.collect", "bring answers home that are not here, from raw/ or the provider, at no cost"
    ),
    "limit": Entry("control.act", "change a batch's limits, such as cost_usd=9"),
    "resolve": Entry("control.act", "answer what needs a person"),
    "rename": Entry("control.act", "give a batch another name, which no other batch has"),
    "archive": Entry("control.act", "hide a batch from the list, or bring it back"),
    "tag": Entry("control.act", "add tags to a batch, or take them away"),
    "remote": Entry("submit.remote", "the batches that live at a backend, whoever made them"),
    "adopt": Entry("submit.adopt", "take over a batch that was made elsewhere, by its id there"),
    "bundle": Entry("submit.bundle", "write a batch into one file, without keys, for another machine"),
    "import": Entry("submit.importing", "take in a bundle, or a batchata results folder or state file"),
    "fsck": Entry("control.fsck", "prove that what is stored is sound, and mend it when asked to"),
    "rm": Entry("control.remove", "delete a batch and its results from this machine"),
    "results": Entry("reading.read", "the results of a batch, in source order", "Read"),
    "export": Entry("reading.read", "the results of a batch, to a file"),
    "show": Entry("reading.read", "one job and its result"),
    "errors": Entry("reading.read", "why jobs failed, told once a cause"),
    "view": Entry(
        "reading.view", "tables and pictures over a batch's results; without a NAME, which there are"
    ),
    "diff": Entry("reading.diff", "what differs between two batches of the same jobs, or between two jobs"),
    "help": Entry("setup.help", "the manual: its pages, one of them, or what a command takes", "Set up"),
    "backends": Entry("setup.backends", "configured backends; `probe` asks one whether it is there"),
    "notify": Entry("setup.notify", "who is told of what happens; `test` tells each of them something"),
    "config": Entry("setup.config", "the configuration: path, show, check, init, add"),
    "doctor": Entry("setup.doctor", "check that everything here is fit to run batches"),
    "prices": Entry("setup.prices", "what a model costs, and where that is from"),
    "keys": Entry("setup.keys", "the app's keys and the ids that rebind them"),
    "completion": Entry("setup.completion", "a completion script for your shell"),
}

HELP_HEAD = """\
usage: batchtui [COMMAND] [OPTIONS]

One terminal for every batch. Without a command it opens the app.
"""
HELP_TAIL = """\
`batchtui COMMAND --help` shows what a command takes, `batchtui help` the pages of the manual. An id may be any
unambiguous beginning of it, or the name.

Common options, before or after the command:
  --json              data as JSON: one document for one thing, JSON Lines for many
  -q, --quiet         no words beside data and errors       -v, --verbose  more words
  --no-input          never ask                             --debug        show tracebacks
  --data-dir DIR      the folder that holds batches/        --config FILE  the configuration
  --env-file FILE     variables, such as keys, from a file  --color auto|never
Every option is a variable too: BATCHTUI_DATA_DIR, BATCHTUI_CONFIG, BATCHTUI_JSON=1 …

"""


def short_help() -> str:
    """A screenful less than `--help`, for who cannot have the app."""
    groups: dict[str, list[str]] = {}
    for name, entry in COMMANDS.items():
        if entry.group:
            group = groups.setdefault(entry.group, [])
        group.append(name)
    del groups["The app"]
    lines = [f"  {group + ':':<8} {', '.join(names)}" for group, names in groups.items()]
    return "\n".join(
        ["usage: batchtui COMMAND [OPTIONS], without a screen:", *lines, "`batchtui --help` says more."]
    )


def overview() -> str:
    """`batchtui --help`."""
    lines = [HELP_HEAD]
    for name, entry in COMMANDS.items():
        if entry.group:
            lines.append(f"{entry.group}:")
        lines.append(f"  {name:<11} {entry.summary}")
    return "\n".join(lines) + "\n\n" + HELP_TAIL + exit_codes.table()
