"""Runs submitted one at a time while earlier ones are under way, with a timeout of its own for a submit."""

import json
from pathlib import Path

from batchtui import Batch

site = json.loads(Path("site.json").read_text())
batch = Batch("one by one", backend="daly", concurrency=2)
batch.add_job(name="first", input=site)
run = batch.start()
for gcr in (0.3, 0.4, 0.5):
    batch.add_job(name=f"gcr {gcr}", input_file="site.json", input={"blocks.*.layout.gcr": gcr}, timeout=30)
while run.poll().pending:
    run.wait(timeout=0.5)
print(run.poll())
for one in run.runs:
    print(one.name, one.status, one.remote.get("task_id"))
