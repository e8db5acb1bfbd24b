"""What is known of kind `daly` without importing it."""

from batchtui.catalog.card import Card
from batchtui.catalog.form import FormField

CARD = Card(
    name="daly",
    rank=70,
    backend="batchtui.domains.energy.backend:DalyBackend",
    summary="Daly energy models, one run a job",
    remote=True,
    works=("model run",),
    form={
        "model run": (
            FormField("job.input_file", "Input file", "the energy model's JSON; Tab completes", path=True),
            FormField(
                "job.input", "Input", 'laid over it: {"locationId": "{{ column }}"}', "table", lines=True
            ),
            FormField("job.name", "Run name", "Site {{ column }}, else the job's id"),
            FormField("job.timeout", "Timeout", "of the call that submits a run: 120s", "duration"),
        )
    },
    key_settings={"workspace_key_env": "DALY_WORKSPACE_KEY", "user_key_env": "DALY_USER_KEY"},
    own_server="http://127.0.0.1:8000",
    views=("energy",),
    ids=("energy_model_id", "task_id"),
)
