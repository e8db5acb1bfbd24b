"""What `run` says at its end: the first answer, and a command that reads it, whatever the job is called."""

from __future__ import annotations

import json
import shlex

import pytest

from tests.cli.cli_help import Cli


@pytest.mark.parametrize("job_id", ["a", "it's two words", "x" * 90, "-x", "a`b", "--json"])
def test_the_command_that_it_tells_reads_the_answer(cli: Cli, job_id: str) -> None:
    (cli.folder / "rows.jsonl").write_text(f'{{"n": {json.dumps(job_id)}}}\n')
    ran = cli(
        "run", "rows.jsonl", "--backend", "local", "--set", "source.id={{ n }}", "--set",
        'job.command=["echo", "the answer"]', "--trust",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    *_, first, told = ran.err.strip().splitlines()
    assert first.endswith(": the answer")
    command = shlex.split(told.partition("`batchtui ")[2].rpartition("`")[0])
    assert "the answer" in cli(*command).out
