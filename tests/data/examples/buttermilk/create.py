"""A flow over its records from Python: every key, then its figures, its errors and its answers."""

from batchtui import Batch

batch = Batch("flow", backend="buttermilk", concurrency=2, error_policy="continue")
batch.add_job(flow="demo", max_records=3, shuffle=False, parameters={"tone": "calm"}, interactive=False)
run = batch.run()
print(run.poll(), run.get_failed_jobs())
for result in run.completed:
    print(result.job_id, result.row["record_id"], result.data["outputs"])
