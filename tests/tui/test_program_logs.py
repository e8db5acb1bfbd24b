"""What programs on a cluster print, in the log of their batch."""

from __future__ import annotations

from pathlib import Path

from batchtui.store.library import Library
from batchtui.tui.look.logs.program_logs import FILES, tails
from batchtui.tui.screens.batch import BatchScreen
from batchtui.tui.screens.log import LogScreen
from tests.tui.samples import Sample, app_over
from tests.tui.waiting import screen_text, until


def test_the_ends_of_the_newest_logs(tmp_path: Path) -> None:
    for n in range(FILES + 2):
        (tmp_path / f"{n}.out").write_text(f"2026-11-18T11:0{n}:00Z element {n}\nprinted \x1b[31mred\n")
    (tmp_path / "other.txt").write_text("no log\n")
    rows = tails([str(tmp_path), str(tmp_path / "nowhere")])
    assert {words.split(" │ ")[0].strip() for _, words, _ in rows} == {"2", "3", "4", "5"}
    assert ("2026-11-18T11:05:00Z", "    5 │ element 5", "") in rows
    assert all("\x1b" not in words for _, words, _ in rows)
    long = tmp_path / "9.out"
    long.write_text(
        "".join(f"line {n} of a long log\n" for n in range(5000)) + "2026-11-18T12:00:00Z r1 started\n"
    )
    found = [words for _, words, _ in tails([str(tmp_path)]) if words.startswith("    9")]
    assert found[-2:] == ["    9 │ line 4999 of a long log", "    9 │ r1 started"]
    assert len(found) < 2000


async def test_the_log_of_a_batch_shows_them_as_they_come(tmp_path: Path) -> None:
    library, logs = Library(tmp_path / "data"), tmp_path / "logs"
    logs.mkdir()
    sample = Sample(library, "zz9new", "sweep", ["r0", "r1"], backend="cluster", kind="slurm")
    sample.submit(0, 2, "4711")
    sample.record("note", sub=1, facts={"logs": str(logs)})
    sample.record(
        "poll",
        sub=1,
        state="processing",
        completed=1,
        failed=0,
        facts={"doing": "1 running, 3 waiting (Priority)"},
    )
    app = app_over(library, open_batch="zz9new")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, BatchScreen))
        app.show_log("zz9new")
        await until(pilot, lambda: isinstance(app.screen, LogScreen))
        (logs / "3.out").write_text("2026-11-18T11:05:00Z r1 started\nhello from the node\n")
        await until(pilot, lambda: "3 │ hello from the node" in screen_text(pilot))
        await until(
            pilot,
            lambda: (
                "submission 1 processing: 1 completed, 1 running, 3 waiting (Priority)" in screen_text(pilot)
            ),
        )
        await until(pilot, lambda: f"submission 1: logs {tmp_path}"[:60] in screen_text(pilot))
        with (logs / "3.out").open("a") as log:
            log.write("2026-11-18T11:06:00Z r1 completed after 60.000 s\n")
        await until(pilot, lambda: "r1 completed after 60.000 s" in screen_text(pilot))
    sample.close()
