"""The few calculations of published MATPOWER files are read; whatever is near to one is refused with its line."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids.case import Case
from batchtui.domains.power.grids.read import read_case
from batchtui.domains.power.readers.matlab_numbers import factor_of, nothing_known, number_of

FEEDER = """function mpc = feeder(varargin)
mpc.version = '2';
mpc.baseMVA = 10;
mpc.bus = [
	1	3	0	0	0	0	1	1	0	12.66	1	1	1;
	2	1	100	60	0	0	1	1	0	12.66	1	1.1	0.9;
];
mpc.gen = [1 0 0 10 -10 1 100 1 10 0];
mpc.branch = [1 2 0.0922 0.0470 0 0 0 0 0 0 1 -360 360];
"""
CLOSING = """
%% convert branch impedances from Ohms to p.u.
[PQ, PV, REF, NONE, BUS_I, BUS_TYPE, PD, QD, GS, BS, BUS_AREA, VM, ...
    VA, BASE_KV, ZONE, VMAX, VMIN, LAM_P, LAM_Q, MU_VMAX, MU_VMIN] = idx_bus;
[F_BUS, T_BUS, BR_R, BR_X, BR_B, RATE_A, RATE_B, RATE_C, ...
    TAP, SHIFT, BR_STATUS, PF, QF, PT, QT, MU_SF, MU_ST, ...
    ANGMIN, ANGMAX, MU_ANGMIN, MU_ANGMAX] = idx_brch;
Vbase = mpc.bus(1, BASE_KV) * 1e3;      %% in Volts
Sbase = mpc.baseMVA * 1e6;              %% in VA
mpc.branch(:, [BR_R BR_X]) = mpc.branch(:, [BR_R BR_X]) / (Vbase^2 / Sbase);

%% convert loads from kW to MW
mpc.bus(:, [PD, QD]) = mpc.bus(:, [PD, QD]) / 1e3;
"""


def read(folder: Path, text: str) -> Case:
    path = folder / f"grid{len(list(folder.iterdir()))}.m"
    path.write_text(text)
    return read_case(path)


def test_the_closing_conversion_of_units(tmp_path: Path) -> None:
    case = read(tmp_path, FEEDER + CLOSING)
    ohms = (12.66e3) ** 2 / 10e6
    assert case.branch[0][2:4] == [0.0922 / ohms, 0.0470 / ohms]
    assert case.bus[1][2:4] == [0.1, 0.06]
    assert case.bus[0][2:4] == [0, 0]


def test_kin_of_the_conversion(tmp_path: Path) -> None:
    power_factor = (
        "define_constants;\npf = 0.85;\nmpc.bus(:, QD) = mpc.bus(:, PD) * sin(acos(pf));\n"
        "mpc.bus(:, PD) = mpc.bus(:, PD) * pf; mpc.bus(:,PD)=mpc.bus(:,PD)./2;\n"
    )
    case = read(tmp_path, FEEDER + power_factor)
    assert case.bus[1][2:4] == pytest.approx([100 * 0.85 / 2, 100 * math.sin(math.acos(0.85))])

    fractions = FEEDER.replace("mpc.baseMVA = 10;", "mpc.baseMVA = 50/3;").replace("12.66", "12/sqrt(3)")
    case = read(tmp_path, fractions.replace("10 -10", "50/3 -50/3"))
    assert (case.baseMVA, case.bus[1][9], case.gen[0][3:5]) == (50 / 3, 12 / math.sqrt(3), [50 / 3, -50 / 3])

    choice = "fixed = 0;\nif fixed\n  k = find( mpc.gen(:, 3) > 0 & ...\n    1 );\n  if k, x = 1; end\n  while k\n  end\nend\n"
    assert read(tmp_path, FEEDER + choice).bus == read(tmp_path, FEEDER).bus
    taken = "define_constants\nfixed = 1;\nif fixed\nmpc.bus(:, PD) = mpc.bus(:, PD) * 2;\nend\n"
    assert read(tmp_path, FEEDER + taken).bus[1][2] == 200


def test_fields_that_are_not_used_may_hold_anything(tmp_path: Path) -> None:
    fields = """mpc.reserves.zones = [ 1 1
    x(3) ]; mpc.reserves.req = [60; 20];
mpc.softlims.RATE_A = struct('hl_mod', 'remove');
mpc.bus_name = { 'Bus ] 1; % HV'; "a } b" };
mpc.userdata{3}(1).x = load('never.mat')';
mpc.notes = ...
   'two lines';
