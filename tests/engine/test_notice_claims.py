"""Of everybody who finds an event, one tells it."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from batchtui.engine.attention.notices.events import Notice
from batchtui.engine.attention.notices.told import FILE, claim
from tests.cli.cli_help import ROOT

CLAIMS = """
import sys
from pathlib import Path
from batchtui.engine.attention.notices.events import Notice
from batchtui.engine.attention.notices.told import claim
print(sum(claim(Path(sys.argv[1]), Notice(event="ended", key=str(n), batch="b", name="n", backend="x", title="t", text=""))
          for n in range(40)))
"""


def notice(key: str) -> Notice:
    return Notice(event="ended", key=key, batch="b", name="n", backend="x", title="t", text="")


def test_four_processes_tell_forty_events_forty_times(tmp_path: Path) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIMS, str(tmp_path)],
            stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        for _ in range(4)
    ]  # fmt: skip
    won = [int(one.communicate(timeout=60)[0]) for one in started]
    assert sum(won) == 40
    assert len((tmp_path / FILE).read_text().splitlines()) == 41


def test_so_do_threads_and_a_line_cut_by_a_crash_is_none(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: claim(tmp_path, notice("one")), range(30))) == 1
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'{"key": "two", "ti')
    assert claim(tmp_path, notice("two"))
    assert not claim(tmp_path, notice("two"))
