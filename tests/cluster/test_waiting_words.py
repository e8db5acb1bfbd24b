"""Why a batch does not get on, told in `status`, in its JSON and on screen while it waits."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.cli.shared.phrases import progress
from batchtui.tui.look.states import UNICODE
from batchtui.tui.look.submission_lines import lines
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
    victim = Victim(tmp_path / "data", tmp_path / "config.toml")

    def as_json() -> tuple[str, str]:
        (told,) = json.loads(victim.finish("status", folder.id, "--json").stdout)["submissions"] or ({},)
        return told.get("status", ""), (told.get("reason") or "")[: len(words)]

    def on_screen() -> str:
        shown = lines(bench.status(folder).submissions or [], UNICODE, time.time(), 5, 120)
        return "\n".join(line.plain for line in shown)

    until(lambda: as_json() == ("waiting", words), "the reason, between two tries")
    until(lambda: words[:60] in victim.finish("status", folder.id).stdout.decode(), "the same in words")
    until(lambda: words[:40] in on_screen(), "the same on screen")
    assert bench.status(folder).failed == 0


def test_the_words_of_squeue_stand_in_status_in_its_json_and_on_screen(
    on_site: Callable[..., Bench], site: StandIn, tmp_path: Path
) -> None:
    site.fate({1: {0: "PENDING", 1: "ran:RUNNING"}})
    bench = on_site(chunk=1)
    folder = bench.start(bench.spec("cluster", 2, {"command": ["true"]}))
    until(lambda: (tmp_path / "stand-in" / "queue").exists(), "an array")
    queue = tmp_path / "stand-in" / "queue"
    until(lambda: "PENDING" in queue.read_text(), "its elements")
    queue.write_text(queue.read_text().replace("|n1|None", "|n1|Resources"))
    words = "1 running, 1 waiting (Resources: no node is free)"
    victim = Victim(tmp_path / "data", tmp_path / "config.toml")

    def told() -> str:
        (one,) = json.loads(victim.finish("status", folder.id, "--json").stdout)["submissions"]
        return str(one["reason"])

    until(lambda: told() == words, words)
    assert words in victim.finish("status", folder.id).stdout.decode()
    found = bench.status(folder)
    shown = lines(found.submissions or [], UNICODE, time.time(), 5, 120)
    assert words in "\n".join(line.plain for line in shown)
    assert words in progress(found)


def test_what_squeue_says_is_told_with_since_when(
    on_site: Callable[..., Bench], site: StandIn, tmp_path: Path
) -> None:
    site.fate({1: {0: "PENDING"}})
    bench = on_site()
    folder = bench.start(bench.spec("cluster", 2, {"command": ["true"]}))
    until(
        lambda: (found := bench.status(folder).submissions) and found[0].last_contact and found[0].remote_id
    )
    site.says("squeue", "slurm_load_jobs error: Unable to contact slurm controller (connect failure)")
    until(lambda: (found := bench.status(folder).submissions) and found[0].trouble, "the trouble")
    words = "Slurm's controller does not answer (squeue: "
    victim = Victim(tmp_path / "data", tmp_path / "config.toml")

    def told() -> dict[str, str | None]:
        (one,) = json.loads(victim.finish("status", folder.id, "--json").stdout)["submissions"]
        return one

    until(lambda: told()["trouble"])
    assert words in (told()["trouble"] or "")
    assert "connect failure" in (told()["trouble"] or "")
    assert told()["trouble_since"]
    assert words in victim.finish("status", folder.id).stdout.decode()
    site.says("squeue", None)
    until(lambda: not told()["trouble"])
