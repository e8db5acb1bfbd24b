"""The batches of the laboratory, one shape a kind of backend; here those over the demo server."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from batchtui.demo.server import DemoServer
from batchtui.model import Json
from tests.crashes.on_slurm import OnSlurm
from tests.crashes.programs import Call, Command, Gat
from tests.crashes.shape import FILES, RESULTS, SENDING, Shape, made
from tests.daly_help import energy_model

REST = Path(__file__).parents[1] / "data" / "rest" / "daly.toml"


@dataclass(frozen=True)
class Prompts(Shape):
    def text(self, folder: Path) -> str:
        return (
            f'{self.rows(folder)}[job]\nmodel = "demo-small"\nprompt = "What of {{{{ id }}}}?"\n'
            f"[limits]\njobs_per_submission = {self.each}\nsubmissions_at_once = 3\n"
        )


class Files(Prompts):
    """Prompts that go as a file first."""

    sends = (*FILES, *SENDING)


@dataclass(frozen=True)
class Runs(Shape):
    """Energy models, each a submission."""

    jobs: int = 16
    each: int = 1

    def text(self, folder: Path) -> str:
        (folder / "base.json").write_text(json.dumps(energy_model()))
        limits = "[limits]\nsubmissions_at_once = 3\n"
        return f'{self.rows(folder)}[job]\ninput_file = "base.json"\n{limits}'

    def answer(self, raw: str | None, output: Json) -> Json:
        return {key: value for key, value in output.items() if key in ("energyYieldSummary", "title")} | {
            "title": output["title"].partition(" [")[0]
        }


class Described(Runs):
    """The same service, told to kind `rest` by a config alone."""

    def prepare(self, folder: Path, server: DemoServer) -> Path:
        batch = super().prepare(folder, server)
        text = REST.read_text().replace("http://localhost:8000", f"{server.url}/daly")
        settle = server.backends["daly"]["settle"]
        pace = 'settle = "120s"\n'
        assert pace in text
        (folder / "config.toml").write_text(
            text.replace(pace, f"settle = {settle}\npoll_interval = 0.2\n").replace("daly-by-rest", "rest")
        )
        return batch

    def text(self, folder: Path) -> str:
        rows = ({"id": one, "input": energy_model()} for one in self.ids)
        (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        limits = "[limits]\nsubmissions_at_once = 3\n"
        return f'[source]\nfile = "rows.jsonl"\n[job]\ninput = "{{{{ input }}}}"\n{limits}'


class Flows(Shape):
    """Each submission a flow of four records, which are born at the server."""

    @property
    def ids(self) -> list[str]:
        return [f"1.{n + 1}:r{m}" for n in range(self.jobs // 4) for m in (1, 2, 3, 4)]

    def text(self, folder: Path) -> str:
        models = json.dumps([f"m{n}" for n in range(self.jobs // 4)])
        return (
            f'sweep = {{ "parameters.model" = {models} }}\n'
            '[job]\nflow = "good"\nshuffle = false\nparameters = { model = "m0" }\n'
            "[limits]\nsubmissions_at_once = 3\n"
        )

    def done(self, folder: Path, server: DemoServer) -> Counter[str]:
        """The server does not know our ids: flow by flow, in the order in which they were made."""
        counted = [one for entry in made(server) for one in entry["job_ids"]]
        flows: Counter[str] = Counter(counted)
        expected = self.jobs // 4
        extra = max(flows.values(), default=0) - expected
        return Counter(dict.fromkeys(self.ids, 1)) + Counter({self.ids[0]: max(0, extra)})

    def answer(self, raw: str | None, output: Json) -> Json:
        return output.get("record_id") if isinstance(output, dict) else None


class Chat(Prompts):
    sends = ("create.before", "create.middle", "create.after", "reply.before", "reply.after")
    comes = RESULTS
    direct = True

    def done(self, folder: Path, server: DemoServer) -> Counter[str]:
        return Counter(one for entry in made(server, "chat") for one in entry["job_ids"])


SHAPES: dict[str, Shape] = {
    shape.name: shape
    for shape in (
        Files("openai"), Prompts("anthropic"), Files("gemini"), Files("mistral"), Files("together"), Runs("daly"),
        Described("rest"), Flows("buttermilk"), Chat("chat", 60), Command("command", 40), Call("call", 60),
        Gat("gat", 16), OnSlurm("slurm"),
    )
}  # fmt: skip
REMOTE = tuple(name for name, shape in SHAPES.items() if not shape.direct)


def usable(kind: str) -> Shape:
    """The shape of this kind; where something for it is lacking the test is skipped."""
    if lacks := SHAPES[kind].lacks:
        pytest.skip(lacks)
    return SHAPES[kind]
