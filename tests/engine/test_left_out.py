"""One file of jobs over several providers: what each leaves out is told once for each key, and nothing else stops it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cases.case_help import copied

KEYS = {f"{name}_API_KEY": "none" for name in ("OPENAI", "ANTHROPIC", "GEMINI", "MISTRAL", "TOGETHER")}
BATCH = """
[source]
file = "rows.csv"
[sweep]
backend = ["openai", "anthropic", "gemini", "mistral", "together"]
[job]
model = "m"
prompt = "{{ text }}"
seed = 7
temperature = 0.2
max_tokens = 9
"""


def test_each_key_is_told_once_for_each_backend(tmp_path: Path) -> None:
    case = copied("own", tmp_path)
    (case.folder / "rows.csv").write_text("text\n" + "x\n" * 30)
    (case.folder / "b.toml").write_text(BATCH)
    refused = json.loads(case.run("check", "b.toml", "--json", **KEYS).out)
    assert refused["jobs"] == 120
    assert {problem["key"] for problem in refused["problems"] if problem["fatal"]} == {
        "job.seed",
        "job.temperature",
    }
    (case.folder / "b.toml").write_text(BATCH + "drop_unsupported = true\n")
    told = json.loads(case.run("check", "b.toml", "--json", **KEYS).out)
    assert told["jobs"] == 150
    words = {problem["key"]: problem["message"] for problem in told["problems"]}
    assert set(words) == {"job.seed", "job.temperature"}
    assert words["job.seed"].startswith("left out of 30 jobs for anthropic")
    assert not any(problem["fatal"] for problem in told["problems"])


def test_an_id_that_names_a_column_without_braces_is_refused_with_the_template(tmp_path: Path) -> None:
    case = copied("own", tmp_path)
    (case.folder / "rows.csv").write_text("code,two words\na,b\nc,d\n")
    for column, shown in (("code", "{{ code }}"), ("two words", '{{ row["two words"] }}')):
        told = case.run(
            "check",
            "rows.csv",
            "--backend",
            "local",
            "--set",
            'job.command=["true"]',
            "--set",
            f"source.id={column}",
        )
        assert told.code == 2
        assert f'source.id: "{column}" is the same for every row' in told.err
        assert shown in told.err
