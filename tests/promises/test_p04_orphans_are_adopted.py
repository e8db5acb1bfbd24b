"""P4: what a store sent after the copy was taken that now stands in its place is adopted; what is not ours stays alone."""

from __future__ import annotations

import random
import shutil

import httpx
import pytest

from batchtui.demo.server import DemoServer
from tests.copying import copy_live
from tests.crashes.laboratory import Laboratory
from tests.crashes.shape import made
from tests.crashes.shapes import SHAPES
from tests.promises.whole import figure

pytestmark = pytest.mark.timeout(figure(600, 0))  # many processes, one after the other

SEED = 4
FOREIGN = "somebody-elses"


def a_batch_of_others(server: DemoServer) -> str:
    line = (
        '{"custom_id": "theirs", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "demo-small", '
        '"messages": [{"role": "user", "content": "x"}]}}\n'
    )
    files = {"file": (f"{FOREIGN}.jsonl", line.encode())}
    uploaded = httpx.post(f"{server.url}/v1/files", data={"purpose": "batch"}, files=files).json()
    asked = {
        "input_file_id": uploaded["id"],
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
        "metadata": {"token": FOREIGN},
    }
    remote_id: str = httpx.post(f"{server.url}/v1/batches", json=asked).json()["id"]
    return remote_id


def test_p4_an_old_copy_put_back_adopts_and_pays_nothing(room: Laboratory) -> None:
    put_back, seed = 0, SEED
    while put_back < figure(3, 50):
        put_back += copies_put_back(room, seed)
        seed += 1


def copies_put_back(room: Laboratory, seed: int) -> int:
    """Of one batch that was copied at each of its kills, and ended; how many copies were put back in its place."""
    chance = random.Random(seed)
    shape = SHAPES["openai"]
    with room.trial(shape, seed, "duration=200ms") as trial:
        foreign = a_batch_of_others(trial.server)
        copies = []
        for number in range(6):
            if not trial.kill_at(chance.choice(shape.sends), chance.randrange(1, 3)):
                break
            if trial.store_ids():
                copies.append(trial.folder / f"copy-{number}")
                copy_live(trial.data, copies[-1])
        assert not trial.finish().twice
        paid = len(made(trial.server))
        assert copies
        for copy in copies:
            shutil.rmtree(trial.data)
            copy.rename(trial.data)
            life = trial.begin()
            assert life.wait() == 0, f"seed {seed}, {copy.name}: {life.said()}"
            status = trial.store.status(submissions=True)
            assert status.completed == shape.jobs
            assert len(made(trial.server)) == paid
            assert foreign not in {one.remote_id for one in status.submissions or ()}
        theirs = httpx.get(f"{trial.server.url}/v1/batches/{foreign}").json()
        assert theirs["status"] == "completed"
        assert not [
            entry
            for entry in trial.server.ledger()
            if entry["op"] == "cancel" or (entry["op"] == "delete" and entry["remote_id"] == foreign)
        ]
        assert httpx.get(f"{trial.server.url}/v1/files/{theirs['input_file_id']}").status_code == 200
    return len(copies)
