from pathlib import Path

import pytest

from batchtui.batchfile import apply_sets, bare_source, check_limits, is_batch_file, load, loads, save
from batchtui.errors import BadInput
from batchtui.model import BatchSpec, LimitsSpec

INVOICES = """\
name = "invoices"
backend = "claude"

[source]
file = "invoices.csv"
id = "{{ invoice_id }}"
limit = 100

[job]
model = "claude-sonnet-4-5"
prompt = "Summarise {{ text }}"
max_tokens = 500
from = 2026-01-31
messages = [{ role = "user", content = "hello" }]

[sweep]
max_tokens = [200, 500]

[limits]
cost_usd = 5.0
time = "2h"
timeout = "60s"
error_policy = "stop"

[output]
dir = "results/invoices"
"""


def test_a_batch_file_is_read_saved_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "invoices.toml"
    path.write_text(INVOICES)
    spec = load(path)
    assert spec.source
    assert (spec.source.limit, spec.limits.time, spec.job["from"]) == (100, "2h", "2026-01-31")
    save(spec, path)
    assert (tmp_path / "invoices.toml.bak").read_text() == INVOICES
    assert load(path) == spec
    save(BatchSpec(name="other"), path)
    assert path.read_text() == 'name = "other"\n'
    assert (tmp_path / "invoices.toml.bak").read_text() == INVOICES


def test_the_file_names_a_nameless_batch(tmp_path: Path) -> None:
    (tmp_path / "cars.toml").write_text("[job]\nprompt = 'x'")
    spec = load(tmp_path / "cars.toml")
    assert (spec.name, spec.source) == ("cars", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("limits.concurrency = 'x'", "f.toml: limits.concurrency: expected int | null, got str"),
        ("[source]\nfile = 1", "f.toml: source.file: expected str, got int"),
        ("[source]\nlimit = 1", "f.toml: source.file: missing"),
        ("[limits]\nconcurency = 3", 'f.toml: limits.concurency: unknown key; did you mean "concurrency"?'),
        ("[sorce]", 'f.toml: sorce: unknown key; did you mean "source"?'),
        ("[sweep]\nmax_tokens = 3", "array"),
        ("[limits]\nconcurrency = true", "got bool"),
        ("[limits]\ncost_usd = -1", "f.toml: limits.cost_usd: expected US dollars of 0 or more, got -1.0"),
        ("[limits]\ncost_usd = nan", "f.toml: limits.cost_usd: expected a finite number, got nan"),
        ("[limits]\ntime = '9s'", "f.toml: limits.time: expected from 10s to 24h, got 9s"),
        ("[limits]\ntime = '25h'", "from 10s to 24h"),
        ("[limits]\ntime = 'soon'", '"soon" is not a duration such as 90s, 15m or 2h'),
        ("[limits]\nconcurrency = 0", "f.toml: limits.concurrency: expected 1 to 1,000, got 0"),
        ("[limits]\nconcurrency = 1001", "1 to 1,000"),
        ("[limits]\nconcurrency = 0x" + "f" * 9000, "a number beyond 64 bits"),
        ("[limits]\njobs_per_submission = 0", "expected 1 or more, got 0"),
        ("[limits]\nsubmissions_at_once = 0", "expected 1 or more, got 0"),
        ("[limits]\ntimeout = 0", "expected more than 0 seconds, got 0"),
        ("[limits]\nretries = 101", "expected 0 to 100, got 101"),
        ("[limits]\nerror_policy = 'stpo'", 'got "stpo"; did you mean "stop"?'),
        ("[job]\ntemperature = inf", "f.toml: job.temperature: expected a finite number, got inf"),
        ("[job]\nlist = [1, [nan]]", "job.list[1][0]"),
    ],
)
def test_faults_name_file_and_key(text: str, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        loads(text, "f.toml")
    assert message in str(caught.value)
    assert str(caught.value).startswith("f.toml: ")


def test_limits_at_their_edges_are_taken() -> None:
    for limits in (
        LimitsSpec(cost_usd=0, time=10, concurrency=1, retries=0, timeout=0.5, jobs_per_submission=1),
        LimitsSpec(time="24h", concurrency=1000, retries=100, error_policy="continue", submissions_at_once=1),
    ):
        assert check_limits(BatchSpec(limits=limits), "f") == []
    problems = check_limits(BatchSpec(limits=LimitsSpec(cost_usd=float("inf"), retries=-1)), "f")
    assert [problem.key for problem in problems] == ["limits.cost_usd", "limits.retries"]


def test_sets_go_over_the_file() -> None:
    spec = apply_sets(
        bare_source("data/cars.csv"),
        [
            "name=2026",
            "job.prompt=Name {{ make }} = a car?",
            "job.max_tokens=5",
            'job.parameters."a.b"=true',
            "limits.concurrency=5",
            "limits.time=2h",
            'job.stop=["a", "b"]',
            "job.system=x\nlimits.retries = 3",
            "source.limit=2",
        ],
    )
    assert spec.source
    assert (spec.name, spec.source.file, spec.source.limit) == ("2026", "data/cars.csv", 2)
    assert spec.job == {
        "prompt": "Name {{ make }} = a car?",
        "max_tokens": 5,
        "parameters": {"a.b": True},
        "stop": ["a", "b"],
        "system": "x\nlimits.retries = 3",
    }
    assert spec.limits == LimitsSpec(concurrency=5, time="2h")


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ("job.prompt", "expected key=value"),
        ("=x", "not a key"),
        ("a b=x", "not a key"),
        ("name.x=1", "name is not a table"),
        ("limits.concurency=1", "concurrency"),
        ("limits.concurrency=many", "expected int"),
        ("limits.concurrency=0", "1 to 1,000"),
        (".".join("a" * 300) + "=1", "not a key"),
        ("job.x={" + ".".join("a" * 300) + "=1", ""),
    ],
)
def test_bad_sets(item: str, words: str) -> None:
    if not words:  # taken as text
        assert isinstance(apply_sets(BatchSpec(), [item]).job["x"], str)
        return
    with pytest.raises(BadInput, match="--set") as caught:
        apply_sets(BatchSpec(name="n"), [item])
    assert words in str(caught.value)


def test_null_has_no_place_in_a_list(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    save(BatchSpec(name="a", job={"x": None, "y": {"z": None, "k": 1}}), path)
    assert load(path).job == {"y": {"k": 1}}
    with pytest.raises(BadInput, match=r"job\.x: .*null"):
        save(BatchSpec(name="a", job={"x": [1, None]}), path)
    with pytest.raises(BadInput, match="cannot be written"):
        save(BatchSpec(name="a"), tmp_path / "none" / "a.toml")


def test_what_run_takes() -> None:
    assert is_batch_file("a/B.TOML")
    assert not is_batch_file("cars.csv")
    assert bare_source("-").name == "stdin"
