"""The Python API: a `Batch` is composed, a `BatchRun` followed, a `JobResult` read.

    from batchtui import Batch

    batch = Batch("invoices", backend="claude", results_dir="out")
    batch.set_default_params(model="claude-sonnet-4-5", max_tokens=500).add_cost_limit(usd=5)
    batch.add_job(file="a.pdf", prompt="Summarise", response_model=Invoice, enable_citations=True)
    run = batch.run(on_progress=print)
    for result in run:
        print(result.job_id, result.parsed_response if result.is_success else result.error)

It is the engine, the store and the locks of the app: what a script starts shows there, and what was started there is
opened here with `Batch.open`. The engine has a thread of its own, so all of it works in scripts, in notebooks with
their running event loop, and from any thread.
"""

from batchtui.api.batch import Batch
from batchtui.api.kinds import (
    Anthropic,
    Buttermilk,
    Chat,
    Daly,
    Gat,
    Gemini,
    Local,
    Mistral,
    OpenAI,
    Rest,
    Slurm,
    Together,
)
from batchtui.api.results import Citation, JobResult
from batchtui.api.run import BatchRun
from batchtui.api.stops import NeedsPerson
from batchtui.model import BatchState

BatchStatus = BatchState
"""The states of a batch under the name that simple_agents gives them."""

__all__ = [
    "Anthropic", "Batch", "BatchRun", "BatchStatus", "Buttermilk", "Chat", "Citation", "Daly", "Gat", "Gemini", "JobResult",
    "Local", "Mistral", "NeedsPerson", "OpenAI", "Rest", "Slurm", "Together",
]  # fmt: skip
