"""`submit_many` with configurations that cannot run: they are failed jobs with their reasons, and the others are sent."""

import json
import logging
from pathlib import Path

from batchtui import Batch

logging.basicConfig(level=logging.WARNING)
site = json.loads(Path("site.json").read_text())
batch = Batch("sweep", backend="daly")
added = batch.add_jobs(
    [("good", site), ("no blocks", {**site, "blocks": []}), ("odd", {**site, "colour": "red"})]
)
run = batch.run()
print(added, json.dumps(run.summary()))
