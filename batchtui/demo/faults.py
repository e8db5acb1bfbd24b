"""What goes wrong on request: a fault spec such as `429=0.2,drop.create=1,latency=50ms,seed=1`, parsed and drawn."""

from __future__ import annotations

import hashlib
import random
import re
from dataclasses import dataclass, field
from typing import NamedTuple

from batchtui.errors import BadInput, nearest

OPS = ("chat", "create", "upload", "cancel", "poll", "list", "read", "results", "delete", "models")
"""What a call is for; a call share may be narrowed to one of them: `drop.create=1`."""
ANSWER = "badjson.answer"
"""Breaks the JSON inside structured answers alone; plain `badjson` breaks whole replies as well."""
CALL_SHARES = ("429", "500", "drop", "slow", "badjson", "502")
ROW_SHARES = ("partial", "hostile", "invalid")
DURATIONS = ("latency", "late", "duration", "drip", "retry_after")
NAMES = (*CALL_SHARES, *ROW_SHARES, "expire", "enqueued", *DURATIONS, "seed")

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m)?")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, None: 1.0}


class Fate(NamedTuple):
    """What befalls one call. All but `refuse` and `fail` come after the work was done."""

    refuse: bool = False
    fail: bool = False
    drop: bool = False
    slow: bool = False
    badjson: bool = False
    bad_gateway: bool = False


UNHARMED = Fate()


@dataclass(slots=True)
class Faults:
    """A parsed spec. Durations are seconds, shares 0 to 1; `random` draws for calls, `chance` for rows."""

    shares: dict[str, float] = field(default_factory=dict)
    latency: float = 0.0
    late: float = 0.0
    """A create is carried out up to this much later than it was asked for."""
    duration: float | None = None
    """How long a batch takes; None: half a second and a little for each row."""
    drip: float = 1.0
    """How long a slow reply takes to arrive."""
    retry_after: float | None = None
    """What a 429 asks to wait; None: 0.1 to 0.3."""
    expire: float | None = None
    """Share of a batch's rows that are done when it expires; None: it does not."""
    enqueued: int | None = None
    """Tokens of prompts that batches of one model may have in flight; one that is too many fails."""
    seed: int = 0
    random: random.Random = field(default_factory=random.Random)

    def fate(self, op: str) -> Fate:
        """Draws what befalls the next call of this kind."""
        if not self.shares:
            return UNHARMED
        return Fate(*(self._drawn(name, op) for name in CALL_SHARES))

    def chance(self, name: str, *key: object) -> bool:
        """Whether a row share, or `badjson.answer`, befalls this row: always the same for the same key."""
        share = self.shares.get(name, self.shares.get(name.partition(".")[0], 0.0))
        if not share:
            return False
        text = "\0".join(map(str, (self.seed, name, *key)))
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return int.from_bytes(digest) / 2**64 < share

    def wait(self) -> float:
        """Seconds that a 429 asks for."""
        return self.random.uniform(0.1, 0.3) if self.retry_after is None else self.retry_after

    def commit_delay(self) -> float:
        return self.random.uniform(0, self.late) if self.late else 0.0

    def _drawn(self, name: str, op: str) -> bool:
        share = self.shares.get(f"{name}.{op}", self.shares.get(name, 0.0))
        return share > 0 and self.random.random() < share


def parse_faults(spec: str, **options: object) -> Faults:
    """`spec` with `options` on top (the same names as keywords). Raises BadInput naming the nearest known name."""
    faults = Faults()
    pairs: list[tuple[str, str]] = []
    for part in filter(None, (part.strip() for part in spec.split(","))):
        name, equals, value = part.partition("=")
        if not equals:
            raise BadInput(f'faults: "{part}": expected NAME=VALUE, such as 429=0.2{nearest(part, NAMES)}')
        pairs.append((name.strip(), value.strip()))
    pairs += [(name, str(value)) for name, value in options.items() if value is not None]
    for name, value in pairs:
        _set(faults, name, value)
    faults.random.seed(faults.seed)
    return faults


def _set(faults: Faults, name: str, value: str) -> None:
    base, dot, op = name.partition(".")
    if base not in NAMES or (dot and base not in CALL_SHARES):
        raise BadInput(f'faults: unknown name "{name}"{nearest(base, NAMES)}; known: {", ".join(NAMES)}')
    if dot and op not in OPS and name != ANSWER:
        raise BadInput(f'faults: {base}: unknown call "{op}"{nearest(op, OPS)}; known: {", ".join(OPS)}')
    if name in ("seed", "enqueued"):
        setattr(faults, name, _whole(name, value))
    elif name in DURATIONS:
        setattr(faults, name, _duration(name, value))
    elif name == "expire":
        faults.expire = _share(name, value)
    else:
        faults.shares[name] = _share(name, value)


def _share(name: str, value: str) -> float:
    try:
        share = float(value)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise BadInput(f'faults: {name}: expected a share from 0 to 1, got "{value}"')
    return share


def _duration(name: str, value: str) -> float:
    match = _DURATION.fullmatch(value)
    if not match or float(match[1]) > 1e6:
        raise BadInput(f'faults: {name}: expected a duration such as 50ms or 2s, got "{value}"')
    return float(match[1]) * _UNITS[match[2]]


def _whole(name: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise BadInput(f'faults: {name}: expected a whole number, got "{value}"') from None
