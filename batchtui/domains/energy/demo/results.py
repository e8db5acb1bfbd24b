"""What the demo's energy models give: a small yield estimate, so that variants of a site differ as they would."""

from __future__ import annotations

import math

from batchtui.model import Json

WEEK = 168
"""Hours of the time series."""
_BIG = 500_000
"""Hours of a big one, which makes its result more than 10 MB."""
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_LOSSES = ("moduleQuality", "mismatch", "dcohmic", "lid", "stringVoltageMismatch")
_MODULE_WATTS = 540.0
_PERFORMANCE = 0.93
"""Of what falls on the modules, without the losses that are told one by one."""


def sections(asked: dict[str, Json], *, big: bool = False, untitled: bool = False) -> dict[str, Json]:
    """Every section of a completed run, and the `summary` that Daly's page on batches reads.

    `big` repeats the time series until the result is above 10 MB.
    """
    blocks = [block for block in asked["blocks"] if isinstance(block, dict)]
    first = blocks[0]
    latitude = _latitude(asked)
    megawatts = sum(map(_megawatts, blocks))
    losses = _losses(first)
    kept = math.prod(1 - share for share in losses.values())
    months = [_sun(latitude, month) * _gain(first) * days for month, days in enumerate(_DAYS)]
    yields = [_PERFORMANCE * kept * month for month in months]
    specific = sum(yields)
    hours = _hours(latitude, kept, megawatts)
    energy: dict[str, Json] = {
        "specificYield": round(specific, 1),
        "gridEnergyMWh": round(specific * megawatts, 2),
        "performanceRatio": round(_PERFORMANCE * kept, 4),
        "capacityFactor": round(specific / 8760, 4),
    }
    location: dict[str, Json] = {"locationId": asked.get("locationId"), "latitude": latitude}
    plant: dict[str, Json] = {
        "blocks": len(blocks),
        "dcCapacityMW": round(megawatts, 4),
        "arrayType": _layout(first).get("arrayType"),
        "gcr": gcr_of(first),
    }
    return {
        "title": None if untitled else asked.get("name"),
        "algorithmVersion": "demo-2",
        "summary": energy | location | plant,
        "energyYieldSummary": energy,
        "locationSummary": location,
        "plantSummary": plant,
        "losses": {name: round(share, 4) for name, share in losses.items()},
        "blockSummary": [
            {"index": place, "dcCapacityMW": round(_megawatts(block), 4), "gcr": gcr_of(block)}
            for place, block in enumerate(blocks)
        ],
        "settings": asked.get("settings") or {},
        "monthlySummary": [
            {"month": n, "energyMWh": round(given * megawatts, 3), "irradiation": round(sun, 1)}
            for n, (given, sun) in enumerate(zip(yields, months, strict=True), 1)
        ],
        "timeSeries": {"date": _dates(), **(_stretched(hours) if big else hours)},
        "blockTimeSeries": {str(place): {"gridACPower": [1.0, 2.0]} for place in range(len(blocks))},
    }


def gcr_of(block: dict[str, Json]) -> float:
    """Ground coverage: the share of the ground that modules stand over."""
    value = _layout(block).get("gcr")
    return float(value) if isinstance(value, int | float) else 0.4


def _layout(block: dict[str, Json]) -> dict[str, Json]:
    found = block.get("layout")
    return found if isinstance(found, dict) else {}


def _number(value: Json, otherwise: float) -> float:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if plain else otherwise


def _latitude(asked: dict[str, Json]) -> float:
    """Degrees north: as given with the location, else one for each location of the library."""
    inline = asked.get("location")
    told = inline.get("latitude") if isinstance(inline, dict) else None
    place = _number(asked.get("locationId") or asked.get("projectId"), 1)
    return round(_number(told, 30 + (place * 7) % 26), 2)


def _megawatts(block: dict[str, Json]) -> float:
    parts = [block["array"]] if isinstance(block.get("array"), dict) else block.get("dcInputs") or []
    modules = sum(
        _number(part.get("stringCount"), 1) * _number(part.get("stringLength"), 1)
        for part in parts
        if isinstance(part, dict)
    )
    return max(modules, 1) * _MODULE_WATTS / 1e6


def _losses(block: dict[str, Json]) -> dict[str, float]:
    given = block.get("losses")
    system = block.get("acSystem")
    table = given if isinstance(given, dict) else {}
    grid = system.get("losses") if isinstance(system, dict) else None
    found = {name: min(0.5, max(-0.5, _number(table.get(name), 0.01))) for name in _LOSSES}
    tracks = _layout(block).get("arrayType") == "tracker"
    found["nearShading"] = (0.03 if tracks else 0.05) * gcr_of(block) ** 2 / 0.16
    found["inverter"] = 0.018
    found["acohmic"] = _number(grid.get("acohmicLoss") if isinstance(grid, dict) else None, 0.01)
    return found


def _gain(block: dict[str, Json]) -> float:
    """What the modules see over level ground."""
    if _layout(block).get("arrayType") == "tracker":
        return 1.2
    tilt = _number(_layout(block).get("tilt"), 25)
    return 1.1 - ((tilt - 32) / 90) ** 2


def _sun(latitude: float, month: int) -> float:
    """kWh/m² a day on level ground."""
    summer = math.cos(2 * math.pi * (month - 5.5) / 12)
    return max(0.4, 6.6 - 0.06 * latitude + (0.4 + 0.045 * abs(latitude)) * summer)


def _hours(latitude: float, kept: float, megawatts: float) -> dict[str, list[Json]]:
    """Power in kW, hour by hour from New Year on; no two days alike."""
    peak = 800 * megawatts * kept * (1 - latitude / 200)
    light = (max(0.0, math.sin(math.pi * ((hour % 24) - 7) / 10)) * _sky(hour // 24) for hour in range(WEEK))
    direct = [round(peak * share, 3) for share in light]
    return {
        "arrayDCPower": direct,
        "inverterOutACPower": [round(0.982 * power, 3) for power in direct],
        "gridACPower": [round(0.972 * power - 0.02, 3) for power in direct],
        "poiACPower": [round(0.97 * power - 0.03, 3) for power in direct],
    }


def _sky(day: int) -> float:
    return 0.55 + 0.45 * math.cos(day * 2.4) ** 2


def _dates() -> list[Json]:
    return [f"2026-01-{1 + hour // 24:02}T{hour % 24:02}:00" for hour in range(WEEK)]


def _stretched(hours: dict[str, list[Json]]) -> dict[str, list[Json]]:
    return {name: (column * (_BIG // WEEK + 1))[:_BIG] for name, column in hours.items()}
