"""Composing from Python: what is sent, what is kept, and every way to be refused."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

import batchtui
from batchtui import BadInput, Batch, JobResult, NotFound
from batchtui.demo.server import DemoServer
from batchtui.model import Json
from tests.api.conftest import Place
from tests.sample_files import pdf

Start = Callable[..., DemoServer]
LEGS = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "legs": {"type": "integer"}},
    "required": ["name", "legs"],
    "additionalProperties": False,
}


def test_jobs_come_back_in_the_order_they_were_added(place: Place, with_demo: Start) -> None:
    with_demo()
    run = place.prompts(9, items_per_batch=4).add_job(prompt="the last", id="last", name="Last one").run()
    assert [result.job_id for result in run] == [*map(str, range(1, 10)), "last"]
    assert all(isinstance(result, JobResult) and result.is_success for result in run)
    assert "bird 3" in (run.result("4").raw_response or "")
    last = run.result("last")
    assert (last.name, last.total_tokens > 0, last.data) == ("Last one", True, last.raw_response)
    assert [len(run), len(run.completed), len(run.runs)] == [10, 10, 10]
    assert [run.failed, run.pending, run.cancelled, run.get_failed_jobs()] == [[], [], [], {}]
    status = run.status()
    assert (status["batches_total"], status["batches_completed"], status["items_per_batch"]) == (3, 3, 4)
    assert status["cost_usd"] == pytest.approx(sum(result.cost_usd or 0 for result in run))


def test_the_15_figures(place: Place, with_demo: Start) -> None:
    with_demo()
    assert list(place.prompts(1).run().status()) == [
        "total", "pending", "active", "completed", "failed", "cancelled", "cost_usd", "cost_limit_usd", "is_complete",
        "batches_total", "batches_completed", "batches_pending", "current_batch_index", "current_batch_size",
        "items_per_batch", "cost_known",
    ]  # fmt: skip


def test_what_is_not_known_yet_is_nought_with_a_flag(place: Place, with_demo: Start) -> None:
    with_demo("duration=300ms")
    seen: list[tuple[str, bool]] = []

    def told(stats: dict[str, Json], elapsed: float, data: dict[str, dict[str, Json]]) -> None:
        costs = [f"{row['cost']:.4f} {row['estimated_cost']:.4f}" for row in data.values()]
        seen.append((f"{stats['cost_usd']:.4f} {elapsed:.1f} {costs}", stats["cost_known"]))

    place.prompts(2).run(on_progress=told, progress_interval=0.05)
    assert seen[0][0].startswith("0.0000")
    assert (seen[0][1], seen[-1][1]) == (False, True)


@pytest.mark.parametrize("backend", ["chat", "openai"])
def test_text_is_never_a_template_and_each_job_has_its_own_parameters(
    place: Place, with_demo: Start, backend: str
) -> None:
    with_demo()
    batch = place.batch(backend=backend).set_default_params(model="demo-small", system="Be {{ brief }}.")
    batch.add_job([{"role": "user", "content": "{{ row.secret }}"}], temperature=0.2)
    batch.add_job(prompt="{% raw %} {{ x", max_tokens=7, stop=["."])
    flight = batch.check()
    assert not flight.problems
    assert flight.first["messages"][-1]["content"] == "{{ row.secret }}"
    assert flight.last["messages"][0]["content"] == "Be {{ brief }}."
    assert (flight.first["temperature"], flight.last["max_tokens"]) == (0.2, 7)
    assert "max_tokens" not in flight.first
    run = batch.run()
    assert "{{ row.secret }}" in (run.result("1").raw_response or "")


def test_a_pydantic_model_and_a_schema(place: Place, with_demo: Start) -> None:
    pydantic = pytest.importorskip(
        "pydantic", reason="needs pydantic, which comes with the extra `conformance`"
    )
    with_demo()
    bird = pydantic.create_model("Bird", name=(str, ...), legs=(int, ...))
    run = (
        place.batch(backend="openai").add_job(prompt="A bird", model="demo-small", response_model=bird).run()
    )
    (result,) = run.completed
    assert isinstance(result.parsed_response, bird)
    assert isinstance(result.parsed_response.legs, int)
    assert result.to_dict()["parsed_response"] == result.parsed_response.model_dump()
    again = place.open(run.id)
    assert again.completed[0].parsed_response == result.parsed_response.model_dump()
    assert place.open(run.id, response_model=bird).completed[0].parsed_response == result.parsed_response

    class Strict(pydantic.BaseModel):  # type: ignore[misc, name-defined]
        legs: int

        @pydantic.field_validator("legs")
        @classmethod
        def none_fits(cls, value: int) -> int:
            raise ValueError("no such number of legs")

    (refused,) = place.open(run.id, response_model=Strict).failed
    assert refused.error_kind == "response_model"
    assert "no such number of legs" in (refused.error or "")
    plain = place.batch("plain", backend="chat").set_default_params(response_model=LEGS, model="demo-small")
    (answer,) = plain.add_job(prompt="A bird").run()
    assert set(answer.parsed_response) == {"name", "legs"}


def test_each_job_has_its_own_response_model(place: Place, with_demo: Start) -> None:
    with_demo()
    tree = {"type": "object", "properties": {"note": {"const": "{{ height }}"}}, "required": ["note"]}
    batch = place.batch(backend="openai").set_default_params(model="demo-small")
    batch.add_job(prompt="A bird", response_model=LEGS).add_job(prompt="A tree", response_model=tree)
    run = batch.add_job(prompt="Anything").run()
    bird, other, free = run
    assert set(bird.parsed_response) == {"name", "legs"}
    assert other.parsed_response == {"note": "{{ height }}"}
    assert (free.parsed_response, free.is_success) == (None, True)


def test_each_answer_is_read_by_its_own_model(place: Place, with_demo: Start) -> None:
    pydantic = pytest.importorskip(
        "pydantic", reason="needs pydantic, which comes with the extra `conformance`"
    )
    with_demo()
    bird = pydantic.create_model("Bird", legs=(int, ...))
    tree = pydantic.create_model("Tree", height=(float, ...))
    batch = place.batch(backend="chat").set_default_params(model="demo-small", response_model=bird)
    run = batch.add_job(prompt="A bird", id="b").add_job(prompt="A tree", id="t", response_model=tree).run()
    assert [type(result.parsed_response) for result in run] == [bird, tree]
    assert isinstance(run.result("t").parsed_response, tree)


def test_files_and_results_dir(place: Place, with_demo: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    with_demo()
    monkeypatch.chdir(place.folder)
    Path("note.pdf").write_bytes(pdf(["The harbour is closed on Mondays and on Tuesdays in winter"]))
    batch = place.batch("", backend="anthropic", results_dir="out").set_default_params(
        model="demo-small", max_tokens=100
    )
    for question in ("When is it closed?", "On Mondays?", "On Tuesdays?", "In summer?"):
        batch.add_job(file=Path("note.pdf"), prompt=question, enable_citations=True)
    run = batch.run()
    assert (batch.name, run.name) == ("out", "out")
    written = json.loads(Path("out/1.json").read_text())
    assert written["raw_response"] == run.result("1").raw_response
    assert written["citations"] == run.result("1").citations
    assert any(result.citations for result in run)
    assert Path("out/raw_files").is_dir()
    run.result("1").save_to_json("one.json")
    assert json.loads(Path("one.json").read_text()) == written
    bare = (
        place.batch(backend="chat", results_dir="bare")
        .raw_files(False)
        .add_job(prompt="x", model="demo-small")
    )
    bare.run()
    assert not Path("bare/raw_files").exists()


def test_local_programs(place: Place) -> None:
    batch = place.batch("words", backend="local", concurrency=2)
    batch.add_job(command=["wc", "-w"], stdin="one two").add_job(
        command=["false"], id="no", row={"site": "A"}
    )
    run = batch.run()
    assert run.result("1").data["stdout"].strip() == "2"
    assert run.get_failed_jobs() == {"no": "exit 1"}
    assert run.result("no").row["site"] == "A"
    assert run.summary() == {
        "total": 2, "completed": 1, "failed": 1, "pending": 0,
        "results": [{"name": "1", "job_id": "1"}],
        "failures": [{"name": "no", "job_id": "no", "error": "exit 1"}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ([{"prompt": "x", "max_tkens": 3}], 'did you mean "max_tokens"'),
        ([{"prompt": "x", "max_tkens": 3}, {"prompt": "y"}], 'did you mean "max_tokens"'),
        ([{"prompt": "x"}, {"prompt": " ", "id": "blank"}], 'job "blank": prompt: is empty'),
        ([{"prompt": "x", "max_tokens": "many"}], "max_tokens: expected int"),
        ([{"prompt": "x", "file": "gone.pdf"}], "gone.pdf"),
        ([{"prompt": "x", "backend": "opnai"}], 'did you mean "openai"'),
        ([{"prompt": "x", "temperature": float("nan")}], "no number that JSON has"),
        ([{"prompt": {1, 2}}], "set is nothing that JSON can hold"),
        ([{"prompt": "x", "id": "a"}, {"prompt": "x", "id": "a"}], 'job "a" is there already'),
        ([{"prompt": "x", "response_model": {"type": "objekt"}}], "objekt"),
        ([], "no jobs"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_its_job(
    place: Place, with_demo: Start, parameters: list[dict[str, object]], told: str
) -> None:
    server = with_demo()

    def send() -> None:
        batch = place.batch(backend="openai").set_default_params(model="demo-small")
        batch.add_jobs(parameters)
        batch.run()

    with pytest.raises(BadInput) as refused:
        send()
    assert told in str(refused.value)
    assert server.ledger() == []
    assert not list((place.folder / "data/batches").glob("*"))


def test_limits_in_hours_minutes_seconds(place: Place) -> None:
    batch = place.batch().add_time_limit(hours=1, minutes=30, seconds=5).add_cost_limit(usd=2)
    assert (batch.limits.time, batch.limits.cost_usd) == (5405, 2)
    with pytest.raises(BadInput, match="at least one of"):
        batch.add_time_limit()
    short = place.batch(backend="local").add_time_limit(seconds=1).add_job(command=["true"])
    with pytest.raises(BadInput, match="from 10s to 24h"):
        short.run()


def test_a_dry_run_sends_nothing_and_tells_the_cost(place: Place, with_demo: Start) -> None:
    server = with_demo()
    flight = place.prompts(5).run(dry_run=True)
    assert (flight.jobs, flight.submissions) == (5, 1)
    assert flight.cost_usd
    assert server.ledger() == []
    with pytest.raises(NotFound):
        place.open("birds")


def test_a_price_that_nobody_knows(place: Place, with_demo: Start) -> None:
    with_demo()
    batch = place.batch(backend="chat").add_cost_limit(usd=1).add_job(prompt="x", model="unheard-of")
    with pytest.raises(BadInput, match="unpriced=True"):
        batch.run()


def test_verbosity_is_the_logger(place: Place, with_demo: Start, caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("batchtui")
    before = logger.level, list(logger.handlers)
    try:
        with_demo()
        with caplog.at_level(logging.INFO, "batchtui"):
            place.prompts(1).set_verbosity("info").run()
        assert any("ended" in record.getMessage() for record in caplog.records)
        with pytest.raises(BadInput):
            place.batch().set_verbosity("loud")
    finally:
        logger.setLevel(before[0])
        logger.handlers[:] = before[1]


def test_every_public_name_is_there_and_no_other() -> None:
    for name in batchtui.__all__:
        assert getattr(batchtui, name)
    assert batchtui.Batch is Batch
    with pytest.raises(AttributeError, match="Bach"):
        batchtui.Bach  # noqa: B018


@pytest.mark.parametrize("name", ["./results", "out/results", "/tmp/x", ".", Path("results")])
def test_a_folder_is_no_name(place: Place, name: str) -> None:
    with pytest.raises(BadInput, match=r'results_dir="'):
        place.batch(name)


def test_values_without_a_name_are_told(place: Place) -> None:
    with pytest.raises(BadInput, match="max_parallel_batches=…"):
        Batch("results", 10, 10)


def test_what_has_no_answer_says_why_in_error(place: Place, with_demo: Start) -> None:
    with_demo("duration=1000s")
    run = place.prompts(3, items_per_batch=2, max_parallel_batches=1).start()
    assert all("no answer yet" in (result.error or "") for result in run)
    run.cancel()
    assert run.wait(timeout=60)
    assert all("cancelled" in (result.error or "") for result in run.results()["cancelled"])
    assert len(run.cancelled) == 3
