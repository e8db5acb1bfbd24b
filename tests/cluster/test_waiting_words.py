"""Why a batch does not get on, told in `status`, in its JSON and on screen while it waits."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.tui.states import UNICODE
from batchtui.tui.submission_lines import lines
from tests.cluster.stand_in import StandIn
from tests.engine.bench import Bench, until
from tests.engine.victim import Victim

FULL = "QOSMaxSubmitJobPerUserLimit\nsbatch: error: Batch job submission failed: Job violates accounting/QOS policy"
DOWN = "Batch job submission failed: Unable to contact slurm controller (connect failure)"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (FULL, "Slurm takes no more jobs now (QOSMaxSubmitJobPerUserLimit); sent again by itself"),
        (
            DOWN,
            "Slurm's controller does not answer (sbatch: Unable to contact slurm controller (connect failure))",
        ),
    ],
    ids=["full", "down"],
)
def test_what_it_waits_for(
    on_site: Callable[..., Bench], site: StandIn, tmp_path: Path, said: str, words: str
) -> None:
    site.says("sbatch", f"sbatch: error: {said}")
    bench = on_site()
    folder = bench.start(bench.spec("cluster", 2, {"command": ["true"]}))
    until(lambda: (found := bench.status(folder).submissions) and found[0].reason, "the reason")
    victim = Victim(tmp_path / "data", tmp_path / "config.toml")
    (told,) = json.loads(victim.finish("status", folder.id, "--json").stdout)["submissions"]
    assert (told["status"], told["reason"][: len(words)]) == ("waiting", words)
    assert words[:60] in victim.finish("status", folder.id).stdout.decode()
    shown = lines(bench.status(folder).submissions or [], UNICODE, time.time(), 5, 120)
    assert words[:40] in "\n".join(line.plain for line in shown)
    assert bench.status(folder).failed == 0


def test_a_partition_that_is_unknown_fails_its_jobs_with_what_to_do(
    on_site: Callable[..., Bench], site: StandIn
) -> None:
    site.says("sbatch", "sbatch: error: Batch job submission failed: Invalid partition name specified")
    bench = on_site(partition="gold")
    folder = bench.run(bench.spec("cluster", 2, {"command": ["true"]}))
    words = "sbatch: Invalid partition name specified; `sinfo` lists the partitions; name one as `partition` in the"
    assert folder.status().failed == 2
    assert words in (folder.result(1).error or "")
    (told,) = bench.status(folder).submissions or []
    assert words in (told.reason or "")
