"""What is known of kind `buttermilk` without importing it."""

from batchtui.catalog.card import Card
from batchtui.catalog.form import FormField

CARD = Card(
    name="buttermilk",
    rank=80,
    backend="batchtui.domains.flows.backend:ButtermilkBackend",
    summary="Buttermilk flows over their server's records",
    remote=True,
    works=("flow",),
    form={
        "flow": (
            FormField("job.flow", "Flow", "the flow's name; ctrl+l lists them"),
            FormField("job.max_records", "Records", "all, or the first n", "whole"),
            FormField("job.shuffle", "Shuffle", "yes", "truth"),
            FormField("job.concurrency", "Concurrency", "5 at once on the server", "whole"),
            FormField("job.error_policy", "Policy", "continue, or stop", "policy"),
            FormField("job.parameters", "Parameters", 'of every run, as {"model": "x"}', "table"),
            FormField("job.interactive", "Interactive", "no", "truth"),
        )
    },
    lists="flow",
    takes_key=False,
    own_server="http://127.0.0.1:8000",
)
