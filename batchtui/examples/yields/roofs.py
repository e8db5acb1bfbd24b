"""A rough yield of a roof of solar cells: a cosine of how far it looks away from the best direction."""

import math


def annual(area: float, tilt: float, azimuth: float) -> dict[str, float]:
    """`area` in m², angles in degrees; kilowatt hours a year."""
    share = math.cos(math.radians(tilt - 35)) * (0.7 + 0.3 * math.cos(math.radians(azimuth - 180)))
    return {"kwh": round(area * 0.2 * 1000 * share, 1), "share": round(share, 3)}
