"""How long to wait before another try: base 1 s, doubling, at most 60 s unless told, times a random share of 0.5 to 1.

What a server asks for is waited for, and up to a tenth more, at most 15 minutes.
"""

from __future__ import annotations

import random

from batchtui.backends.faults import PAUSE_MOST
from batchtui.backends.wire.waits import LONGEST_WAIT

BASE = 1.0


def delay(fails: int, asked: float | None = None, most: float = PAUSE_MOST) -> float:
    """Seconds before the next try after `fails` failures in a row (1 and up); never less than was asked for."""
    own: float = min(most, BASE * 2 ** min(fails - 1, 10)) * random.uniform(0.5, 1.0)
    if not asked or asked < 0:
        return own
    return min(asked * random.uniform(1.0, 1.1), LONGEST_WAIT)
