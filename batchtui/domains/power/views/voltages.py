"""Voltages outside their band: which bus, in which scenario, by how much."""

from __future__ import annotations

from collections import defaultdict

from batchtui.domains.power.views.source import Grid
from batchtui.domains.power.views.tabled import table
from batchtui.errors import BadInput
from batchtui.results.views.figures import is_figure
from batchtui.results.views.options import Options
from batchtui.results.views.shapes import Heat, View

OF_THE_CASE = "case"
BANDS = {OF_THE_CASE: None, "0.94-1.06": (0.94, 1.06), "0.95-1.05": (0.95, 1.05), "0.90-1.10": (0.9, 1.1)}
MOST_ROWS, MOST_BUSES = 20_000, 30
STEPS = (0.001, 0.5, 1.0, 2.0)
_SLACK = 1e-6
"""Per unit; references hold voltages to this."""


def violations(grid: Grid, options: Options) -> View:
    """Every voltage outside the band, the largest excess first; a field of bus over scenario.

    `options.y` names the band: `case` for the limits of the grid's own buses, or `LOW-HIGH` in per unit.
    """
    named = options.y or OF_THE_CASE
    band = _band(named)
    found: list[tuple[float, str, int, float, float]] = []
    scenarios: dict[str, None] = {}
    worst: dict[tuple[int, str], float] = {}
    for chunk in grid.chunks("bus", ("bus_id", "vm_pu", "vmin", "vmax")):
        lists = (chunk[name] for name in ("scenario_id", "bus_id", "vm_pu", "vmin", "vmax"))
        for scenario, bus, vm, low, high in zip(*lists, strict=True):
            scenarios.setdefault(scenario)
            if bus is None or not is_figure(vm):
                continue
            low, high = band or (low, high)
            limit = high if high is not None and vm > high + _SLACK else low
            if limit is None or low is None or (limit == low and vm >= low - _SLACK):
                continue
            excess = vm - limit
            found.append((excess, scenario, bus, vm, limit))
            worst[bus, scenario] = 100 * abs(excess)
    found.sort(key=lambda one: -abs(one[0]))
    counts: dict[int, int] = defaultdict(int)
    for _, _, bus, _, _ in found:
        counts[bus] += 1
    rows = [
        (scenario, bus, vm, limit, excess, counts[bus])
        for excess, scenario, bus, vm, limit in found[:MOST_ROWS]
    ]
    note = f"the largest {MOST_ROWS:,} of {len(found):,}" if len(found) > MOST_ROWS else ""
    nothing = "" if found else "every voltage is inside its band" if scenarios else grid.without("bus")
    names = ("scenario_id", "bus_id", "vm_pu", "limit", "excess", "scenarios_of_bus")
    facts = (
        ("violations", len(found)),
        ("buses", len(counts)),
        ("of scenarios", len(scenarios)),
        ("band", named),
    )
    return View(
        "voltages", "Voltage violations", table(names, rows, note, nothing),
        _field(counts, worst, list(scenarios)), tuple(str(row[0]) for row in rows), facts, tuple(BANDS), (None, named),
    )  # fmt: skip


def _band(named: str) -> tuple[float, float] | None:
    if named in BANDS:
        return BANDS[named]
    low, _, high = named.partition("-")
    try:
        band = float(low), float(high)
    except ValueError:
        band = (1.0, 0.0)
    if not 0 < band[0] < band[1]:
        raise BadInput(f'"{named}" is no band of voltages; expected case, or one such as 0.94-1.06')
    return band


def _field(counts: dict[int, int], worst: dict[tuple[int, str], float], scenarios: list[str]) -> Heat | None:
    if not counts:
        return None
    buses = sorted(counts, key=lambda bus: (-counts[bus], bus))[:MOST_BUSES]
    values: list[list[float | None]] = [[worst.get((bus, one), 0.0) for one in scenarios] for bus in buses]
    return Heat([f"bus {bus}" for bus in buses], scenarios, values, STEPS, "% of 1 pu outside")
