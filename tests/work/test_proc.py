"""What the system tells about processes, with names made to mislead."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from batchtui.work.programs.proc import carriers, has_open, identity, only_zombies, stat_of


def test_identity_stays_and_differs_between_processes() -> None:
    own = identity(os.getpid())
    assert own is not None
    assert own == identity(os.getpid())
    assert own != identity(1)


def test_a_zombie_has_no_identity_and_makes_no_living_group() -> None:
    child = subprocess.Popen(["true"], start_new_session=True)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert identity(child.pid) is None
    assert only_zombies(child.pid)
    child.wait()
    assert stat_of(child.pid) is None


def test_a_name_with_brackets_and_spaces_does_not_mislead(tmp_path: Path) -> None:
    program = tmp_path / "a) Z 1 (b"
    shutil.copy(shutil.which("sleep") or "", program)
    child = subprocess.Popen([str(program), "300"], start_new_session=True)
    stat = stat_of(child.pid)
    child.kill()
    child.wait()
    assert stat is not None
    assert (stat.group, stat.ended) == (child.pid, False)


def test_carriers_match_from_the_start_of_a_variable(tmp_path: Path) -> None:
    wanted = f"{tmp_path}/slot-1.lock"
    environments = [{"SLOT": wanted}, {"OTHER_SLOT": wanted}, {"X": f"SLOT={wanted}"}]
    children = [subprocess.Popen(["/bin/sleep", "300"], env=environment) for environment in environments]
    try:
        assert list(carriers("SLOT", str(tmp_path))) == [(children[0].pid, wanted)]
    finally:
        for child in children:
            child.kill()
            child.wait()


def test_has_open(tmp_path: Path) -> None:
    path = str(tmp_path / "file")
    with open(path, "w"):
        assert has_open(os.getpid(), path)
    assert not has_open(os.getpid(), path)
    assert not has_open(2**22 + 1, path)


@pytest.mark.skipif(shutil.which("ps") is None, reason="needs ps: install the package procps")
def test_identity_by_ps(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "darwin")
        own, gone = identity(os.getpid()), identity(2**22 + 1)
    assert gone is None
    assert own is not None
    assert time.strptime(own, "%a %b %d %H:%M:%S %Y")
