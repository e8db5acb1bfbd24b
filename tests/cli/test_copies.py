"""A folder that was copied or put back only follows: nothing is paid twice, it is told, and a person may take it over."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from batchtui.demo.server import DemoServer
from tests.cli.cli_help import Cli, until
from tests.cli.copies_help import JOBS, WAIT, begin, data_of, kill, over, paid, prepare, status_of
from tests.copying import copy_live
from tests.daly_help import energy_model


@pytest.fixture
def here(cli: Cli, with_demo: Callable[..., DemoServer]) -> DemoServer:
    server = with_demo("duration=700ms")
    prepare(cli)
    return server


def _copy(cli: Cli, name: str) -> Path:
    target = cli.folder / name
    copy_live(data_of(cli), target)
    return target


def test_original_and_copy_resumed_one_after_the_other_pay_once(cli: Cli, here: DemoServer) -> None:
    kill(begin(cli, 10))
    other = {"BATCHTUI_DATA_DIR": str(_copy(cli, "copy"))}
    assert cli("resume", "k").code == 0
    ran = cli("resume", "k", **other)
    assert ran.code == 0, ran.err  # all that lived at the backend came home
    assert status_of(cli, **other)["completed"] == JOBS
    assert "copy" in status_of(cli, **other)["follows"]
    assert status_of(cli)["follows"] is None
    assert paid(here) == (JOBS, JOBS)


def test_a_copy_beside_its_running_original_sends_nothing_and_says_so(cli: Cli, here: DemoServer) -> None:
    process = begin(cli, 1)
    other = {"BATCHTUI_DATA_DIR": str(_copy(cli, "copy"))}
    ran = cli("resume", "k", **other)
    assert over(process) == 0
    told = status_of(cli, **other)
    assert paid(here) == (JOBS, JOBS)
    assert "copy" in told["follows"]
    if told["completed"] < JOBS:
        assert ran.code == 1
        assert ran.err.count("only followed from here") == 1
        assert [item["actions"] for item in told["attention"]] == [["take-over"]]
        assert "needs you" in cli("list", **other).out


@pytest.mark.parametrize("state", ["state", "gone"])
def test_an_old_copy_put_back_adopts_what_was_sent_since(cli: Cli, here: DemoServer, state: str) -> None:
    kill(begin(cli, 0))
    old = _copy(cli, "old")
    assert cli("resume", "k").code == 0
    shutil.rmtree(data_of(cli))
    old.rename(data_of(cli))
    more = {"BATCHTUI_STATE_DIR": str(cli.folder / state)}
    assert cli("resume", "k", **more).code == 0
    assert status_of(cli, **more)["completed"] == JOBS
    assert paid(here) == (JOBS, JOBS)


def test_files_set_back_in_their_places_are_known_by_what_was_sent_since(cli: Cli, here: DemoServer) -> None:
    """As a snapshot of the disk does it: the files are the same, and what they hold is old."""
    kill(begin(cli, 10))
    old = _copy(cli, "old")
    assert cli("resume", "k").code == 0
    for path in data_of(cli).glob("batches/*/*"):
        before = old / path.relative_to(data_of(cli))
        if not before.exists():
            path.unlink() if path.is_file() else shutil.rmtree(path)
        elif path.is_file():
            with path.open("r+b") as file:
                file.truncate()
                file.write(before.read_bytes())
    ran = cli("resume", "k")
    assert ran.code == 0, ran.err
    told = status_of(cli)
    assert "set back" in told["follows"]
    assert told["completed"] == JOBS
    assert paid(here) == (JOBS, JOBS)


def test_a_take_over_adopts_first_and_sends_the_rest_and_the_original_follows_then(
    cli: Cli, here: DemoServer
) -> None:
    process = begin(cli, 0)
    other = {"BATCHTUI_DATA_DIR": str(_copy(cli, "copy"))}
    end = time.monotonic() + WAIT
    while paid(here)[0] < 20 and time.monotonic() < end:
        time.sleep(0.01)
    kill(process)
    before = paid(here)[1]
    assert 20 <= before < JOBS
    assert cli("resume", "k", **other).code == 1
    assert paid(here)[1] == before
    ran = cli("resolve", "k", "take-over", **other)
    assert ran.code == 0, ran.err
    assert paid(here)[1] == before
    assert status_of(cli, **other)["follows"] is None
    assert cli("resume", "k", **other).code == 0
    assert paid(here) == (JOBS, JOBS)
    assert cli("resume", "k").code == 0
    assert "taken over" in status_of(cli)["follows"]
    assert paid(here) == (JOBS, JOBS)


def test_a_moved_folder_goes_on_without_a_question(cli: Cli, here: DemoServer) -> None:
    kill(begin(cli, 10))
    target = cli.folder / "elsewhere"
    data_of(cli).rename(target)
    moved = {"BATCHTUI_DATA_DIR": str(target)}
    assert cli("resume", "k", **moved).code == 0
    assert status_of(cli, **moved)["follows"] is None
    assert paid(here) == (JOBS, JOBS)


def test_a_store_of_before_homes_were_told_goes_on_and_has_one_then(cli: Cli, here: DemoServer) -> None:
    kill(begin(cli, 10))
    batch = next(data_of(cli).glob("batches/*"))
    header = json.loads((batch / "batch.json").read_text())
    mark = header.pop("home")["mark"]
    (batch / "batch.json").write_text(json.dumps(header))
    journal = (batch / "events.jsonl").read_text().splitlines(keepends=True)
    if any('"home"' in line for line in journal):
        _without_home(batch)
    assert cli("resume", "k").code == 0
    known = json.loads((batch / "batch.json").read_text())["home"]
    assert known
    assert known["mark"] != mark
    assert status_of(cli)["follows"] is None


def _without_home(batch: Path) -> None:
    """The journal as it was written before: its header event without the field, sealed anew."""
    from batchtui.store.files.journal import seal

    lines = []
    for line in (batch / "events.jsonl").read_bytes().splitlines():
        event = json.loads(line)
        event.pop("crc")
        if event.get("event") == "header":
            event["set"].pop("home", None)
        lines.append(seal(event))
    (batch / "events.jsonl").write_bytes(b"".join(lines))
    (batch / "checkpoint.json").unlink(missing_ok=True)


@pytest.mark.parametrize("kind", ["mistral", "gemini", "anthropic"])
def test_what_was_sent_since_is_found_at_other_kinds_too(cli: Cli, here: DemoServer, kind: str) -> None:
    prepare(cli, kind)
    kill(begin(cli, 0))
    other = {"BATCHTUI_DATA_DIR": str(_copy(cli, "copy"))}
    assert cli("resume", "k").code == 0
    ran = cli("resume", "k", **other)
    assert ran.code == 0, ran.err
    assert paid(here) == (JOBS, JOBS)


def of_somebody(server: DemoServer, *ids: str) -> str:
    """A batch of Anthropic's kind that another program made, once it has ended."""
    body = {"model": "demo-small", "max_tokens": 20, "messages": [{"role": "user", "content": "hi"}]}
    asked = {"requests": [{"custom_id": id_, "params": body} for id_ in ids]}
    head = {"anthropic-version": "2023-06-01", "x-api-key": "any"}
    url = f"{server.url}/anthropic/v1/messages/batches"
    remote_id: str = httpx.post(url, json=asked, headers=head).raise_for_status().json()["id"]
    until(lambda: httpx.get(f"{url}/{remote_id}", headers=head).json()["processing_status"] == "ended")
    return remote_id


