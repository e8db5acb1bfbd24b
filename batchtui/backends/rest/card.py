"""What is known of kind `rest` without importing it."""

from batchtui.catalog.card import Card
from batchtui.catalog.form import FormField

CARD = Card(
    name="rest",
    rank=90,
    backend="batchtui.backends.rest.backend:RestBackend",
    summary="Any JSON API with submit, poll and fetch, described in the config",
    remote=True,
    works=("request",),
    form={
        "request": (
            FormField(
                "job.input", "Input", 'what goes to the API: {"text": "{{ column }}"}', "input", lines=True
            ),
            FormField("job.name", "Name of job", "{{ column }}, else the job's id"),
        )
    },
    page="rest",
    views_if_found=("energy",),
)
