"""One batch over several backends: one submission for each group, same ids, same shapes, each at the right cost."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from batchtui.backends.registry import known_kinds
from batchtui.engine.plan.planning import plan
from batchtui.model import BatchSpec, Json, Result, SourceSpec
from batchtui.store.folder import BatchFolder
from tests.engine.bench import Bench, until
from tests.engine.test_remote import Served, creates
from tests.engine.victim import Victim

ROWS = 6
PRICES = {"demo-small": (0.15, 0.60), "demo-large": (2.50, 10.0)}
"""USD per million tokens, as the demo server's config has them; half of that in a batch."""


def prompted(bench: Bench) -> list[str]:
    """The backends of the demo's config that take prompts; `chat` first."""
    names = [name for name, backend in bench.config.backends.items() if backend.kind in known_kinds()]
    takes = [name for name in names if "prompt" in bench.backends.get(name).Work.__struct_fields__]
    return sorted(takes, key=lambda name: (bench.backends.get(name).remote, name))


def source(bench: Bench, backends: list[str]) -> SourceSpec:
    """Every row on every backend, the model turn about."""
    lines = ["id,backend,model,text"]
    for n in range(ROWS):
        model = "demo-small" if n % 2 else "demo-large"
        lines += [f"r{n}-{name},{name},{model},what of row {n}" for name in backends]
    path = bench.folder_path / "mixed.csv"
    path.write_text("\n".join(lines) + "\n")
    return SourceSpec(file=str(path))


def mixed(bench: Bench, backends: list[str], **job: Json) -> BatchSpec:
    job = {"backend": "{{ backend }}", "model": "{{ model }}", "prompt": "{{ text }}", "max_tokens": 60} | job
    return BatchSpec(name="mixed", source=source(bench, backends), job=job)


def true_cost(bench: Bench, result: Result) -> float:
    backend = bench.backends.get(result.backend or "")
    given, made = PRICES[result.row["model"]]
    assert result.input_tokens is not None
    assert result.output_tokens is not None
    full = (result.input_tokens * given + result.output_tokens * made) / 1_000_000
    return full / 2 if backend.remote else full


def test_one_source_on_every_backend_in_one_batch(served: Served) -> None:
    bench, server = served()
    backends = prompted(bench)
    assert {"chat", "openai"} <= set(backends)
    folder = bench.run(mixed(bench, backends))
    status = bench.status(folder)
    results = [folder.result(n) for n in range(status.total or 0)]
    assert {result.error for result in results} == {None}
    assert status.completed == ROWS * len(backends)
    assert [result.job_id for result in results] == [f"r{n}-{b}" for n in range(ROWS) for b in backends]
    assert [result.backend for result in results] == backends * ROWS
    for result in results:
        assert result.raw_response
        assert result.cost_usd == pytest.approx(true_cost(bench, result), rel=1e-6), result
    assert status.cost_usd == pytest.approx(sum(result.cost_usd or 0 for result in results))
    assert set(status.backend.split(", ")) == set(backends)
    remote = [name for name in backends if bench.backends.get(name).remote]
    submissions = status.submissions or []
    assert {item.status for item in submissions} == {"collected"}
    jobs: Counter[str] = Counter()
    for item in submissions:
        jobs[item.backend] += item.jobs
    assert jobs == dict.fromkeys(remote, ROWS)
    assert len(creates(server)) == len(submissions) >= len(remote)


def test_check_tells_submissions_by_backend(served: Served) -> None:
    bench, _ = served()
    flight = plan(mixed(bench, ["chat", "openai"]), bench.folder_path, bench.backends).preflight
    assert not flight.problems
    assert (flight.backend, flight.kind, flight.submissions) == ("chat, openai", "chat, openai", 2)
    assert [(share.backend, share.jobs, share.submissions) for share in flight.backends] == [
        ("chat", ROWS, 0),
        ("openai", ROWS, 2),
    ]
    assert flight.cost_usd == pytest.approx(sum(share.cost_usd or 0 for share in flight.backends))


def test_an_unknown_backend_is_told_by_its_line(served: Served) -> None:
    bench, _ = served()
    spec = mixed(bench, ["chat", "opanai"])
    problems = plan(spec, bench.folder_path, bench.backends).preflight.problems
    assert [problem.line for problem in problems] == [3 + 2 * n for n in range(ROWS)]
    assert problems[0].key == "job.backend"
    assert 'did you mean "openai"?' in problems[0].message
    assert problems[0].fatal


def test_work_is_checked_against_the_kind_of_each_job(served: Served) -> None:
    bench, _ = served()
    rows = bench.folder_path / "two.jsonl"
    rows.write_text('{"id": "a", "b": "openai"}\n{"id": "b", "b": "local"}\n{"id": "c", "b": "local"}\n')
    job = {"backend": "{{ b }}", "model": "demo-small", "prompt": "hello"}
    spec = BatchSpec(name="two", source=SourceSpec(file=str(rows)), job=job)
    problems = plan(spec, bench.folder_path, bench.backends).preflight.problems
    assert [(problem.line, problem.key) for problem in problems] == [(2, "job.model")]
    assert "kind local" in problems[0].message