def half_sent(cli: Cli, server: DemoServer) -> dict[str, str]:
    """A batch at Anthropic's kind, killed on its way, and the environment of a copy of it."""
    prepare(cli, "anthropic")
    kill(begin(cli, 0))
    return {
        "BATCHTUI_DATA_DIR": str(_copy(cli, "copy")),
        "BATCHTUI_STATE_DIR": str(cli.folder / "elsewhere"),
    }


def test_a_take_over_asks_about_what_does_not_tell_whose_it_is_and_a_person_adopts_it(
    cli: Cli, here: DemoServer
) -> None:
    """Its rows have the ids of ours, under a mark that does not follow from the batch: it may be ours, or a namesake's."""
    other = half_sent(cli, here)
    strange = of_somebody(here, *(f"00000000-q{n}" for n in range(30, JOBS)))
    before = paid(here)
    asked = cli("resolve", "k", "take-over", **other)
    assert asked.code == 1
    assert "nothing was taken over" in asked.err
    assert strange in asked.err
    told = status_of(cli, **other)
    assert told["follows"]
    assert [one["actions"] for one in told["attention"]] == [["adopt", "take-over"]]
    nobody = cli("resolve", "k", "adopt", "msgbatch_nobody", **other)
    assert nobody.code == 1
    assert "none of its backends lists it" in nobody.err
    until(lambda: cli("resolve", "k", "adopt", strange, **other).code == 0)
    assert paid(here) == before
    assert "nothing was taken over" not in cli("resolve", "k", "take-over", **other).err
    assert cli("resume", "k", **other).code == 0
    assert status_of(cli, **other)["completed"] == JOBS
    assert paid(here) == (JOBS, JOBS)


