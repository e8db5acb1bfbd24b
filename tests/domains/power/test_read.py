"""Grids read from MATPOWER's formats; what is wrong with a file is told by file and line, and nothing is evaluated."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids.case import Case
from batchtui.domains.power.grids.read import MOST_BYTES, read_case
from batchtui.domains.power.tasks import solve_many
from tests.domains.power.power_help import CASES, DATA

NINE = (DATA / "case9" / "case9.m").read_text()


def tables(case: Case) -> list[object]:
    return [case.version, case.baseMVA, case.bus, case.gen, case.branch, case.gencost]


def fault_of(path: Path) -> Fault:
    with pytest.raises(Fault) as caught:
        read_case(path)
    assert caught.value.file == str(path)
    assert not caught.value.transient
    return caught.value


def refused(folder: Path, text: str, ending: str = ".m") -> Fault:
    path = folder / f"grid{random.randrange(10**9)}{ending}"
    path.write_text(text)
    fault = fault_of(path)
    assert fault.kind == "bad_input"
    return fault


@pytest.mark.parametrize("name", CASES)
def test_text_json_and_mat_hold_the_same_case(name: str, tmp_path: Path) -> None:
    savemat = pytest.importorskip("scipy.io", reason="needs the extra `power`").savemat
    text = read_case(DATA / name / f"{name}.m")
    assert tables(read_case(DATA / name / f"{name}.json")) == tables(text)
    struct = {key: getattr(text, key) for key in ("version", "baseMVA", "bus", "gen", "branch", "gencost")}
    savemat(tmp_path / "grid.mat", {"mpc": struct})
    assert tables(read_case(tmp_path / "grid.mat")) == tables(text)
    savemat(tmp_path / "other.mat", {"mycase": struct})
    assert tables(read_case(tmp_path / "other.mat")) == tables(text)


def test_the_files_of_pglib_as_they_come() -> None:
    case = read_case(DATA / "pglib" / "pglib_opf_case118_ieee.m")
    assert [len(case.bus), len(case.gen), len(case.branch), len(case.gencost)] == [118, 54, 186, 54]
    assert {len(row) for row in case.gen} == {21}
    assert {len(row) for row in case.branch} == {13}


def test_all_ways_to_write_a_matrix(tmp_path: Path) -> None:
    path = tmp_path / "odd.m"
    path.write_text(
        """function s = odd
%{
s.bus = [ this is a comment ];
%}
s.version = '2'; s.baseMVA = 1e2; % both on one line
s.bus_name = { 'Bus ] 1; % HV'; 'Bus }' };
s.bus = [1, 3, 0 0 0 0 1 1.0 ...
   0 100 1 1.1 0.9; 2 1 9.5e1 +10 0 0 1 1 0 100 1 1.1 .9 % two rows
];
s.gen = [1 0 0 Inf -Inf 1 100 1 200 0];
s.branch = [
  1\t2\t0.01\t0.1\t0\t0\t0\t0\t0\t0\t1

  1 2 0.01 0.1 0 0 0 0 0 0 1; ];
s.notes = {
  'text';
};
end
"""
    )
    case = read_case(path)
    assert [row[0] for row in case.bus] == [1, 2]
    assert case.bus[1][2:4] == [95, 10]
    assert case.gen[0][3:5] == [float("inf"), float("-inf")]
    assert case.branch[1][-2:] == [-360, 360], "no angle limits given"
    assert case.gencost == []


def test_words_behind_the_dots_that_go_on_are_a_comment(tmp_path: Path) -> None:
    path = tmp_path / "dots.m"
    path.write_text(
        """function mpc = dots
mpc.version = '2';
mpc.baseMVA = 100;
mpc.bus = [ ... number, type, Pd, Qd
  1 3 0 0 0 0 1 1 ... the slack, 1.02 pu
  0 100 1 1.1 0.9;
  2 1 9.5 1 0 0 1 1 0 100 1 1.1 .9;
];
mpc.gen = [1 0 0 10 -10 ...% limits
  1 100 1 200 0];
