"""`run` on this machine, and reading what came back."""

from __future__ import annotations

import csv
import json
import signal

import pytest

from tests.cli.cli_help import PENGUINS, Cli, local_options, until

SPECIES = [row["species"] for row in csv.DictReader(PENGUINS.open())]


def test_all_penguins_in_source_order(cli: Cli) -> None:
    ran = cli.local(["echo", "{{ species }}"], "--json", "--out", "out.jsonl")
    assert ran.code == 0
    (status,) = ran.documents
    assert (status["status"], status["total"], status["completed"]) == ("completed", 344, 344)
    results = cli("results", "birds").documents
    assert [result["raw_response"].strip() for result in results] == SPECIES
    assert [result["job_id"] for result in results] == [str(n) for n in range(1, 345)]
    assert (cli.folder / "out.jsonl").read_text() == cli("results", "birds", "--format", "jsonl").out


def test_data_on_stdout_words_on_stderr(cli: Cli) -> None:
    ran = cli.local(["true"], "--set", "source.limit=2")
    assert ran.out == ""
    assert "2 completed" in ran.err
    assert cli.local(["true"], "--set", "source.limit=2", "-q").err == ""


def test_some_failed_is_1_and_errors_say_why(cli: Cli) -> None:
    script = 'case "$1" in 2007) exit 3;; esac'
    ran = cli.local(["sh", "-c", script, "x", "{{ year }}"])
    assert ran.code == 1
    failed = sum(row["year"] == "2007" for row in csv.DictReader(PENGUINS.open()))
    (group,) = cli("errors", "birds", "--json").documents
    assert group["count"] == failed
    assert "3" in group["error"]
    assert cli("show", "birds", group["example"], "--json").documents[0]["status"] == "failed"
    found = cli("results", "birds", "--where", "status:failed", "--fields", "row.year").documents
    assert found == [{"row.year": "2007"}] * failed


def test_rows_that_do_not_fill_the_template_stop_it(cli: Cli) -> None:
    ran = cli.local(["echo", "{{ specis }}"])
    assert ran.code == 2
    assert 'did you mean "species"?' in ran.err
    (problem,) = [line for line in ran.err.splitlines() if line.startswith("problem: ")]
    assert problem.startswith("problem: 344 rows: job.command[1]: ")
    assert problem.endswith("penguins.csv:2")
    assert "nothing was sent: 1 problem in 344 rows to settle first" in ran.err
    assert cli("list", "--json").out == ""
    checked = cli("check", str(PENGUINS), *local_options(["echo", "{{ specis }}"], "x"), "--json")
    assert checked.code == 2
    problems = checked.documents[0]["problems"]
    assert problems[0]["row"] == 1
    assert sum(1 + problem["more"] for problem in problems) == 344


def test_check_sends_nothing(cli: Cli) -> None:
    ran = cli("check", str(PENGUINS), *local_options(["echo", "{{ species }}"], "x"), "--json")
    assert ran.code == 0
    (flight,) = ran.documents
    assert (flight["jobs"], flight["duplicates"], flight["problems"]) == (344, 0, [])
    assert "Adelie" in json.dumps(flight["first"])
    assert cli("list", "--json").out == ""


def test_a_batch_file_and_stdin(cli: Cli) -> None:
    (cli.folder / "b.toml").write_text(
        'name = "from a file"\nbackend = "local"\n[source]\nfile = "-"\n[job]\ncommand = ["echo", "{{ a }}"]\n'
    )
    ran = cli("run", "b.toml", "--trust", "--out", "-", stdin='{"a": "one"}\n{"a": "two"}\n')
    assert ran.code == 0
    assert [result["raw_response"] for result in ran.documents] == ["one\n", "two\n"]


def test_a_missing_file_is_2(cli: Cli) -> None:
    for name in ("none.toml", "none.csv"):
        ran = cli("run", name, "--backend", "local")
        assert (ran.code, ran.out) == (2, "")
        assert name in ran.err


def test_an_out_without_format_is_refused_before_anything_runs(cli: Cli) -> None:
    assert cli.local(["true"], "--out", "x.docx").code == 2
    assert cli("list", "--json").out == ""


def test_detach_is_for_remote_kinds(cli: Cli) -> None:
    ran = cli.local(["true"], "--detach")
    assert ran.code == 2
    assert cli("list", "--json").out == ""


def test_the_time_limit_is_5(cli: Cli) -> None:
    ran = cli.local(["sleep", "30"], "--set", "limits.time=10s", "--set", "source.limit=2", "--json")
    assert ran.code == 5


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_ended_from_outside_loses_nothing(cli: Cli, number: signal.Signals, code: int) -> None:
    """The first jobs end, all but a few of the others wait for a gate."""
    gate = cli.folder / "gate"
    script = f"case $1 in 39.1|39.5|40.3) ;; *) until [ -e {gate} ]; do sleep 0.05; done;; esac"
    command = ["sh", "-c", script, "x", "{{ bill_length_mm }}"]
    process = cli.start("run", str(PENGUINS), *local_options(command, "birds"), "--set", "source.limit=120")
    until(lambda: bool(_listed(cli, "birds").get("completed")))
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "batchtui resume" in err
    stored = cli("status", "birds", "--json").documents[0]
    assert stored["driver"] is None
    assert stored["processing"] == 0
    assert 0 < stored["completed"] < 120
    gate.touch()
    assert cli("resume", "birds").code == 0
    assert cli("status", "birds", "--json").documents[0]["completed"] == 120


