"""The worst strings in results, tables of scenarios, figures' keys, grid files and logs, through the screens of views."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from batchtui.store.library import Library
from tests.results.views.hostile_samples import figures_of, scenarios
from tests.terminal.terminals import ESCAPE, Pty
from tests.terminal.test_outside_text import FORBIDDEN, acts
from tests.tui.samples import Sample
from tests.tui.test_hostile import HOSTILE

POWER = Path(__file__).parents[1] / "data" / "power"
STRINGS = (
    "osc0-title-bel", "osc52-write", "csi-clear", "c1-csi", "dcs-sixel", "bidi-trojan-source", "hidden-tags", "markup-click",
    "c0-cr", "unicode-ls-ps",
)  # fmt: skip
"""One of each way to act on a terminal."""


class Typist:
    """The app on a terminal, with the names of the strings that must not reach it."""

    def __init__(self, env: dict[str, str], *arguments: str) -> None:
        self.terminal = Pty(env, *arguments, size=(120, 40))

    def press(self, *keys: bytes) -> None:
        for key in keys:
            self.terminal.press(key)
            self.terminal.settle()

    def leave(self, *names: str) -> None:
        """Quit, and look at every byte that was written."""
        self.press(b"\x03")
        self.press(b"\x03", b"\r")
        written = self.terminal.written
        assert acts(written) == set()
        assert not [part for name in names for part in FORBIDDEN[name] if part in written]
        assert b"Traceback" not in written


def ended(env: dict[str, str], *arguments: str) -> tuple[int, str]:
    """A command on a terminal: its exit code and what it wrote there, which acts on nothing."""
    terminal = Pty(env, *arguments, size=(100, 40))
    try:
        code = terminal.ended()
        assert acts(terminal.written) == set(), arguments
        assert b"Traceback" not in terminal.written
        return code, terminal.written.decode()
    finally:
        terminal.close()


@pytest.mark.parametrize("name", STRINGS[:2])
def test_no_view_lets_a_byte_of_it_through(env: dict[str, str], tmp_path: Path, name: str) -> None:
    text, library = HOSTILE[name], Library(tmp_path / "data")
    figures_of(library, f"first{text}", text, shift=0.5)
    scenarios(library, f"grid{text}", text)
    newest = figures_of(library, f"second{text}", text)
    typist = Typist(env, "open", newest.id)
    terminal = typist.terminal
    try:
        terminal.shown("0-")
        typist.press(b"v")
        terminal.shown(r"second.*Table")
        for _ in ("Plot", "Histogram", "Duration"):
            typist.press(b"\t", b"p", b"y")
            terminal.shown("Column for y")
            typist.press(ESCAPE)
        typist.press(b"v", ESCAPE, b"s", b"w")
        terminal.shown("Write this view")
        proposed = re.search(r"second\S*\.svg", terminal.text())
        assert proposed
        assert re.fullmatch(r"[\w.-]+", proposed[0])
        typist.press(ESCAPE, b"C")
        terminal.shown("Compare")
        typist.press(*(b"%c" % char for char in b"first"), b"\r")
        terminal.shown("Differences|only in")
        typist.press(b"\t", b"p", b"p", b"y", ESCAPE, b"\r")
        typist.leave(name)
    finally:
        terminal.close()


@pytest.mark.parametrize("name", STRINGS[:2])
def test_no_command_lets_a_byte_of_it_through(env: dict[str, str], tmp_path: Path, name: str) -> None:
    """Several commands a terminal costs seconds: those of one string each for figures and for scenarios."""
    text, library = HOSTILE[name], Library(tmp_path / "data")
    first, second = figures_of(library, "first", text, shift=0.5), figures_of(library, "second", text)
    grid = scenarios(library, "grid", text)
    commands = [
        ["view", first.id, "table"],
        ["view", first.id, "plot", "--format", "csv"],
        ["view", grid.id, "failures", "--format", "markdown"],
        ["view", grid.id, "loading", "--format", "svg"],
        ["diff", first.id, second.id],
    ]
    for command in commands:
        code, written = ended(env, *command)
        assert code == 0, written
    assert ended(env, "view", first.id, "table", "--job", text.replace("\0", "") or "x")[0] == 7
    assert ended(env, "view", grid.id, "flows", "--row", f"1 {text}".replace("\0", ""))[0] in (0, 2, 7)


@pytest.mark.parametrize("name", STRINGS[:2])
def test_a_manifest_and_a_log_let_no_byte_of_it_through(
    env: dict[str, str], tmp_path: Path, name: str
) -> None:
    """Scenario ids, grid and load files of a manifest in the compose form; what programs print in the batch's log."""
    text = HOSTILE[name]
    case = Path(shutil.copytree(POWER / "case14", tmp_path / "case"))
    manifest = json.loads((case / "manifest_ac.json").read_text())
    for number, row in enumerate(manifest["scenarios"][:3]):
        row["scenario_id"] = f"{number}-ok"
        row["loads" if "loads" in row else "case"] = f"{text}.csv"
    (case / "hostile.json").write_text(json.dumps(manifest))
    typist = Typist(env, "new", str(case / "hostile.json"))
    try:
        typist.terminal.shown("Submit|Check")
        typist.press(b"\x1b[15~")  # f5
        typist.terminal.shown("mend|jobs")
        typist.press(b"\x1b[19~", b"\t", b"\t", ESCAPE)
        typist.leave(name)
    finally:
        typist.terminal.close()
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "3.out").write_text(f"2026-11-18T11:05:00Z {text}\nprinted {text}\n", errors="surrogatepass")
    sample = Sample(Library(tmp_path / "data"), "zz9new", "sweep", ["r0"], backend="cluster", kind="slurm")
    sample.submit(0, 1, text)
    sample.record("note", sub=1, facts={"logs": str(logs)})
    sample.record("poll", sub=1, state="processing", completed=0, failed=0, facts={"doing": text})
    sample.close()
    typist = Typist(env, "open", "zz9new")
    try:
        typist.terminal.shown("r0")
        typist.press(b"4", b"b")
        typist.terminal.shown("printed")
        typist.leave(name)
    finally:
        typist.terminal.close()