mpc.order.state = 'e'; mpc.baseMVA = 20;
"""
    case = read(tmp_path, FEEDER + fields)
    assert case.baseMVA == 20
    assert case.notes == []
    told = read(tmp_path, FEEDER + "mpc.dcline = [ 1 2 1 10 ];\nmpc.A = [];\nmpc.N = sparse(1, 2);\n").notes
    assert [note.partition(" ")[0] for note in told] == ["DC", "an"]
    assert "of N" in told[1]
    assert read(tmp_path, FEEDER + "mpc.dcline = [];\n").notes == []


@pytest.mark.parametrize(
    "line",
    [
        "[PQ, PV, NONE, REF] = idx_bus;",
        "[PD, QD] = idx_bus;",
        "[GEN_BUS, PG] = idx_other;",
        "mpc.bus(:, PD) = mpc.bus(:, PD) * 2;",  # not named yet
        "define_constants; mpc.bus(:, 3) = mpc.bus(:, 3) * 2;",
        "define_constants; mpc.bus(:, PD) = mpc.gen(:, PG) * 2;",
        "define_constants; mpc.bus(:, PD) = mpc.bus(:, PD) / 2 * 3;",
        "define_constants; mpc.bus(:, PD) = mpc.bus(:, PD) + 1;",
        "define_constants; mpc.bus(:, PD) = mpc.bus(:, PD) / 0;",
        "define_constants; mpc.bus(:, [PD QD]) = mpc.bus(:, PD) * 2;",
        "define_constants; mpc.bus(:, PG) = mpc.bus(:, PG) * 2;",
        "define_constants; mpc.bus(:, LAM_P) = mpc.bus(:, LAM_P) * 2;",
        "define_constants; other.bus(:, PD) = mpc.bus(:, PD) * 2;",
        "define_constants; mpc.bus(2, PD) = 5;",
        "define_constants; x = mpc.bus(3, PD);",
        "define_constants; x = mpc.bus(0, PD);",
        "x = system('touch /tmp/never');",
        "x = y;",
        "x = 1 / 0;",
        "x = sqrt(-1);",
        "x = 9^9^9^9^9;",
        "mpc = scale_load(2, mpc);",
        "if unknown",
        "if 1",
        "x = " + "(" * 400 + "1" + ")" * 400 + ";",
        "mpc.bus = zeros(3, 13);",
        "mpc.baseMVA = getenv('HOME');",
        "mpc.bus(end+1, :) = 1;",
        "exec(" + "()" * 2000 + ";",
        "mpc.bus" + "(){}" * 2000 + ";",
    ],
)
def test_what_is_no_such_idiom_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    with pytest.raises(Fault, match="calculations are not run") as caught:
        read(tmp_path, FEEDER + line)
    assert caught.value.kind == "bad_input"
    assert caught.value.line == len(FEEDER.splitlines()) + 1
    assert len(caught.value.message) < 250


def test_a_choice_with_another_branch_or_without_an_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="calculations are not run") as caught:
        read(tmp_path, FEEDER + "a = 0;\nif a\nx = 1;\nelse\nx = 2;\nend\n")
    assert caught.value.line == len(FEEDER.splitlines()) + 4
    with pytest.raises(Fault, match="if has no end"):
        read(tmp_path, FEEDER + "a = 0;\nif a\nx = 1;\n")
    with pytest.raises(Fault, match="has no end; is the file cut") as caught:
        read(tmp_path, FEEDER + "mpc.bus_name = {\n'a';\n")
    assert caught.value.line == len(FEEDER.splitlines()) + 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("50/3", 50 / 3), ("-50/3", -50 / 3), ("12/sqrt(3)", 12 / math.sqrt(3)), ("1e3", 1000), ("1.5d2", 150),
        (".5", 0.5), ("2^3^2", 64), ("-2^2", -4), ("2^-1", 0.5), ("1 - 2 - 3", -4), ("8/4/2", 1), ("2+3*4", 14),
        ("(2+3)*4", 20), ("--3", 3), ("sin(acos(0.6))", 0.8), ("2 * -3", -6),
    ],
)  # fmt: skip
def test_numbers_as_matlab_takes_them(text: str, value: float) -> None:
    assert number_of(text) == pytest.approx(value)


def test_what_is_no_number() -> None:
    for text in (
        "",
        "1 2",
        "1/",
        "x",
        "sqrt",
        "sqrt(",
        "1;2",
        "1_0",
        "inf",
        "nan",
        "1e999",
        "(-8)^(1/3)",
        "'1'",
        "\0",
    ):
        with pytest.raises(ValueError, match=r"no number|math domain"):
            number_of(text)
    assert factor_of("(6 / 3)", nothing_known) == 2
    with pytest.raises(ValueError, match=r"no number|math domain"):
        factor_of("6 / 3", nothing_known)