def test_resume_without_id_drives_all(cli: Cli) -> None:
    for name in ("a", "b"):
        process = cli.start(
            "run", str(PENGUINS), *local_options(["sleep", "0.1"], name), "--set", "source.limit=30"
        )
        until(lambda name=name: bool(_listed(cli, name).get("completed")))
        process.terminate()
        process.communicate(timeout=60)
    assert cli("resume").code == 0
    assert {_listed(cli, name)["completed"] for name in ("a", "b")} == {30}
    assert "nothing to resume" in cli("resume").err


def test_commands_reach_the_process_that_drives(cli: Cli) -> None:
    process = cli.start("run", str(PENGUINS), *local_options(["sleep", "0.2"], "birds"))
    until(lambda: bool(_listed(cli, "birds").get("completed")))
    driver = cli("status", "birds", "--json").documents[0]["driver"]
    assert str(process.pid) in driver
    assert cli("tag", "birds", "one", "two").code == 0
    assert cli("rm", "birds").code == 2
    assert cli("cancel", "birds").code == 0
    process.communicate(timeout=60)
    assert process.returncode == 1
    status = _listed(cli, "birds")
    assert (status["status"], status["tags"]) == ("cancelled", ["one", "two"])
    ran = cli("rm", "birds")
    assert (ran.code, "--yes" in ran.err) == (2, True), "nobody can be asked"
    assert _listed(cli, "birds")
    assert cli("rm", "birds", "--yes").code == 0
    assert _listed(cli, "birds") == {}


def test_watch_follows_another_process(cli: Cli) -> None:
    process = cli.start("run", str(PENGUINS), *local_options(["sleep", "0.02"], "birds"))
    until(lambda: bool(_listed(cli, "birds")))
    ran = cli("watch", "birds", "--json")
    process.communicate(timeout=60)
    assert ran.code == 0
    assert ran.documents[-1]["completed"] == 344
    assert len(ran.documents) > 1


def test_retry_puts_jobs_back_and_resume_runs_them(cli: Cli) -> None:
    command = ["sh", "-c", f"test -e {cli.folder}/go"]
    assert cli.local(command, "--set", "source.limit=4").code == 1
    (cli.folder / "go").touch()
    ran = cli("retry", "birds", "--where", "id:2", "--json")
    assert (ran.code, ran.documents[0]["pending"], ran.documents[0]["failed"]) == (0, 1, 3)
    assert cli("retry", "birds", "--status", "failed").code == 0
    assert cli("resume", "birds").code == 0
    assert "nothing to do" in cli("retry", "birds").err


def test_pause_holds_until_resume(cli: Cli) -> None:
    process = cli.start(
        "run", str(PENGUINS), *local_options(["sleep", "0.1"], "birds"), "--set", "source.limit=40"
    )
    until(lambda: bool(_listed(cli, "birds").get("completed")))
    assert cli("pause", "birds").code == 0
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "paused" in err
    status = _listed(cli, "birds")
    assert status["paused"]
    assert status["pending"]
    assert cli("resume", "birds").code == 0


def test_archive_hides_and_brings_back(cli: Cli) -> None:
    cli.local(["true"], "--set", "source.limit=1")
    cli("archive", "birds")
    assert cli("list", "--json").documents == []
    assert cli("list", "--json", "--all").documents[0]["archived"]
    cli("archive", "birds", "--undo")
    assert len(cli("list", "--json").documents) == 1


def test_wait_gives_up_with_6(cli: Cli) -> None:
    process = cli.start("run", str(PENGUINS), *local_options(["sleep", "5"], "birds"))
    until(lambda: bool(_listed(cli, "birds")))
    assert cli("wait", "birds", "--timeout", "0.2").code == 6
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)


def test_outside_text_is_cleaned_on_screen_and_kept_in_data(cli: Cli) -> None:
    escape = "\x1b]0;owned\x07"
    (cli.folder / "h.jsonl").write_text(json.dumps({"id": "a", "text": escape}) + "\n")
    ran = cli("run", "h.jsonl", *local_options(["echo", "{{ text }}"], "h"))
    assert ran.code == 0
    for shown in (cli("show", "h", "a"), cli("results", "h", "--format", "table")):
        assert "\x1b" not in shown.out
        assert "owned" in shown.out
    data = cli("results", "h")
    assert data.out.isascii()
    assert data.documents[0]["raw_response"] == escape + "\n"


def test_csv_is_safe_in_a_spreadsheet(cli: Cli) -> None:
    (cli.folder / "f.csv").write_text("id,note\n1,=1+1\n2,-5\n")
    cli("run", "f.csv", *local_options(["echo", "{{ note }}"], "f"))
    fields = ("--format", "csv", "--fields", "row.note")
    assert cli("results", "f", *fields).out.split() == ["row.note", "'=1+1", "-5"]
    assert cli("results", "f", *fields, "--raw").out.split() == ["row.note", "=1+1", "-5"]
    assert cli("export", "f").code == 0
    assert len((cli.folder / "f.jsonl").read_text().splitlines()) == 2


def _listed(cli: Cli, name: str) -> dict[str, object]:
    return next((batch for batch in cli("list", "--json", "--all").documents if batch["name"] == name), {})
