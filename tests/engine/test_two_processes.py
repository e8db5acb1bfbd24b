"""Several processes on one data folder: one drives, the others follow, anyone may ask, the next takes over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from batchtui.engine.worker import Worker
from batchtui.store.files.lock import holder
from tests.engine.bench import Bench, until
from tests.engine.victim import Victim


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    return tmp_path / "go"


@pytest.fixture
def victim(tmp_path: Path, gate: Path) -> Victim:
    """A batch of ten programs that wait for the gate, two at a time."""
    rows = "id\n" + "".join(f"r{n}\n" for n in range(10))
    (tmp_path / "rows.csv").write_text(rows)
    (tmp_path / "batch.toml").write_text(
        'backend = "local"\n[source]\nfile = "rows.csv"\n[limits]\nconcurrency = 2\n'
        f'[job]\ncommand = ["sh", "-c", "until [ -e {gate} ]; do sleep 0.02; done"]\n'
    )
    return Victim(tmp_path / "data")


@pytest.fixture
def follower(victim: Victim, tmp_path: Path) -> Iterator[Worker]:
    """A worker of this process that would drive everything."""
    bench = Bench(tmp_path)
    bench.close()
    worker = bench.new_worker(drive_all=True)
    yield worker
    worker.stop()


def test_one_drives_one_follows_and_takes_over(
    victim: Victim, tmp_path: Path, gate: Path, request: pytest.FixtureRequest
) -> None:
    first = victim.start("run", "--trust", str(tmp_path / "batch.toml"))
    until(lambda: any(holder(path) for path in (victim.data_dir / "batches").glob("[!.]*")))
    follower: Worker = request.getfixturevalue("follower")
    until(lambda: follower.folders() and follower.folders()[0].status().processing == 2)
    (folder,) = follower.folders()
    assert not follower.drives(folder.id)
    assert folder.status().driver
    assert str(first.pid) in (folder.status().driver or "")
    assert follower.drain()

    first.kill()
    first.communicate()
    until(lambda: follower.drives(folder.id))
    until(lambda: folder.status().maybe_twice == 2, "the jobs in flight are counted")
    gate.touch()
    until(lambda: folder.status().completed == 10)


def test_a_command_from_elsewhere_is_obeyed(victim: Victim, tmp_path: Path) -> None:
    driver = victim.start("run", "--trust", str(tmp_path / "batch.toml"))
    until(lambda: victim.library.ids() and victim.folder().status().processing == 2)
    batch_id = victim.folder().id
    answer = victim.finish("cancel", batch_id)
    assert answer.returncode == 0, answer.stderr.decode()
    _, err = driver.communicate(timeout=60)
    assert driver.returncode == 1, err.decode()
    assert victim.folder().status().cancelled == 10


def test_a_command_without_a_driver_is_obeyed_by_who_asks(victim: Victim, tmp_path: Path) -> None:
    driver = victim.start("run", "--trust", str(tmp_path / "batch.toml"))
    until(lambda: victim.library.ids() and victim.folder().status().processing == 2)
    driver.kill()
    driver.communicate()
    answer = victim.finish("cancel", victim.folder().id)
    assert answer.returncode == 0, answer.stderr.decode()
    status = victim.folder().status()
    assert (status.status, status.cancelled, status.driver) == ("cancelled", 10, None)
