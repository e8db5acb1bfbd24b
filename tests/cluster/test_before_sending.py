"""What is found before an array is submitted: partitions, what the nodes lack, how an array is cut."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from batchtui.model import Json
from tests import extras
from tests.cluster.conftest import write_config
from tests.cluster.stand_in import StandIn
from tests.engine.bench import Bench
from tests.engine.victim import Victim

GRID = Path(__file__).parents[1] / "data" / "power" / "case14" / "case14.m"
PARTITIONS = "debug*|1:00:00|up\nlong|infinite|up"
GOLD = (
    "there is no partition gold; there are debug (default), long; name one as `partition` of backends.cluster"
)


@pytest.fixture
def victim(tmp_path: Path, site: StandIn) -> Victim:
    site.answers("sinfo", PARTITIONS)
    return Victim(tmp_path / "data", tmp_path / "config.toml")


def commands(folder: Path, rows: int) -> str:
    (folder / "rows.csv").write_text("id\n" + "".join(f"r{n}\n" for n in range(rows)))
    path = folder / "batch.toml"
    source, job = '[source]\nfile = "rows.csv"\n', '[job]\ncommand = ["echo", "{{ id }}"]\n'
    path.write_text(f'name = "few"\nbackend = "cluster"\n{source}{job}')
    return str(path)


def manifest(folder: Path) -> str:
    path = folder / "manifest.json"
    scenarios = [{"id": f"s{n}", "grid": str(GRID), "load_scale": 1 - n / 10} for n in range(3)]
    path.write_text(json.dumps({"scenarios": scenarios, "solver": "dc"}))
    return str(path)


# ---- partitions


def test_a_partition_that_is_unknown_is_refused_with_those_that_exist(
    victim: Victim, site: StandIn, tmp_path: Path
) -> None:
    write_config(tmp_path, partition="gold")
    probe = victim.finish("backends", "probe", "cluster")
    assert (probe.returncode != 0, probe.stdout.decode()) == (True, f"cluster: problem: {GOLD}\n")
    checked = victim.finish("check", commands(tmp_path, 3))
    assert checked.returncode == 2
    assert GOLD in checked.stderr.decode()
    assert victim.finish("run", "--trust", commands(tmp_path, 3)).returncode == 2
    assert site.sent() == []


def test_a_partition_that_is_gone_by_the_time_of_sending_fails_the_jobs(
    on_site: Callable[..., Bench], site: StandIn
) -> None:
    bench = on_site()
    made = bench.create(bench.spec("cluster", 2, {"command": ["true"]}))
    site.answers("sinfo", PARTITIONS)
    folder = on_site(partition="gold").drive(made.id)
    assert folder.status().failed == 2
    assert folder.result(1).error == GOLD
    assert site.sent() == []


def test_the_partition_is_told_by_probe(victim: Victim, tmp_path: Path) -> None:
    for given, words in ({}, "partition debug (the default)"), ({"partition": "long"}, "partition long,"):
        write_config(tmp_path, **given)
        said = victim.finish("backends", "probe", "cluster")
        assert (said.returncode, words in said.stdout.decode()) == (0, True), said.stdout


# ---- what the nodes need


def test_a_missing_extra_is_found_before_the_array(victim: Victim, site: StandIn, tmp_path: Path) -> None:
    python = tmp_path / "python"  # one without anything that pip installs
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -S -E "$@"\n')
    python.chmod(0o755)
    write_config(tmp_path, python=str(python))
    done = victim.finish("run", "--trust", manifest(tmp_path), "--backend", "cluster")
    assert done.returncode == 2
    words = f"on the nodes, where {python} does not have it; install it with `{python} -m pip install"
    assert "task dc needs batchtui, numpy, lightsim2grid" in done.stderr.decode()
    assert words in done.stderr.decode()
    assert site.sent() == []


@extras.needs("power")
def test_check_says_what_the_nodes_need(victim: Victim, tmp_path: Path) -> None:
    write_config(tmp_path)
    file = manifest(tmp_path)
    said = victim.finish("check", file, "--backend", "cluster")
    assert said.returncode == 0, said.stderr
    told = [line.split(None, 1)[1] for line in said.stdout.decode().splitlines() if line.startswith("needs")]
    assert told == [
        f"cluster: Python {sys.executable} with batchtui, numpy, lightsim2grid",
        f"cluster: to read {GRID}",
        f"cluster: to read and write run folders in {tmp_path / 'runs'}",
    ]
    (share,) = json.loads(victim.finish("check", file, "--backend", "cluster", "--json").stdout)["backends"]
    assert [f"cluster: {what}" for what in share["needs"]] == told
    assert share["sent_as"] == "one array of 1 element, 3 jobs each"


def test_a_python_of_the_nodes_alone_is_doubted(victim: Victim, tmp_path: Path) -> None:
    write_config(tmp_path, python="/nodes/only/python")
    said = victim.finish("check", manifest(tmp_path), "--backend", "cluster")
    assert said.returncode == 0, said.stderr
    assert "(whether it has them is not known: /nodes/only/python cannot be started on this machine" in (
        said.stdout.decode()
    )


def test_a_module_that_a_call_needs_is_looked_for_as_the_nodes_will(
    victim: Victim, site: StandIn, tmp_path: Path
) -> None:
    write_config(tmp_path)
    file = Path(commands(tmp_path, 2))
    file.write_text(file.read_text().replace('command = ["echo", "{{ id }}"]', 'call = "mine:do"'))
    assert "finds no mine in" in victim.finish("run", "--trust", str(file)).stderr.decode()
    (tmp_path / "mine.py").write_text("def do():\n    return 1\n")
    assert victim.finish("run", "--trust", str(file)).returncode == 0
    assert len(site.sent()) == 1


# ---- how an array is cut


@pytest.mark.parametrize(
    ("settings", "told", "sent"),
    [
        (
            {"chunk": 1},
            "3 arrays of at most 4 elements (MaxArraySize is 4), 1 job each",
            ["0-3", "0-3", "0-1"],
        ),
        ({"chunk": 3}, "one array of 4 elements (MaxArraySize is 4), 3 jobs each", ["0-3"]),
        ({}, "one array of 4 elements (MaxArraySize is 4), 3 jobs each", ["0-3"]),
    ],
    ids=["several", "one", "by itself"],
)
def test_an_array_that_slurm_would_not_take_is_cut(
    victim: Victim, site: StandIn, tmp_path: Path, settings: dict[str, Json], told: str, sent: list[str]
) -> None:
    site.answers("scontrol", "ClusterName = stand\nMaxArraySize = 4\nSLURM_VERSION = 23.11.4")
    write_config(tmp_path, **settings)
    file = commands(tmp_path, 10)
    assert f"cluster: {told}\n" in victim.finish("check", file).stdout.decode()
    done = victim.finish("run", "--trust", file)
    assert done.returncode == 0, done.stderr
    assert sorted(site.option("array"), reverse=True) == sent


def test_the_limit_of_submitted_jobs_bounds_an_array(victim: Victim, site: StandIn, tmp_path: Path) -> None:
    site.answers("scontrol", "AccountingStorageType = accounting_storage/slurmdbd\nMaxArraySize = 1001")
    site.answers("sacctmgr", "physics|5|\n")
    site.answers("sacct", "")
    write_config(tmp_path, chunk=1)
    file = commands(tmp_path, 8)
    words = "2 arrays of at most 5 elements (this user's limit of submitted jobs is 5), 1 job each"
    assert words in victim.finish("check", file).stdout.decode()
    assert victim.finish("run", "--trust", file).returncode == 0
    assert sorted(site.option("array")) == ["0-2", "0-4"]


def test_a_cluster_that_does_not_answer_is_told_and_keeps_nobody_from_checking(
    victim: Victim, site: StandIn, tmp_path: Path
) -> None:
    site.says("scontrol", "slurm_load_ctl_conf error: Unable to contact slurm controller (connect failure)")
    write_config(tmp_path, chunk=1)
    said = victim.finish("check", commands(tmp_path, 3))
    assert said.returncode == 0
    words = "one array of 3 elements, 1 job each, by Slurm's usual limits: Slurm's controller does not answer"
    assert words in said.stdout.decode()
