"""Answers come home while others of their array still run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.bench import Bench, until

pytestmark = pytest.mark.timeout(300)


def test_what_has_ended_is_stored_while_the_rest_runs(
    on_cluster: Callable[..., Bench], tmp_path: Path
) -> None:
    bench, gate = on_cluster(chunk=2), tmp_path / "gate"
    script = f"test {{{{ id }}}} != r3 || until test -e {gate}; do sleep 0.1; done; echo {{{{ id }}}}"
    folder = bench.start(bench.spec("cluster", 8, {"command": ["sh", "-c", script]}))
    until(lambda: bench.status(folder).completed == 7, "seven results")
    status = bench.status(folder)
    assert (status.status, status.processing) == ("processing", 1)
    assert [(one.completed, one.failed) for one in status.submissions or []] == [(7, 0)]
    assert folder.result(2).raw_response == "r2\n"
    gate.touch()
    assert bench.worker.wait({folder.id}, 60), bench.worker.log()
    status = bench.status(bench.known(folder.id))
    assert status.completed == 8
    assert [(one.completed, one.failed) for one in status.submissions or []] == [(8, 0)]
    assert not list(folder.path.glob("raw/*strays*"))


def test_a_job_is_sent_again_while_the_rest_of_its_array_runs(
    on_cluster: Callable[..., Bench], tmp_path: Path
) -> None:
    bench, gate, once, mended = on_cluster(), *(tmp_path / name for name in ("gate", "once", "mended"))
    wait = "until test -e {}; do sleep 0.1; done"
    script = (
        f"case {{{{ id }}}} in r0) test -e {once} || {{ touch {once}; exit 1; }}; {wait.format(mended)};; "
        f"*) {wait.format(gate)};; esac"
    )
    folder = bench.start(bench.spec("cluster", 3, {"command": ["sh", "-c", script]}))
    until(lambda: bench.status(folder).failed == 1, "the failure")
    bench.ask(folder, "retry", jobs=["r0"])
    until(lambda: len(bench.status(folder).submissions or []) == 2, "the second submission")
    gate.touch()
    until(lambda: (bench.status(folder).submissions or [])[0].status == "collected", "the end of the first")
    assert (bench.status(folder).completed, bench.status(folder).processing) == (2, 1)
    mended.touch()
    assert bench.worker.wait({folder.id}, 90), bench.worker.log()
    folder = bench.known(folder.id)
    assert (folder.status().completed, folder.result(0).attempts) == (3, 2)
    assert [one.jobs for one in bench.status(folder).submissions or []] == [3, 1]
