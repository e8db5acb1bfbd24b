"""What Slurm prints, read: recorded from 22.05, and made by hand after the documentation of a newer one."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

from batchtui.backends.base import Refused, Setup, Transient, TryLater, Unsure
from batchtui.backends.slurm.backend import SlurmBackend
from batchtui.backends.slurm.commands import ask, environment, sbatch, scancel
from batchtui.backends.slurm.facts import Facts, facts_of, most_submitted
from batchtui.backends.slurm.settings import SlurmSettings
from batchtui.backends.slurm.states import indices, listed, meaning, queues, sacct_lines, squeue_lines
from batchtui.config import load_config
from batchtui.config.providers import offered
from batchtui.model import LimitsSpec
from batchtui.work.job import ProgramWork

DATA = Path(__file__).parents[1] / "data" / "slurm"
NAME = "bt-8s95ut-1-cd4810e2"


def test_a_recorded_queue() -> None:
    found = queues(squeue_lines((DATA / "squeue-22.05.txt").read_text()))
    assert set(found) == {NAME, "bt-8s95ut-2-0badcafe", "single"}
    queue = found[NAME]
    assert (queue.array, queue.running, queue.waiting, queue.live) == ("1", 12, 9, True)
    assert queue.words() == "12 running, 9 waiting (JobArrayTaskLimit: as many run as may at once)"
    assert [queue.states[n] for n in (0, 3, 4, 5, 6, 29)] == [
        "COMPLETED",
        "FAILED",
        "FAILED",
        "CANCELLED",
        "RUNNING",
        "PENDING",
    ]
    assert (
        found["bt-8s95ut-2-0badcafe"].words()
        == "4 waiting (JobHeldUser: held; `scontrol release` lets it go)"
    )


def test_a_newer_queue_with_states_that_are_not_known() -> None:
    (queue,) = queues(squeue_lines((DATA / "squeue-23.11.txt").read_text())).values()
    assert queue.array == "4711"
    assert queue.states[15] == "PENDING"  # failed with its node, and queued again
    assert (queue.states[11], queue.states[13], queue.states[14]) == ("OUT_OF_MEMORY", "CANCELLED", "TIMEOUT")
    assert (queue.states[35], 36 in queue.states, queue.states[99_999]) == ("PENDING", False, "PENDING")
    assert queue.live
    assert queue.words().startswith("1 suspended, ")
    assert queue.words().endswith(
        "waiting (BeginTime: its time has not come, Priority: others go first, "
        "QOSMaxJobsPerUserLimit: a limit of the site), RESIZED"
    )


def test_rarer_states_are_told_in_the_words_of_slurm() -> None:
    text = "j|7|0|CONFIGURING||None\nj|7|1|COMPLETING|n1|None\nj|7|2|RUNNING|n1|None\nj|7|3|PENDING||None\n"
    (queue,) = queues(squeue_lines(text)).values()
    assert queue.words() == "1 running, 1 completing, 2 waiting (CONFIGURING)"


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("Resources", "Resources: no node is free"),
        ("ReqNodeNotAvail, UnavailableNodes:n[1-3]",
         "ReqNodeNotAvail, UnavailableNodes:n[1-3]: nodes that it needs are down or reserved"),
        ("AssocGrpCpuLimit", "AssocGrpCpuLimit: a limit of the site"),
        ("SomethingNew", "SomethingNew"),
    ],
)  # fmt: skip
def test_the_reason_is_the_word_of_squeue_with_what_it_means(reason: str, told: str) -> None:
    assert meaning(reason) == told


def test_the_accounting_has_the_last_attempt_last() -> None:
    (queue,) = queues(sacct_lines((DATA / "sacct-23.11.txt").read_text())).values()
    assert not queue.live
    assert queue.states == {
        0: "COMPLETED",
        1: "COMPLETED",
        2: "CANCELLED",
        3: "OUT_OF_MEMORY",
    } | dict.fromkeys(range(4, 10), "CANCELLED")


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("0", [0]),
        ("3,7-9", [3, 7, 8, 9]),
        ("0-20:5%3", [0, 5, 10, 15, 20]),
        ("[1-2,4]", [1, 2, 4]),
        ("1-3,7,...", [1, 2, 3, 7]),
        ("N/A", []),
        ("", []),
    ],
)
def test_ranges(text: str, numbers: list[int]) -> None:
    assert list(indices(text)) == numbers
    assert list(indices(listed(numbers))) == numbers


@pytest.mark.parametrize(
    ("wanted", "limit"),
    [
        (None, 3600.0),
        ("long", 7 * 86400.0),
        ("short", 90.0),
        ("short,long", 90.0),
        ("free", None),
        ("none", None),
    ],
)
def test_the_time_limit_of_a_partition(wanted: str | None, limit: float | None) -> None:
    assert facts().most_seconds(wanted) == limit


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (None, ""),
        ("long,short", ""),
        ("gold", "there is no partition gold; there are debug (default), long, short, free"),
        ("long,gold", "there is no partition gold; there are debug (default), long, short, free"),
    ],
)
def test_a_partition_that_is_not_there_is_told_with_those_that_are(wanted: str | None, words: str) -> None:
    assert facts().no_partition(wanted) == words


def test_many_partitions_are_told_short() -> None:
    told = facts_of("", "".join(f"p{n}|infinite|up\n" for n in range(30))).no_partition("gold")
    assert told.endswith("p6, p7 and 22 more")


@pytest.mark.parametrize(
    ("config", "most"),
    [
        ("", 1001),
        ("MaxArraySize = 50", 50),
        ("MaxArraySize = 100001\nMaxJobCount = 10000", 10_000),
        ("MaxArraySize = 1001\nMaxJobCount = 10000", 1001),
    ],
)
def test_how_large_an_array_may_be(config: str, most: int) -> None:
    assert facts_of(config, "").most_elements == most


@pytest.mark.parametrize(
    ("account", "qos", "most"),
    [
        (None, None, 40),
        ("physics", None, 200),
        ("physics", "long", 10),
        ("none", None, None),
        ("art", None, 40),
    ],
)
def test_the_limit_of_submitted_jobs(account: str | None, qos: str | None, most: int | None) -> None:
    associations = "physics|500|normal\nart|40|\n"
    named = "normal|200|\nlong|10|300\nother|1|1\n"
    assert most_submitted(associations, named, account, qos if account != "none" else None) == most


def facts() -> Facts:
    told = "CLUSTER: north\ndebug*|1:00:00|up\nlong|7-00:00:00|up\nshort|1:30|up\nfree|infinite|down\n"
    return facts_of("", told)


# ---- calls


def program(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ("echo 'sbatch: error: Socket timed out on send/recv operation' >&2; exit 1", Unsure),
        ("echo what; exit 0", Unsure),
        ("exec sleep 60", Unsure),
        ("echo 'sbatch: error: Unable to contact slurm controller (connect failure)' >&2; exit 1", TryLater),
        ("echo 'sbatch: error: QOSMaxSubmitJobPerUserLimit' >&2; exit 1", TryLater),
        ("echo 'sbatch: error: invalid partition specified: gold' >&2; exit 1", Refused),
    ],
)
async def test_what_sbatch_says_instead_of_an_id(commands: Path, answer: str, fault: type[Exception]) -> None:
    program(commands, "sbatch", answer)
    with pytest.raises(fault):
        await sbatch([], "run.sh", seconds=1.0, env=environment())


POLICY = "Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)"


@pytest.mark.parametrize(
    ("said", "fault", "words"),
    [
        (
            ["Batch job submission failed: Unable to contact slurm controller (connect failure)"],
            TryLater,
            "Slurm's controller does not answer (sbatch: Unable to contact slurm controller (connect failure)); "
            "asked again by itself, see `scontrol ping`",
        ),
        (
            ["QOSMaxSubmitJobPerUserLimit", POLICY],
            TryLater,
            "Slurm takes no more jobs now (QOSMaxSubmitJobPerUserLimit); "
            "sent again by itself, and a larger `chunk` makes fewer elements",
        ),
        (
            ["QOSMaxWallDurationPerJobLimit", POLICY],
            Refused,
            "sbatch: QOSMaxWallDurationPerJobLimit; "
            "set a shorter `time`, or a smaller `chunk`, in the backend's table",
        ),
        (
            [
                "invalid partition specified: gold",
                "Batch job submission failed: Invalid partition name specified",
            ],
            Refused,
            "sbatch: Invalid partition name specified; "
            "`sinfo` lists the partitions; name one as `partition` in the backend's table",
        ),
        (
            ["Batch job submission failed: Invalid account or account/partition combination specified"],
            Refused,
            "sbatch: Invalid account or account/partition combination specified; `sacctmgr show assoc user=$USER` lists "
            "yours; name one as `account` in the backend's table",
        ),
        (
            ["Batch job submission failed: Requested node configuration is not available"],
            Refused,
            "sbatch: Requested node configuration is not available; ask for less in `options` in the backend's table",
        ),
    ],
    ids=["down", "submit limit", "too long", "partition", "account", "node"],
)
async def test_a_complaint_is_one_sentence_that_says_what_to_do(
    commands: Path, said: list[str], fault: type[Exception], words: str
) -> None:
    (commands / "said").write_text("".join(f"sbatch: error: {line}\n" for line in said))
    program(commands, "sbatch", f"cat {commands}/said >&2; exit 1")
    with pytest.raises(fault) as met:
        await sbatch([], "run.sh", seconds=20.0, env=environment())
    assert str(met.value) == words
    assert len(words) <= 200  # as much as a submission keeps of its reason


async def test_an_sbatch_that_waits_for_room_says_so_when_it_is_ended(commands: Path) -> None:
    words = "Slurm temporarily unable to accept job, sleeping and retrying"
    program(commands, "sbatch", f"echo 'sbatch: error: {words}' >&2; exec sleep 60")
    with pytest.raises(Unsure, match=rf"sbatch gave no answer in 0\.5 s \({words}\)"):
        await sbatch([], "run.sh", seconds=0.5, env=environment())


async def test_an_id_may_come_with_a_cluster(commands: Path) -> None:
    program(commands, "sbatch", "echo '4711;north'")
    assert await sbatch([], "run.sh", seconds=20.0, env=environment()) == "4711"


async def test_a_command_that_hangs_is_ended_and_proves_nothing(commands: Path) -> None:
    program(commands, "squeue", "exec sleep 60")
    with pytest.raises(Transient, match=r"squeue gave no answer in 0\.2 s"):
        await ask("squeue", "-h", seconds=0.2)


async def test_a_job_that_slurm_forgot_is_as_good_as_cancelled(commands: Path) -> None:
    program(
        commands,
        "scancel",
        "echo 'scancel: error: Kill job error on job id 9: Invalid job id specified' >&2; exit 1",
    )
    await scancel(["9"], seconds=20.0)
    program(commands, "scancel", "echo 'scancel: error: Access/permission denied' >&2; exit 1")
    with pytest.raises(Refused, match="permission denied"):
        await scancel(["9"], seconds=20.0)


async def test_without_slurm_it_says_what_is_missing(commands: Path) -> None:
    with pytest.raises(Refused, match="cannot start sbatch: No such file"):
        await sbatch([], "run.sh", seconds=20.0, env={"PATH": str(commands)})


def test_keys_stay_here(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "BATCHTUI_CONFIG", "MY_DATA"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("SLURM_CONF", "/etc/slurm.conf")
    assert "x" not in environment().values()
    assert {"PATH", "SLURM_CONF"} <= set(environment())
    assert environment("MY_DATA")["MY_DATA"] == "x"


# ---- settings


def settings(**given: object) -> SlurmSettings:
    return msgspec.convert({"kind": "slurm", **given}, SlurmSettings)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"options": ["--array=0-3"]}, "--array=0-3"),
        ({"options": ["-J", "name"]}, '"-J" is set by batchtui'),
        ({"options": ["--partition=x"]}, "say partition in the backend's table"),
        ({"options": ["mem=4G"]}, "no option of sbatch"),
        ({"chunk": 0}, "chunk: expected 1 or more"),
        ({"max_jobs": 0}, "max_jobs: expected 1 or more"),
        ({"lag": "soon"}, "soon"),
        ({"margin": -1}, "margin"),
    ],
)
def test_settings_that_cannot_be(given: dict[str, object], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        settings(**given)


def test_what_runs_at_once_is_the_smaller_of_what_is_asked_and_allowed() -> None:
    def words(own: int | None, asked: int | None) -> str:
        setup = Setup(name="cluster", settings=settings(**({"max_jobs": own} if own else {})))
        return SlurmBackend(setup).at_once(LimitsSpec(concurrency=asked))

    elements = "elements of an array, each doing one job after another"
    assert words(None, None) == "as many array elements as Slurm starts"
    assert words(None, 9) == f"9 {elements}"
    assert words(8, None) == f"8 {elements} (the most that backends.cluster allows)"
    assert words(8, 20) == f"8 {elements} (the most that backends.cluster allows; the batch asks for 20)"
    assert words(8, 4) == f"4 {elements}"


def test_chunks_are_as_small_as_may_be_and_no_smaller_than_a_minute() -> None:
    command = ProgramWork(command=["true"])
    assert settings().chunk_of(10, command, 1001) == 1
    assert settings().chunk_of(10_000, command, 1001) == 10
    assert settings().chunk_of(10_000, command, 101) == 100
    assert settings(chunk=7).chunk_of(100, command, 1001) == 7
    assert settings(chunk=7).chunk_of(10_000, command, 1001) == 10
    opf = ProgramWork(task="acopf", grid="g.m")
    assert settings().chunk_of(10_000, opf, 1001) == 30
    assert settings().chunk_of(5, opf, 1001) == 5


def test_the_time_of_an_element_is_a_net() -> None:
    command, flow = ProgramWork(command=["true"]), ProgramWork(task="dc", grid="g.m")
    assert settings().minutes(10, command, None, 2, None) is None
    assert settings().minutes(10, command, 60.0, 1, None) == 31
    assert settings(margin=0).minutes(10, command, 60.0, 0, None) == 11
    assert settings().minutes(1000, command, 600.0, 2, 3600.0) == 60
    assert settings(time="90s").minutes(10, command, 60.0, 1, None) == 2
    assert settings().minutes(12_000, flow, 60.0, 2, None) == 34


def test_the_backend_is_there_where_its_commands_are(tmp_path: Path) -> None:
    program(tmp_path, "sbatch", "exit 0")
    (tmp_path / "none.toml").touch()
    assert "slurm" not in offered({}) | offered({"PATH": "/nowhere"})
    config = load_config(tmp_path / "none.toml", env={"PATH": str(tmp_path)})
    assert list(config.backends) == ["local", "slurm"]
    assert sys.executable == settings().interpreter
