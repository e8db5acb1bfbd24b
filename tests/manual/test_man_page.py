"""`man batchtui` has every command, option and exit code, and the wheel brings it."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

from batchtui import exit_codes
from batchtui.cli.commands import COMMANDS
from tests.manual.man_page import FILE, man_page

ROOT = Path(__file__).parents[2]


def test_it_is_as_the_code_is() -> None:
    assert FILE.read_text("utf-8") == man_page(), "run `python -m tests.manual.reference`"


def test_the_wheel_puts_it_where_man_looks() -> None:
    built = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"][
        "wheel"
    ]
    assert built["shared-data"] == {"batchtui/manual/batchtui.1": "share/man/man1/batchtui.1"}
    assert (ROOT / "batchtui/manual/batchtui.1").samefile(FILE)


def test_it_names_everything_and_can_be_shown() -> None:
    text = man_page()
    assert all(f"\n.SS {name}" in text for name in COMMANDS)
    assert all(f"\n.B {code.value}\n" in text for code in exit_codes.Exit)
    groff = shutil.which("groff")
    if groff is None:  # most machines have one
        return
    shown = subprocess.run(
        [groff, "-man", "-Tutf8", "-ww", str(FILE)], capture_output=True, text=True, check=True
    )
    assert shown.stderr == ""
    assert "--key-env" in re.sub(".\b", "", shown.stdout)  # bold is struck over
