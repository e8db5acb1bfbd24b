"""What a cluster says of itself: its version, its partitions, and how large an array may be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from batchtui.text import cell

PARTITIONS_FORMAT = "%P|%l|%a"
MAX_ARRAY = 1001
"""What Slurm takes where nobody set it."""
_SET = re.compile(r"^(\w+)\s*=\s*(\S+)", re.MULTILINE)
_NAMED = 8
"""Partitions that are told by name."""


@dataclass(frozen=True, slots=True)
class Partition:
    """`most_seconds`: its time limit, None: none; `up`: whether jobs may start in it."""

    name: str
    most_seconds: float | None = None
    default: bool = False
    up: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    """`most_submitted`: elements that this user may have in the queue, None where no limit is known."""

    version: str
    cluster: str
    max_array: int
    accounting: bool
    partitions: tuple[Partition, ...] = ()
    most_submitted: int | None = None

    @property
    def most_elements(self) -> int:
        """How many elements one array may have."""
        return min(self.max_array, self.most_submitted or self.max_array)

    @property
    def bounded_by(self) -> str:
        """Which limit that is."""
        own = self.most_submitted is not None and self.most_submitted < self.max_array
        return "this user's limit of submitted jobs" if own else "MaxArraySize"

    def chosen(self, wanted: str | None) -> list[Partition]:
        """The partitions of `a,b`, as far as they are there; None: the default one."""
        names = set(wanted.split(",")) if wanted else set()
        return [one for one in self.partitions if (one.name in names if wanted else one.default)]

    def most_seconds(self, wanted: str | None) -> float | None:
        """What the tightest of these partitions allows."""
        limits = [one.most_seconds for one in self.chosen(wanted) if one.most_seconds is not None]
        return min(limits, default=None)

    def where(self, wanted: str | None) -> str:
        """These partitions in words."""
        found = self.chosen(wanted)
        names = ", ".join(cell(one.name, 40) + ("" if one.up else " (down)") for one in found)
        if not names:
            return f"partition {wanted}" if wanted else "no default partition"
        return f"partition {names}" + ("" if wanted else " (the default)")

    def no_partition(self, wanted: str | None) -> str:
        """Why jobs cannot go to these partitions, with those that there are; empty where they can.

        Where none is named and none is the default, a site may still choose one.
        """
        there = {one.name for one in self.partitions}
        lacking = [name for name in (wanted or "").split(",") if name and name not in there]
        if not lacking or not there:
            return ""
        return f"there is no partition {cell(lacking[0], 40)}; there are {self._listed()}"

    def _listed(self) -> str:
        names = [cell(one.name, 40) + (" (default)" if one.default else "") for one in self.partitions]
        more = len(names) - _NAMED
        return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def facts_of(config: str, partitions: str) -> Facts:
    """Of `scontrol show config` and of `sinfo -o` with PARTITIONS_FORMAT."""
    found = dict(_SET.findall(config))
    sizes = [_count(found.get(name, "")) for name in ("MaxArraySize", "MaxJobCount")]
    return Facts(
        version=found.get("SLURM_VERSION", ""),
        cluster=found.get("ClusterName", ""),
        max_array=min(sizes[0] or MAX_ARRAY, sizes[1] or sizes[0] or MAX_ARRAY),
        accounting=found.get("AccountingStorageType", "").endswith("slurmdbd"),
        partitions=tuple(_partitions(partitions)),
    )


def most_submitted(associations: str, qos: str, account: str | None, wanted: str | None) -> int | None:
    """The least of the limits of submitted jobs that hold for this user, by account and QOS; None where there is none.

    `associations` is of `sacctmgr -nP show assoc format=Account,MaxSubmit,DefaultQOS`, `qos` of
    `sacctmgr -nP show qos format=Name,MaxSubmitPU,MaxSubmitPA`. None for `account`: any of them may be the one.
    """
    limits: list[int | None] = []
    names = {wanted} if wanted else set()
    for row in associations.splitlines():
        own, limit, usual = [*row.split("|"), "", "", ""][:3]
        if own and (account is None or own == account):
            limits.append(_count(limit))
            if not wanted and usual:
                names.add(usual)
    for row in qos.splitlines():
        name, *most = row.split("|")
        if name in names:
            limits += map(_count, most)
    return min((limit for limit in limits if limit), default=None)


def _count(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def _partitions(text: str) -> Iterator[Partition]:
    """Lines of another form, such as a cluster's heading, are passed over; a partition may have several."""
    seen = set()
    for row in text.splitlines():
        name, limit, state = [*row.strip().split("|"), "", ""][:3]
        plain = name.removesuffix("*")
        if "|" in row and plain and plain not in seen:
            seen.add(plain)
            yield Partition(plain, _seconds(limit), name.endswith("*"), state in ("", "up"))


def _seconds(limit: str) -> float | None:
    """Of `days-hours:minutes:seconds`, the first of them left out where they are nothing; None where it is no number."""
    days, _, clock = limit.rpartition("-")
    parts = clock.split(":")
    if not all(part.isdecimal() for part in parts) or len(parts) > 3:
        return None  # `infinite`, `n/a`
    hours, minutes, rest = [0] * (3 - len(parts)) + [int(part) for part in parts]
    return float(((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + rest)
