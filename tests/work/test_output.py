"""Output files: read up to a limit, emptied, the last line known however long the rest is."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchtui.work.programs.output import KEPT_BYTES, Written, take_output


def test_read_and_emptied(tmp_path: Path) -> None:
    file = tmp_path / "stdout"
    file.write_text("a\nb\n\n \n")
    assert take_output(str(file)) == Written("a\nb\n\n \n", 7, "b")
    assert take_output(str(file)) == Written("", 0, "")


@pytest.mark.parametrize("extra", [0, 1])
def test_cut_only_above_the_limit(tmp_path: Path, extra: int) -> None:
    file = tmp_path / "stdout"
    file.write_bytes(b"x" * (KEPT_BYTES + extra))
    written = take_output(str(file))
    assert written.cut is bool(extra)
    assert written.text.startswith("x" * KEPT_BYTES)
    assert ("cut here" in written.text) is bool(extra)
    assert len(written.last_line) == 500


def test_a_broken_end_of_whole_output_stays_visible(tmp_path: Path) -> None:
    file = tmp_path / "stdout"
    file.write_bytes("é".encode()[:1])
    assert take_output(str(file)).text == "�"
