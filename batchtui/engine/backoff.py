"""How long to wait before another try: base 1 s, doubling, at most 60 s, times a random share of 0.5 to 1."""

from __future__ import annotations

import random

BASE = 1.0
CAP = 60.0


def delay(fails: int, asked: float | None = None) -> float:
    """Seconds before the next try after `fails` failures in a row (1 and up); never less than was asked for."""
    own = min(CAP, BASE * 2 ** min(fails - 1, 10)) * random.uniform(0.5, 1.0)
    return max(asked * random.uniform(1.0, 1.1), own if asked == 0 else 0.0) if asked is not None else own
