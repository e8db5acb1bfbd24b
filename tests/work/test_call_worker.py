"""The worker's own program as it runs on a cluster: a copied file, bare Python, orders and answers by pipes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from batchtui.model import Json
from batchtui.work import call_worker
from tests.work.pool_help import FOLDER, MODULE


def answers(folder: Path, *orders: dict[str, Json]) -> list[Json]:
    """Run a copy of the worker over these orders; all that it answers. Its prints are in `out` and `err`."""
    copy = shutil.copy(call_worker.__file__, folder / "call_worker.py")
    reader, writer = os.pipe()
    with (folder / "out").open("ab") as out, (folder / "err").open("ab") as err:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", copy, str(writer)],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=err,
            cwd=folder,
            pass_fds=(writer,),
        )
    os.close(writer)
    assert process.stdin
    process.stdin.write("".join(json.dumps(order) + "\n" for order in orders).encode())
    process.stdin.close()
    with os.fdopen(reader) as said:
        found = [json.loads(line) for line in said]
    assert process.wait() == 0
    return found


def order(name: str, *jobs: dict[str, Json], **options: Json) -> dict[str, Json]:
    listed = [{"arguments": arguments} for arguments in jobs]
    return {"call": f"{MODULE}:{name}", "path": [str(FOLDER)], "chunk": False, "jobs": listed, **options}


def test_orders_are_answered_in_turn(tmp_path: Path) -> None:
    said = answers(tmp_path, order("double", {"x": 1}, {"x": 2}), order("double", {"x": 3}, tell_ready=True))
    values = [answer.get("value", {}).get("twice") for answer in said if "job" in answer]
    assert values == [2.0, 4.0, 6.0]
    assert [next(iter(answer)) for answer in said] == ["job", "job", "done", "ready", "job", "done"]
    assert [answer["job"] for answer in said if "job" in answer] == [0, 1, 0]


def test_prints_never_mix_with_answers(tmp_path: Path) -> None:
    said = answers(tmp_path, order("talks", {"x": 1}, {"x": 2}))
    text = (tmp_path / "out").read_bytes()
    spans = [text[slice(*answer["out"])] for answer in said if "job" in answer]
    assert [sorted(span.splitlines()) for span in spans] == [
        [f"a child of {x}".encode(), f"out of {x}".encode()] for x in (1, 2)
    ]


def test_nobody_to_answer_to_is_a_quiet_end(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [sys.executable, call_worker.__file__, str(writer)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=(writer,),
    )
    os.close(writer)
    os.close(reader)
    _, errors = process.communicate(json.dumps(order("double", {"x": 1})).encode() + b"\n", timeout=60)
    assert (process.returncode, errors) == (0, b"")