def test_what_has_no_job_of_ours_is_neither_asked_about_nor_adopted(cli: Cli, here: DemoServer) -> None:
    other = half_sent(cli, here)
    others = {
        of_somebody(here, "summary-of-march"),
        of_somebody(here, "00000000-nothing", "00000000-of-ours"),
    }
    before = paid(here)[1]
    assert "nothing was taken over" not in cli("resolve", "k", "take-over", **other).err
    assert cli("resume", "k", **other).code == 0
    told = status_of(cli, **other)
    assert told["completed"] == JOBS
    assert others.isdisjoint(one["remote_id"] for one in told["submissions"])
    assert paid(here)[1] <= before + JOBS


def energy(cli: Cli, job: str) -> dict[str, str]:
    """Three runs of Daly's kind, of which one was sent when the copy was taken, whose environment this is."""
    (cli.folder / "rows.csv").write_text("id\nnorth\nsouth\neast\n")
    (cli.folder / "model.json").write_text(json.dumps(energy_model()))
    head = "name = 'k'\nbackend = 'daly'\n[source]\nfile = 'rows.csv'\n[limits]\nsubmissions_at_once = 1\n"
    (cli.folder / "k.toml").write_text(f"{head}[job]\ninput_file = 'model.json'\n{job}")
    kill(begin(cli, 0))
    return {
        "BATCHTUI_DATA_DIR": str(_copy(cli, "copy")),
        "BATCHTUI_STATE_DIR": str(cli.folder / "elsewhere"),
    }


def test_a_run_is_known_by_its_name_and_its_job_by_what_it_is_called(cli: Cli, here: DemoServer) -> None:
    other = energy(cli, "")
    assert cli("resume", "k").code == 0
    ran = cli("resume", "k", **other)
    assert ran.code == 0, ran.err
    told = status_of(cli, **other)
    assert (told["completed"], bool(told["follows"])) == (3, True)
    for job in ("north", "south", "east"):
        models = [
            cli("show", "k", job, "--json", **env).documents[0]["remote"]["energy_model_id"]
            for env in ({}, other)
        ]
        assert models[0] == models[1]
    assert len([one for one in here.ledger() if one["op"] == "create"]) == 3


