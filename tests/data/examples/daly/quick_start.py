"""Daly's page on batches, its quick start: two runs, a wait that tells how far they are, a summary, every result."""

import json
from pathlib import Path

from batchtui import Batch

site = json.loads(Path("site.json").read_text())
steeper = {
    **site,
    "blocks": [{**block, "layout": {**block["layout"], "tilt": 35}} for block in site["blocks"]],
}

batch = Batch("quick start", backend="daly")
batch.add_jobs([("Site A", site), ("Site B", steeper)])
run = batch.start()
finished = run.wait(
    timeout=600, poll_interval=1, on_poll=lambda completed, failed, pending: print(completed, failed, pending)
)
print(finished, json.dumps(run.summary()))
for result in run.completed:
    print(result.name, result.remote["energy_model_id"], json.dumps(result.data["summary"]))
