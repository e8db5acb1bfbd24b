"""Kind `gat` over a stand-in program that fails in gat's manner."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from batchtui.backends.registry import build
from batchtui.domains.power.gat.backend import GatBackend
from batchtui.domains.power.gat.settings import LINEAR
from batchtui.errors import BadInput, ConfigError
from batchtui.model import Json, Outcome
from batchtui.results.scenarios.files import folder_name
from batchtui.results.scenarios.tables import read_table
from tests import extras
from tests.backends.gat_help import (
    CASE14,
    backend_in,
    calls,
    grid,
    job_of,
    no_note,
    reference_flows,
    stand_in,
)
from tests.backends.local_help import alive, until

pytestmark = extras.needs("power")

Made = Callable[..., GatBackend]
Scenarios = list[tuple[Path, dict[str, Json]]]


@pytest.fixture
async def backend_of(tmp_path: Path) -> AsyncIterator[Made]:
    """`backend_of(program, **settings)`: a backend whose folders are under `tmp_path`, closed at the end."""
    made: list[GatBackend] = []

    def make(program: Path, **settings: Json) -> GatBackend:
        made.append(backend_in(program, tmp_path, **settings))
        return made[-1]

    yield make
    for backend in made:
        await backend.close()


async def run_all(
    backend: GatBackend, scenarios: Scenarios, timeout: float = 60.0
) -> list[Outcome | Exception]:
    jobs = [job_of(n, where, timeout=timeout, **work) for n, (where, work) in enumerate(scenarios)]
    found = await asyncio.gather(*(backend.run(job, no_note) for job in jobs), return_exceptions=True)
    for one in found:
        assert isinstance(one, Outcome | Exception)
    return found  # type: ignore[return-value]


def kinds(found: list[Outcome | Exception]) -> list[str | None]:
    return [one.error_kind if isinstance(one, Outcome) else f"again: {one.kind}" for one in found]  # type: ignore[attr-defined]


# ---- results


async def test_results_are_tables_and_loads_and_outages_reach_gat(tmp_path: Path, backend_of: Made) -> None:
    backend = backend_of(stand_in(tmp_path / "bin"))
    base = grid(tmp_path / "grid")
    loads = {"loads": str(CASE14 / "loads" / "case14_s004.csv")}
    outage = {"outages": [{"type": "branch", "id": "10"}], "load_scale": 2}
    plain, loaded, changed = await run_all(backend, [(base, {}), (base, loads), (base, outage)])
    assert isinstance(plain, Outcome)
    assert plain.state == "completed", plain.error
    for number, scenario in enumerate(("case14_s001", "case14_s004")):
        table = read_table(tmp_path / "out" / folder_name(f"s/{number}:é"), "branch")
        assert table is not None
        assert dict(zip(table["branch_id"], table["flow_mw"], strict=True)) == pytest.approx(
            reference_flows(scenario), abs=1e-4
        )
        assert list(table)[:4] == ["branch_id", "from_bus", "to_bus", "flow_mw"]
        assert table["loading_pct"] == [None] * 20  # the ratings of this grid are fillers
    assert isinstance(loaded, Outcome)
    assert plain.output["files"] == {"branch": "result.parquet"}
    assert plain.output["summary"]["load_mw"] == pytest.approx(259.0)
    assert plain.output["input_hash"] != loaded.output["input_hash"]
    assert isinstance(changed, Outcome)
    assert changed.output["summary"]["load_mw"] == pytest.approx(518.0)
    table = read_table(tmp_path / "out" / folder_name("s/2:é"), "branch")
    assert table is not None
    assert 10 not in table["branch_id"]


async def test_a_chunk_is_one_call_and_leaves_nothing_behind(tmp_path: Path, backend_of: Made) -> None:
    program = stand_in(tmp_path / "bin")
    backend = backend_of(program, chunk=4, solver="faer", threads=1)
    base = grid(tmp_path / "grid")
    assert backend.hands_over(3) >= 8
    found = await run_all(backend, [(base, {})] * 8)
    assert kinds(found) == [None] * 8
    assert len(calls(program)) == 2
    argv = calls(program)[0]["argv"]
    assert argv[:2] == ["batch", "pf"]
    assert [argv[argv.index(key) + 1] for key in ("--mode", "--solver", "--threads", "--max-jobs")] == [
        "dc",
        "faer",
        "1",
        "3",
    ]
    assert not list((tmp_path / "run").glob("gat-*"))


async def test_ac_is_called_what_it_is(tmp_path: Path, backend_of: Made) -> None:
    backend = backend_of(stand_in(tmp_path / "bin"))
    job = job_of(0, grid(tmp_path / "grid"), task="ac")
    told = dict(backend.notices(job))
    assert LINEAR in told["task"]
    assert "licence" in told["backend"]
    assert backend.notices(job) == []
    outcome = await backend.run(job, no_note)
    assert outcome.output["summary"]["method"] == LINEAR
    assert (outcome.raw_response or "").startswith(LINEAR)


async def test_a_result_of_the_same_inputs_is_taken_as_it_is(tmp_path: Path, backend_of: Made) -> None:
    program = stand_in(tmp_path / "bin")
    base = grid(tmp_path / "grid")
    for reused in (None, True):
        backend = backend_of(program)
        outcome = await backend.run(job_of(0, base), no_note)
        assert outcome.output.get("reused") is reused
    assert len(calls(program)) == 1
    table = tmp_path / "out" / folder_name("s/0:é") / "result.parquet"
    table.write_bytes(table.read_bytes()[:-1])
    assert "reused" not in (await backend_of(program).run(job_of(0, base), no_note)).output
    (program.parent / "version").write_text("gat 0.5.8\n")
    assert "reused" not in (await backend_of(program).run(job_of(0, base), no_note)).output


# ---- what goes wrong


async def test_errors_have_their_kinds_and_none_is_tried_again(tmp_path: Path, backend_of: Made) -> None:
    program = stand_in(tmp_path / "bin")
    backend = backend_of(program)
    cut = grid(tmp_path / "cut")
    (cut / "loads.arrow").write_bytes(b"cut")
    bare = grid(tmp_path / "bare")
    (bare / "manifest.json").unlink()
    bad_loads = {"loads": str(CASE14 / "loads" / "bad_unknown_bus.csv")}
    no_branch: dict[str, Json] = {"outages": [{"type": "branch", "id": 99}]}
    island: dict[str, Json] = {"outages": [{"type": "branch", "id": 14}]}
    sound = grid(tmp_path / "sound")
    wanted: list[tuple[Path, dict[str, Json], str | None]] = [
        (sound, {}, None),
        (tmp_path / "nowhere", {}, "missing_file"),
        (bare, {}, "missing_file"),
        (cut, {}, "bad_input"),
        (grid(tmp_path / "violated", "violated"), {}, "infeasible"),
        (grid(tmp_path / "odd", "odd"), {}, "gat"),
        (grid(tmp_path / "untabled", "untabled"), {}, "bad_input"),
        (grid(tmp_path / "disk", "disk"), {}, "again: output"),
        (sound, bad_loads, "bad_input"),
        (sound, no_branch, "bad_input"),
        (sound, island, "islanded"),
    ]
    found = await run_all(backend, [(where, work) for where, work, _ in wanted])
    assert kinds(found) == [kind for _, _, kind in wanted]
    assert len(calls(program)) == 1
    assert "no bus 999" in str(found[8].error)  # type: ignore[union-attr]


async def test_a_hanging_scenario_is_ended_and_the_others_are_done(tmp_path: Path, backend_of: Made) -> None:
    program = stand_in(tmp_path / "bin")
    backend = backend_of(program)
    backend.hands_over(2)
    sound, hanging = grid(tmp_path / "sound"), grid(tmp_path / "hanging", "hang")
    found = await run_all(backend, [(sound, {}), (hanging, {}), (sound, {}), (sound, {})], timeout=5.0)
    assert kinds(found) == [None, "again: timeout", None, None]
    assert "no result within 5 s" in str(found[1])
    assert [call["argv"][1] for call in calls(program)] == ["pf"] * 3


@pytest.mark.parametrize(("quirk", "kind"), [("panic", "gat"), ("crash", "again: worker_died")])
async def test_one_that_takes_the_program_down_fails_alone(
    tmp_path: Path, backend_of: Made, quirk: str, kind: str
) -> None:
    backend = backend_of(stand_in(tmp_path / "bin"))
    sound, bad = grid(tmp_path / "sound"), grid(tmp_path / "bad", quirk)
    found = await run_all(backend, [(sound, {}), (bad, {}), (sound, {})])
    assert kinds(found) == [None, kind, None]
    if quirk == "panic":
        assert "panicked" in str(found[1].error)  # type: ignore[union-attr]


async def test_a_command_that_fails_with_exit_0_has_failed(tmp_path: Path, backend_of: Made) -> None:
    program = stand_in(tmp_path / "bin")
    program.write_text('#!/bin/sh\n[ "$1" = --version ] && echo gat 0.5.7 || echo unknown solver >&2\n')
    backend = backend_of(program)
    (found,) = await run_all(backend, [(grid(tmp_path / "grid"), {})])
    assert isinstance(found, Outcome)
    assert found.error_kind == "gat"
    assert "wrote no batch_manifest.json (exit 0): unknown solver" in (found.error or "")


@pytest.mark.parametrize(
    ("written", "said"),
    [("no json", "cannot be read"), ("{}", "lists no jobs"), ('{"jobs": [], "task": "x"}', "of task x")],
)
async def test_a_manifest_that_is_none_is_named(
    tmp_path: Path, backend_of: Made, written: str, said: str
) -> None:
    program = stand_in(tmp_path / "bin")
    program.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo gat 0.5.7 && exit\n'
        f"mkdir out; cat > out/batch_manifest.json <<'X'\n{written}\nX\n"
    )
    (found,) = await run_all(backend_of(program), [(grid(tmp_path / "grid"), {})])
    assert isinstance(found, Outcome)
    assert said in (found.error or "")


async def test_the_program_ends_with_its_last_job(tmp_path: Path, backend_of: Made) -> None:
    program = stand_in(tmp_path / "bin")
    backend = backend_of(program)
    waiting = grid(tmp_path / "waiting", "wait")
    noted: list[dict[str, Json]] = []
    tasks = [asyncio.create_task(backend.run(job_of(n, waiting), noted.append)) for n in range(2)]
    await until(lambda: len(noted) == 2 and calls(program), "the call")
    tasks[0].cancel()
    await asyncio.wait(tasks[:1])
    pid = calls(program)[0]["pid"]
    assert alive(pid)
    tasks[1].cancel()
    await asyncio.wait(tasks)
    assert all(task.cancelled() for task in tasks)
    assert not alive(pid)
    assert not list((tmp_path / "run").glob("gat-*"))


# ---- before anything runs


async def test_probe_asks_for_the_version(tmp_path: Path, backend_of: Made) -> None:
    program = stand_in(tmp_path / "bin")
    probe = await backend_of(program).probe()
    assert probe.ok
    assert "gat 0.5.7" in probe.message
    assert "licence" in probe.message
    (program.parent / "version").write_text("ripgrep 14\n")
    assert "this is no gat" in (await backend_of(program).probe()).message
    program.chmod(0o600)
    assert "not executable" in (await backend_of(program).probe()).message
    program.unlink()
    assert "there is no program" in (await backend_of(program).probe()).message


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({}, "backends.gat.binary: is missing: name the gat program"),
        ({"binary": "gat"}, "not a full path"),
        ({"binary": "/x/gat", "chunk": 0}, "backends.gat.chunk: expected 1 to 1000"),
        ({"binary": "/x/gat", "threads": "many"}, "backends.gat.threads"),
        ({"binary": "/x/gat", "solver": "dc"}, "backends.gat.solver"),
        ({"binary": "/x/gat", "cost_file": "costs.csv"}, "backends.gat.cost_file"),
    ],
)
def test_settings_that_cannot_be_used_are_named(table: dict[str, Json], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        build("gat", {"kind": "gat", **table}, None)


@pytest.mark.parametrize(
    ("work", "said"),
    [
        ({"task": "n1"}, "gat batch has no n1"),
        ({"task": "acc"}, 'no task "acc"'),
        ({"dc_model": "matpower"}, "dc_model: gat leaves no choice"),
        ({"task": None, "command": ["true"]}, "belongs to a task, and this job is a command"),
    ],
)
def test_work_that_gat_does_not_do_is_refused(tmp_path: Path, work: dict[str, Json], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        job_of(0, tmp_path, **work)


async def test_check_names_what_is_missing(tmp_path: Path, backend_of: Made) -> None:
    program = stand_in(tmp_path / "bin")
    job = job_of(0, tmp_path / "nowhere", task="dcopf")
    assert backend_of(program).check(job) == [
        ("task", "dcopf needs cost_file in [backends.gat] of the config")
    ]
    files = {"cost_file": str(tmp_path / "c.csv"), "limits_file": str(tmp_path / "l.csv")}
    backend = backend_of(program, **files)
    assert "there is no file" in backend.check(job)[0][1]
    for file in files.values():
        Path(file).touch()
    assert backend.check(job) == []
    assert (
        "grid",
        f"will fail: there is no folder {tmp_path / 'nowhere'}; gat takes Arrow grid folders only",
    ) in (backend.notices(job))
    bad = job_of(1, grid(tmp_path / "grid"), loads=str(CASE14 / "loads" / "bad_cell.csv"))
    assert [key for key, _ in backend.notices(bad)] == ["loads"]


async def test_opf_is_given_its_files(tmp_path: Path, backend_of: Made) -> None:
    program = stand_in(tmp_path / "bin")
    files = {"cost_file": str(tmp_path / "c.csv"), "limits_file": str(tmp_path / "l.csv")}
    for file in files.values():
        Path(file).touch()
    backend = backend_of(program, lp_solver="highs", **files)
    outcome = await backend.run(job_of(0, grid(tmp_path / "grid"), task="dcopf"), no_note)
    assert outcome.state == "completed", outcome.error
    assert outcome.output["summary"]["method"] == LINEAR
    argv = calls(program)[0]["argv"]
    assert argv[argv.index("--cost") + 1] == files["cost_file"]
    assert argv[argv.index("--lp-solver") + 1] == "highs"
