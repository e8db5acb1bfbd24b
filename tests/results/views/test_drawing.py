"""Pictures as text: exact widths, nothing that a terminal would act on, and told apart without colour."""

from __future__ import annotations

import io
import math

import pytest
from rich.console import Console
from rich.text import Text

from batchtui.results.views.drawings.heat import LETTERS, SHADES
from batchtui.results.views.drawings.lines import MOST_SERIES
from batchtui.results.views.drawings.picture import LEAST_HEIGHT, LEAST_WIDTH, draw, natural_height
from batchtui.results.views.shapes import Bars, Heat, Lines, Picture, Series

ESCAPE = "\x1b]52;c;aGk=\x07\x1b[31m"
WIDE = "風力発電所の名前がとても長い場合"


def series(name: str = "a", count: int = 50) -> Series:
    return Series(name, [float(n) for n in range(count)], [math.sin(n / 5) * 1000 for n in range(count)])


PICTURES: dict[str, Picture] = {
    "line": Lines((series(),), "hour", "kW"),
    "two lines": Lines((series(), series(WIDE, 30)), "hour", WIDE),
    "hostile": Lines((series(ESCAPE), series("[bold]b[/nope]")), ESCAPE, ESCAPE, tuple(f"{ESCAPE}{n}" for n in range(50))),
    "months": Lines((series(count=12),), x_names=("Jan", "世界", "Mär") * 4),
    "points": Lines((series(),), "x", "y", points=True),
    "one point": Lines((Series("a", [3.0], [5.0]),)),
    "flat": Lines((Series("a", [1.0, 2.0, 3.0], [7.0, 7.0, 7.0]),)),
    "nan": Lines((Series("a", [1.0, math.nan, 3.0, 4.0], [1.0, 2.0, math.inf, math.nan]),)),
    "only nan": Lines((Series("a", [math.nan], [math.nan]),)),
    "no line": Lines(()),
    "empty line": Lines((Series("a", [], []),)),
    "huge": Lines((Series("a", [0.0, 1.0], [-1e300, 1e300]),)),
    "tiny": Lines((Series("a", [0.0, 1e-12], [1e-15, 2e-15]),)),
    "many lines": Lines(tuple(series(f"run {n}") for n in range(30))),
    "many points": Lines((series(count=40_000),), points=True),
    "long line": Lines((series(count=40_000),)),
    "bars": Bars(["soiling", WIDE, ESCAPE], [-3.5, 2.0, 0.2], "%"),
    "bars below": Bars(["a", "b"], [-3.5, -2.0]),
    "bars of nothing": Bars(["a", "b"], [0.0, 0.0]),
    "bars nan": Bars(["a", "b"], [math.nan, math.inf]),
    "one bar": Bars(["a"], [4]),
    "no bars": Bars([], []),
    "many bars": Bars([f"b{n}" for n in range(500)], [float(n) for n in range(500)]),
    "heat": Heat([f"line {n}" for n in range(9)], [f"s{n}" for n in range(300)],
                 [[float(n * m % 120) for m in range(300)] for n in range(9)], (50, 80, 90, 100), "%"),
    "small heat": Heat([WIDE, ESCAPE], ["a", WIDE], [[1.0, None], [math.nan, 200.0]], (50, 80, 90, 100), ESCAPE),
    "no heat": Heat([], [], [], ()),
}  # fmt: skip


@pytest.mark.parametrize(
    "size", [(80, 24), (160, 48), (LEAST_WIDTH, LEAST_HEIGHT), (37, 11), (5, 2)], ids=str
)
@pytest.mark.parametrize("ascii_only", [False, True], ids=["unicode", "ascii"])
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_fits_and_holds_no_control_character(
    name: str, size: tuple[int, int], ascii_only: bool
) -> None:
    drawn = draw(PICTURES[name], *size, ascii_only=ascii_only)
    lines = drawn.split("\n")
    assert len(lines) <= size[1]
    assert max(line.cell_len for line in lines) <= size[0]
    assert all(char.isprintable() for line in lines for char in line.plain)
    assert "\ue000" not in drawn.plain
    if ascii_only and name not in ("two lines", "months", "hostile", "bars", "small heat", "many bars"):
        assert drawn.plain.replace("…", "").isascii()


