"""What a program or a call on this machine had said when its time ran out, or its process died."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from batchtui.model import Json
from tests.cases.case_help import Case

MakeCase = Callable[[str], Case]
SAYS = """
import os, signal, sys, time

def hangs():
    print("step 1 of 9")
    print("warn", file=sys.stderr)
    time.sleep(300)

def dies():
    print("step 1 of 9")
    print("warn", file=sys.stderr)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def failed(it: Case, batch: str) -> dict[str, Json]:
    ran = it.run("run", batch, "--trust", "--yes", "--out", "out.jsonl")
    [row] = it.rows()
    assert (ran.code, row["status"]) == (1, "failed")
    return row


def test_what_a_program_said_before_its_time_ran_out_is_kept(case: MakeCase) -> None:
    it = case("program-output-at-timeout")
    row = failed(it, "case.toml")
    assert (row["error_kind"], row["error"]) == ("timeout", "no answer within 2 s")
    assert (row["output"]["stdout"], row["output"]["stderr"]) == ("step 1 of 9\n", "warn\n")
    assert "exit_code" not in row["output"]
    shown = it.run("show", "case", "1").out
    assert "step 1 of 9" in shown
    assert "warn" in shown


def own(case: MakeCase, job: str, limits: str) -> Case:
    it = case("own")
    it.folder.joinpath("says.py").write_text(SAYS, encoding="utf-8")
    batch = f'name = "own"\nbackend = "local"\n[job]\n{job}\n[limits]\n{limits}\n'
    it.folder.joinpath("own.toml").write_text(batch, encoding="utf-8")
    return it


@pytest.mark.parametrize(
    ("function", "kind", "words"),
    [("hangs", "timeout", "no answer within 1 s"), ("dies", "worker", "SIGKILL")],
)
def test_what_a_call_said_before_its_worker_was_lost_is_kept(
    case: MakeCase, function: str, kind: str, words: str
) -> None:
    row = failed(own(case, f'call = "says:{function}"', 'timeout = "1s"\nretries = 0'), "own.toml")
    assert row["error_kind"] == kind
    assert words in row["error"]
    assert (row["output"]["stdout"], row["output"]["stderr"]) == ("step 1 of 9\n", "warn\n")


def test_the_words_of_the_last_attempt_are_kept(case: MakeCase) -> None:
    """Each attempt counts itself in a file and ignores that it is asked to end; what it says then is kept too."""
    script = 'trap "echo ending" TERM; echo >> tries; echo try $(wc -l < tries); while :; do sleep 0.05; done'
    it = own(case, f"command = ['sh', '-c', '{script}']", 'timeout = "2s"\nretries = 1')
    row = failed(it, "own.toml")
    assert (row["attempts"], row["error_kind"]) == (2, "timeout")
    assert row["output"]["stdout"] == "try 2\nending\n"