def test_where_jobs_are_called_alike_a_take_over_asks_before_it_pays(cli: Cli, here: DemoServer) -> None:
    """The run is ours beyond doubt, and of which of its jobs nothing tells."""
    other = energy(cli, "name = 'site'\n")
    assert cli("resume", "k").code == 0
    asked = cli("resolve", "k", "take-over", **other)
    assert asked.code == 1
    assert "daly does not tell whose" in asked.err
    assert "batchtui adopt daly REMOTE_ID" in asked.err
    assert len([one for one in here.ledger() if one["op"] == "create"]) == 3


def test_where_nothing_can_be_joined_a_take_over_asks_before_it_pays(cli: Cli, here: DemoServer) -> None:
    """About what may be ours: a flow that the batch does not ask for is no matter of it."""
    (cli.folder / "rows.csv").write_text("id,flow\n1,good\n2,good\n3,good\n")
    job = "[job]\nflow = '{{ flow }}'\nshuffle = false\n"
    head = (
        "name = 'k'\nbackend = 'buttermilk'\n[source]\nfile = 'rows.csv'\n[limits]\nsubmissions_at_once = 1\n"
    )
    (cli.folder / "k.toml").write_text(head + job)
    kill(begin(cli, 0))
    other = {
        "BATCHTUI_DATA_DIR": str(_copy(cli, "copy")),
        "BATCHTUI_STATE_DIR": str(cli.folder / "elsewhere"),
    }
    assert cli("resume", "k").code in (0, 1)
    sent = [one for one in here.ledger() if one["op"] == "create"]
    assert len(sent) == 3
    url = here.backends["buttermilk"]["base_url"]
    made = httpx.post(f"{url}/api/batches", json={"flow": "demo", "max_records": 1}).raise_for_status().json()
    followed = cli("resume", "k", **other)
    assert followed.code == 1
    assert "batchtui remote buttermilk" in followed.err
    asked = cli("resolve", "k", "take-over", **other)
    assert asked.code == 1
    assert "buttermilk does not tell whose" in asked.err
    assert "batchtui adopt buttermilk REMOTE_ID" in asked.err
    assert made["id"] not in asked.err
    assert sent[1]["remote_id"] in asked.err
    told = status_of(cli, **other)
    assert told["follows"]
    assert [one["actions"] for one in told["attention"]] == [["take-over"]]
    assert [one for one in here.ledger() if one["op"] == "create"][:-1] == sent


def _elsewhere(cli: Cli, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command on a host of another name, over the same folders."""
    script = 'hostname another-host && exec "$@"'
    alone = ["unshare", "--user", "--map-root-user", "--uts", "sh", "-c", script, "sh"]
    return subprocess.run(
        [*alone, *(arguments or ("hostname",))], capture_output=True, text=True, env=cli.environment(), cwd=cli.folder,
        timeout=WAIT, check=False,
    )  # fmt: skip


def test_another_host_of_one_shared_home_goes_on_without_a_question(cli: Cli, here: DemoServer) -> None:
    if shutil.which("unshare") is None or _elsewhere(cli).stdout.strip() != "another-host":
        pytest.skip("needs unshare, and leave to give this process another host's name")
    kill(begin(cli, 10))
    before = paid(here)
    assert before[1] < JOBS
    linked = cli.folder / "mounted"
    linked.symlink_to(data_of(cli))  # the same home under another path
    ran = _elsewhere(cli, sys.executable, "-m", "batchtui", "resume", "k", "--data-dir", str(linked))
    assert ran.returncode == 0, ran.stderr
    assert status_of(cli)["follows"] is None
    assert status_of(cli)["completed"] == JOBS
    assert paid(here) == (JOBS, JOBS)


def test_a_copy_is_told_before_anybody_drives_it(cli: Cli, here: DemoServer) -> None:
    kill(begin(cli, 10))
    other = {"BATCHTUI_DATA_DIR": str(_copy(cli, "copy"))}
    assert "copy" in status_of(cli, **other)["follows"]
    assert "only followed" in cli("list", **other).out
    assert status_of(cli)["follows"] is None