@pytest.mark.parametrize("name", ["line", "hostile", "months", "bars", "heat"])
def test_no_escape_code_stands_in_it(name: str) -> None:
    """What reaches a terminal are the codes that Rich writes, and none where there is no colour."""
    paper = Console(file=io.StringIO(), width=80, color_system=None, force_terminal=False)
    paper.print(draw(PICTURES[name], 80, 24))
    assert "\x1b" not in paper.file.getvalue()  # type: ignore[attr-defined]


def test_the_frame_of_lines_is_as_wide_as_asked() -> None:
    framed = [
        line for line in draw(PICTURES["line"], 80, 24).split("\n") if "┤" in line.plain or "┌" in line.plain
    ]
    assert len(framed) > 3
    assert {line.cell_len for line in framed} == {80}


def test_wide_names_push_no_bar_out_of_line() -> None:
    zero = {
        line.plain.index("│") + line.cell_len - len(line.plain)
        for line in _lines(Bars(["a", "世界"], [1, 2]))
    }
    assert len(zero) == 1


def test_lines_are_told_apart_without_colour() -> None:
    plain = draw(Lines((series("north"), Series("south", [0.0, 49.0], [0.0, 900.0]))), 80, 24).plain
    assert "• north" in plain
    assert "+ south" in plain
    assert plain.count("•") > 5
    assert plain.count("+") > 5


def test_more_lines_than_marks_are_counted() -> None:
    assert f"and {30 - MOST_SERIES} more" in draw(PICTURES["many lines"], 80, 24).plain


def test_steps_of_a_heat_map_differ_without_colour() -> None:
    heat = Heat(["r"], list("abcdef"), [[10, 60, 85, 95, 130, None]], (50, 80, 90, 100), "%")
    for ascii_only, marks in ((False, SHADES), (True, LETTERS)):
        row = _lines(heat, ascii_only=ascii_only)[1].plain
        assert [mark for mark in marks if mark in row] == list(marks)
        assert len(set(marks)) == 5


def test_the_legend_tells_the_bounds_and_the_unit() -> None:
    assert all(word in _lines(PICTURES["heat"])[0].plain for word in ("<50", "80", "90", "100", "%"))


def test_columns_taken_together_show_the_largest() -> None:
    values = [0.0] * 300
    values[137] = 500.0
    heat = Heat(["r"], [str(n) for n in range(300)], [values], (50, 80, 90, 100))
    lines = _lines(heat, width=60)
    assert "largest of" in lines[0].plain
    assert SHADES[4] in lines[1].plain


def test_a_peak_survives_thinning() -> None:
    ys = [0.0] * 40_000
    ys[23_456] = 1000.0
    drawn = draw(Lines((Series("a", [float(n) for n in range(40_000)], ys),)), 80, 24)
    top = next(line for line in drawn.plain.split("\n") if line.startswith("1000"))
    assert any("\u2580" <= char <= "\u259f" for char in top)


def test_bars_that_have_no_room_are_counted() -> None:
    lines = _lines(PICTURES["many bars"], height=10)
    assert len(lines) == 10
    assert lines[-1].plain == "… and 491 more"
    assert natural_height(PICTURES["many bars"], 10) == 500


def test_values_and_signs_of_bars_are_told() -> None:
    text = "\n".join(line.plain for line in _lines(Bars(["loss", "gain"], [-3.5, 2.0], "%")))
    assert "-3.5" in text
    assert text.startswith("%")
    loss, gain = text.split("\n")[1:]
    assert loss.index("█") < loss.index("│")
    assert gain.index("█") > gain.index("│")


def _lines(picture: Picture, *, width: int = 80, height: int = 24, ascii_only: bool = False) -> list[Text]:
    return list(draw(picture, width, height, ascii_only=ascii_only).split("\n"))