mpc.branch = [1 2 0.01 0.1 0 0 0 0 0 0 1];
"""
    )
    case = read_case(path)
    assert case.bus[0] == [1, 3, 0, 0, 0, 0, 1, 1, 0, 100, 1, 1.1, 0.9]
    assert (len(case.bus), case.gen[0][3:10]) == (2, [10, -10, 1, 100, 1, 200, 0])


@pytest.mark.parametrize(
    "row", ["1 2 NaN NaN 0 0 0 0 0 0 0", "1 2 Inf 0.1 -Inf 0 0 0 NaN 0 0", "77 77 0 NaN 0 0 0 0 0 0 0"]
)
def test_numbers_of_what_is_out_of_service_are_not_judged(tmp_path: Path, row: str) -> None:
    pytest.importorskip("lightsim2grid", reason="needs the extra `power`")
    path = tmp_path / "off.m"
    text = NINE.replace("mpc.branch = [\n", f"mpc.branch = [\n\t{row} -360 360;\n")
    path.write_text(
        text.replace("mpc.gen = [\n", "mpc.gen = [\n\t9 NaN NaN 1 -1 NaN 100 0 9 0" + " 0" * 11 + ";\n")
    )
    text = path.read_text().replace("mpc.gencost = [\n", "mpc.gencost = [\n\t2\t0\t0\t3\tNaN\t0\t0;\n")
    path.write_text(text)
    whole = DATA / "case9" / "case9.m"
    for task in ("dc", "ac", "dcopf", "acopf"):
        ours, theirs = solve_many([{"task": task, "grid": str(one), "folder": None} for one in (path, whole)])
        assert not isinstance(ours, Exception), ours
        assert not isinstance(theirs, Exception)
        for name in ("loss_mw", "slack_mw", "objective"):
            assert ours["summary"].get(name) == pytest.approx(theirs["summary"].get(name), rel=1e-6), (
                task,
                name,
            )


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("0.0576", "Inf", 25, "finite"),
        ("0.0576", "NaN", 25, "finite"),
        ("0.0576", "1_0", 25, "no number"),
        ("\t4\t5\t0.017\t0.092", "\t4\t5\t0.017", 26, "12 columns where 13"),
        ("\t1\t4\t0\t0.0576", "\t1\t44\t0\t0.0576", 25, "no bus 44"),
        ("\t1\t4\t0\t0.0576", "\t1\t1\t0\t0.0576", 25, "to itself"),
        ("\t1\t4\t0\t0.0576", "\t1\t4\t0\t0", 25, "neither resistance nor reactance"),
        ("\t2\t2\t0", "\t1\t2\t0", 8, "1 is there twice"),
        ("\t2\t2\t0", "\t2.5\t2\t0", 8, "no bus number"),
        ("\t2\t2\t0", "\t2\t7\t0", 8, "type 7"),
        ("\t2\t163", "\t77\t163", 20, "no bus 77"),
        ("mpc.gencost = [", "mpc.bus(:, 3) = mpc.bus(:, 3) * 2;\nmpc.gencost = [", 36, "calculations are not run"),
        ("mpc.gencost = [", "system('touch /tmp/never');\nmpc.gencost = [", 36, "calculations are not run"),
        ("mpc.baseMVA = 100;", "mpc.baseMVA = getenv('HOME');", 4, "calculations are not run"),
        ("mpc.baseMVA = 100;", "mpc.baseMVA = 0;", None, "baseMVA"),
        ("mpc.baseMVA = 100;", "", None, "baseMVA"),
        ("mpc.branch = [", "mpc.brunch = [", None, 'there is no mpc.branch; did you mean "brunch"?'),
        ("mpc.version = '2';", "mpc.version = '1';", None, "version 2"),
        ("function mpc = case9", "function [baseMVA, bus] = case9", 1, "version 1"),
        ("];\n\nmpc.gen =", "\n\nmpc.gen =", 18, "no number"),
    ],
)  # fmt: skip
def test_a_fault_is_told_by_file_and_line(
    tmp_path: Path, old: str, new: str, line: int | None, says: str
) -> None:
    assert old in NINE
    fault = refused(tmp_path, NINE.replace(old, new, 1))
    assert says in fault.message
    assert fault.line == line
    if line is not None:
        assert f", line {line}: " in str(fault)


def test_every_cut_of_a_file_is_refused_or_whole(tmp_path: Path) -> None:
    """Without the costs a case is whole too; nothing else may pass."""
    whole = NINE.rstrip().rstrip(";")
    costs = NINE.index("mpc.gencost")
    for length in range(0, len(whole) - 1, 37):
        if length <= NINE.index("];", NINE.index("mpc.branch")):
            refused(tmp_path, NINE[:length])
        elif length > costs + len("mpc.gencost = ["):
            assert "gencost" in refused(tmp_path, NINE[:length]).message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no JSON"),
        ('{"version": "2", "bus": [[1', "no JSON"),
        ("[]", "no JSON object"),
        ("{}", 'there is no "bus"'),
        ('{"bus": [], "gen": [], "branches": [], "baseMVA": 1}', 'did you mean "branches"?'),
        ('{"bus": [], "gen": [], "branch": [], "baseMVA": 100}', "no bus table"),
        ('{"bus": [1], "gen": [], "branch": [], "baseMVA": 100}', "bus row 1"),
        ('{"bus": [["1"]], "gen": [], "branch": [], "baseMVA": 100}', "bus row 1"),
        ('{"bus": [[true]], "gen": [], "branch": [], "baseMVA": 100}', "bus row 1"),
        ('{"bus": "1", "gen": [], "branch": [], "baseMVA": 100}', "no list"),
        ('{"bus": [], "gen": [], "branch": [], "baseMVA": "100"}', "baseMVA"),
        ('{"bus": [], "gen": [], "branch": [], "baseMVA": NaN}', "baseMVA"),
        ('{"bus": [[1' + "0" * 400 + ', 3, 0, 0, 0, 0, 1, 1, 0, 1, 1, 1, 1]], "gen": [], "branch": [], "baseMVA": 1}', ""),
        ("[" * 100_000, "JSON"),
        ('{"baseMVA": 1' + "0" * 5000 + "}", ""),
    ],
)  # fmt: skip
def test_json_that_is_no_case(tmp_path: Path, text: str, says: str) -> None:
    assert says in refused(tmp_path, text, ".json").message


def test_what_is_no_grid_at_all(tmp_path: Path) -> None:
    binary = tmp_path / "binary.m"
    binary.write_bytes(b"function mpc = x\n\x00\x01\x02")
    assert (fault_of(binary).line, fault_of(binary).kind) == (2, "bad_input")

    noise = tmp_path / "noise.mat"
    noise.write_bytes(random.Random(1).randbytes(5000))
    assert fault_of(noise).kind in ("bad_input", "missing_extra")

    huge = tmp_path / "huge.m"
    with huge.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    assert "larger" in fault_of(huge).message

    os.mkfifo(tmp_path / "pipe.m")
    assert "regular" in fault_of(tmp_path / "pipe.m").message

    (tmp_path / "grid.txt").write_text(NINE)
    assert "no grid" in fault_of(tmp_path / "grid.txt").message
    assert fault_of(tmp_path / "nowhere.m").kind == "missing_file"
    assert fault_of(tmp_path / "\0.m").kind == "missing_file"


def test_outside_text_is_cleaned_before_it_stands_in_a_message(tmp_path: Path) -> None:
    fault = refused(tmp_path, NINE.replace("0.0576", "\x1b[2J0x"))
    assert "\x1b" not in fault.message
    assert len(refused(tmp_path, "x" * 10_000).message) < 250


def test_a_grid_is_read_again_when_it_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "grid.m"
    path.write_text(NINE)
    first = read_case(path)
    assert read_case(path) is first
    path.write_text(NINE.replace("mpc.baseMVA = 100", "mpc.baseMVA = 1000"))
    assert read_case(path).baseMVA == 1000
    path.write_text(json.dumps({}))
    fault_of(path)


def test_a_windows_file_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "grid.m"
    path.write_bytes(b"\xef\xbb\xbf" + NINE.replace("\n", "\r\n").encode())
    assert tables(read_case(path)) == tables(read_case(DATA / "case9" / "case9.m"))
