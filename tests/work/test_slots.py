"""Slots: a lock that lives as long as the program that inherited it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from batchtui.work.programs.slots import Slots, watched


def test_slots_are_taken_in_order_and_used_again(tmp_path: Path) -> None:
    slots = Slots(tmp_path / "run")
    first, second = slots.take(), slots.take()
    assert (first.number, second.number) == (0, 1)
    first.release()
    assert slots.take().path == first.path
    assert not watched(str(tmp_path / "run" / "slot-2.lock"))
    assert watched(second.path)
    second.release()


def test_the_program_keeps_the_lock_after_we_let_go(tmp_path: Path) -> None:
    slots = Slots(tmp_path)
    slot = slots.take()
    program = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=(slot.fd,))
    slot.hand_over()
    assert slot.held()
    assert slots.held() == {}, "what this process watches is not for settling"
    slot.release()
    assert slots.held() == {0: slot.path}
    assert slots.take().number == 1
    program.communicate()
    assert not slot.held()
    assert slots.held() == {}


def test_strange_files_in_the_folder_are_no_slots(tmp_path: Path) -> None:
    for name in ("slot-x.lock", "slot-1.stdout", "notes", "slot-²3.lock"):
        (tmp_path / name).touch()
    assert Slots(tmp_path).held() == {}


def test_paths_are_real_so_that_a_holder_can_be_recognised(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    slot = Slots(tmp_path / "link").take()
    assert slot.path == str((tmp_path / "real").resolve() / "slot-0.lock")
    assert slot.file("stdout").endswith("/slot-0.stdout")
    slot.release()