def test_a_sweep_over_backends(served: Served) -> None:
    bench, _ = served()
    spec = bench.spec("openai", 2, {"prompt": "{{ text }}", "model": "demo-small"})
    spec.sweep = {"backend": ["chat", "openai"]}
    folder = bench.run(spec)
    results = [folder.result(n) for n in range(4)]
    assert [result.job_id for result in results] == ["r0.1", "r0.2", "r1.1", "r1.2"]
    assert [result.backend for result in results] == ["chat", "openai"] * 2
    assert {result.status for result in results} == {"completed"}


def configured(bench: Bench, tmp_path: Path, tables: str) -> Bench:
    from batchtui.config import load_config

    path = tmp_path / "models.toml"
    path.write_text(tables)
    bench.backends = type(bench.backends)(load_config(path, env={}), env={})
    return bench


OPENAI = 'kind = "openai"\nbase_url = "http://127.0.0.1:9/v1"\n'
ANY = 'kind = "chat"\nbase_url = "http://127.0.0.1:9/v1"\n'


@pytest.mark.parametrize(
    ("model", "tables", "said"),
    [
        ("gpt-4.1", f"[backends.mine]\n{OPENAI}[backends.near]\n{ANY}", ""),
        (
            "gpt-4.1",
            f"[backends.one]\n{OPENAI}[backends.two]\n{OPENAI}",
            "could go to any of one, two; name one",
        ),
        ("gpt-4.1", f'[backends.mine]\n{OPENAI}[backends.groq]\nkind = "openai"\ndialect = "groq"\n', ""),
        ("claude-sonnet-4-5", f"[backends.mine]\n{OPENAI}", "of kind anthropic, and none is configured"),
        ("own-model", f"[backends.mine]\n{OPENAI}", "does not tell its backend; set one of: mine"),
    ],
)
def test_the_backend_follows_from_the_model(
    bench: Bench, tmp_path: Path, model: str, tables: str, said: str
) -> None:
    bench = configured(bench, tmp_path, tables)
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"id": "a", "model": model}) + "\n")
    for job in ({"model": model}, {"model": "{{ model }}"}):
        spec = BatchSpec(name="m", source=SourceSpec(file=str(rows)), job=job | {"prompt": "hello"})
        flight = plan(spec, tmp_path, bench.backends).preflight
        if said:
            assert said in str(flight.problems[0])
            assert flight.problems[0].key == "backend"
        else:
            assert not flight.problems
            assert flight.backend == "mine"


def test_a_batch_file_of_whole_requests_goes_where_its_models_are(bench: Bench, tmp_path: Path) -> None:
    bench = configured(bench, tmp_path, f"[backends.mine]\n{OPENAI}")
    rows = tmp_path / "rows.jsonl"
    body = {"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "hi"}]}
    rows.write_text(json.dumps({"custom_id": "a", "url": "/v1/chat/completions", "body": body}) + "\n")
    flight = plan(BatchSpec(name="m", source=SourceSpec(file=str(rows))), tmp_path, bench.backends).preflight
    assert not flight.problems
    assert flight.backend == "mine"


def done(bench: Bench, folder: BatchFolder) -> None:
    until(lambda: not bench.worker.drives(folder.id))


def test_a_mixed_batch_survives_a_restart_in_the_middle(served: Served) -> None:
    bench, server = served("duration=1s,latency=30ms")
    folder = bench.start(mixed(bench, ["chat", "openai"]))
    until(lambda: len(folder.progress.submissions) == 2 and folder.status().completed)
    bench.worker.stop()
    bench.worker = bench.new_worker()
    folder = bench.drive(folder.id)
    assert folder.status().completed == 2 * ROWS
    assert len(creates(server)) == 2


def test_one_backend_at_its_limit_does_not_hold_up_another(served: Served) -> None:
    bench, _ = served("duration=3s")
    spec = mixed(bench, ["openai", "chat"])
    spec.limits.submissions_at_once = 1
    folder = bench.start(spec)
    until(lambda: folder.status().completed == ROWS)
    assert len(folder.progress.submissions) == 1
    bench.ask(folder, "cancel")
    done(bench, folder)
    assert folder.status().completed >= ROWS


@pytest.mark.parametrize("size", [700, 4000])
def test_a_mixed_batch_survives_being_killed(served: Served, tmp_path: Path, size: int) -> None:
    bench, server = served("duration=300ms,latency=20ms,late=100ms")
    spec = mixed(bench, ["chat", "openai"])
    rows = Path(spec.source.file if spec.source else "")
    batch_file = tmp_path / "mixed.toml"
    batch_file.write_text(
        f'[source]\nfile = "{rows}"\n[job]\nbackend = "{{{{ backend }}}}"\nmodel = "{{{{ model }}}}"\n'
        'prompt = "{{ text }}"\nmax_tokens = 60\n[limits]\nconcurrency = 2\n'
    )
    victim = Victim(tmp_path / "victim", tmp_path / "config.toml")
    victim.kill_when(
        victim.start("run", "--trust", str(batch_file)), lambda: victim.size("events.jsonl") > size
    )
    done = victim.finish("resume", "-q")
    assert done.returncode == 0, done.stderr.decode()
    status = victim.folder().status()
    assert status.completed == 2 * ROWS
    assert status.maybe_twice <= 2
    assert len(creates(server)) == 2
    assert Counter(job for entry in creates(server) for job in entry["job_ids"]).most_common(1)[0][1] == 1
