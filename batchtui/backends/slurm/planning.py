"""What a batch on a cluster would be, in words: how many run at once, in which arrays, and what the cluster is."""

from __future__ import annotations

from batchtui.backends.slurm.facts import Facts
from batchtui.backends.slurm.settings import SlurmSettings


def at_once(name: str, settings: SlurmSettings, asked: int | None) -> str:
    """`asked`: what the batch's own limits say."""
    most = settings.elements_at_once(asked)
    if most is None:
        return "as many array elements as Slurm starts"
    words = f"{most:,} element{'s' if most != 1 else ''} of an array, each doing one job after another"
    if most == asked:
        return words
    own = f"the most that backends.{name} allows"
    return f"{words} ({own}; the batch asks for {asked:,})" if asked else f"{words} ({own})"


def arrays(elements: int, chunk: int, submissions: int, facts: Facts | None, silent: str) -> str:
    """`elements`: of the largest array; `silent`: why the cluster's limits are not known."""
    how = f"{submissions:,} arrays of at most" if submissions > 1 else "one array of"
    told = f"{how} {elements:,} element{'s' if elements != 1 else ''}"
    if facts and elements == facts.most_elements:
        told += f" ({facts.bounded_by} is {elements:,})"
    told += f", {chunk:,} job{'s' if chunk != 1 else ''} each"
    return f"{told}, by Slurm's usual limits: {silent}" if silent else told


def site(facts: Facts, partition: str | None, settings: SlurmSettings) -> str:
    """What answered."""
    accounts = "with accounting" if facts.accounting else "without accounting"
    return (
        f"cluster {facts.cluster}, Slurm {facts.version}, {accounts}, {facts.where(partition)}, "
        f"arrays of {facts.most_elements:,}; run folders in {settings.place}"
    )
