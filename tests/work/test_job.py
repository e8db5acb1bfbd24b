"""The `[job]` of commands, calls and tasks: what is taken, and what is refused with words."""

from __future__ import annotations

from pathlib import Path

import pytest

from batchtui.decode import convert
from batchtui.errors import BadInput
from batchtui.model import Json
from batchtui.work.job import ProgramWork, form_of


def work(**fields: Json) -> ProgramWork:
    return convert(fields, ProgramWork, where="batch.toml", prefix="job")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "name one of command, call, task"),
        ({"command": ["a"], "call": "m:f"}, "command and call are given"),
        ({"call": "m:f", "env": {"A": "1"}}, "env: belongs to a command, and this job is a call"),
        ({"command": ["a"], "grid": "g.m"}, "grid: belongs to a task, and this job is a command"),
        ({"task": "ac", "grid": "g.m", "arguments": {"x": 1}}, "arguments: belongs to a call"),
        ({"task": "dcof", "grid": "g.m"}, 'did you mean "dcopf"?'),
        ({"task": "xyzzy", "grid": "g.m"}, "known are dc, ac, dcopf, acopf, n1"),
        ({"task": "ac"}, "grid: missing"),
        ({"task": "ac", "grid": ""}, "grid: missing"),
        ({"task": "dc", "grid": "g.m", "dc_model": "powermodel"}, 'did you mean "powermodels"?'),
        ({"task": "ac", "grid": "g", "outages": [{"type": "branh", "id": 1}]}, 'did you mean "branch"?'),
        ({"task": "ac", "grid": "g", "outages": [{"kind": "branch", "id": 1}]}, "unknown key"),
        ({"call": "module.function"}, 'expected "package.module:function"'),
        ({"call": "module:"}, 'expected "package.module:function"'),
        ({"call": "a b:c"}, 'expected "package.module:function"'),
        ({"call": "m:f", "chunk": 0}, "chunk: expected 1 or more"),
        ({"call": "m:f", "arguments": [1]}, "job.arguments: expected"),
        ({"call": "m:f", "argumnets": {}}, 'did you mean "arguments"?'),
        ({"command": ["a"], "retry_exit_codes": [0]}, "0 is the code of success"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Json], said: str) -> None:
    with pytest.raises(BadInput) as caught:
        work(**fields)
    assert said in str(caught.value)


def test_null_is_not_given() -> None:
    made = work(task="ac", grid="g.m", call=None, command=None, loads=None, outages=None, load_scale=None)
    assert (made.form, made.loads, made.outages) == ("task", None, None)


def test_the_form_of_a_template() -> None:
    assert form_of({"task": "{{ task }}", "call": None}) == "task"
    assert form_of({"call": "m:f"}) == "call"
    assert form_of({"command": ["x"]}) == "command"


def test_paths_start_from_the_first_folder_that_holds_them(tmp_path: Path) -> None:
    for name in ("source", "batch"):
        (tmp_path / name).mkdir()
    (tmp_path / "source" / "g.m").touch()
    (tmp_path / "batch" / "loads.csv").touch()
    made = work(task="ac", grid="g.m", loads="../batch/loads.csv")
    made.rooted([tmp_path / "source", tmp_path / "batch"])
    assert (made.grid, made.loads) == (str(tmp_path / "source/g.m"), str(tmp_path / "batch/loads.csv"))
    gone = work(task="ac", grid="gone.m", loads=" ")
    gone.rooted([tmp_path / "source", tmp_path / "batch"])
    assert (gone.grid, gone.loads) == (str(tmp_path / "batch/gone.m"), None)


def test_a_call_is_looked_for_beside_the_batch_file(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    made = work(call="m:f", python_path=["lib"])
    made.rooted([tmp_path / "rows", tmp_path])
    assert made.python_path == [str(tmp_path / "lib"), str(tmp_path)]


def test_tasks_of_one_grid_outages_and_options_are_one_group() -> None:
    outage = [{"type": "branch", "id": "3"}]
    base = work(task="ac", grid="g.m", outages=outage)
    same = work(task="ac", grid="g.m", outages=outage, loads="other.csv", load_scale=1.1)
    assert base.group == same.group
    for other in ({"task": "dc"}, {"grid": "h.m"}, {"outages": None}, {"slack": 3}):
        fields: dict[str, Json] = {"task": "ac", "grid": "g.m", "outages": outage, **other}
        assert work(**fields).group != base.group


def test_what_a_solver_is_told() -> None:
    made = work(
        task="ac", grid="g.m", outages=[{"type": "branch", "id": "14"}, {"type": "gen", "id": "North"}]
    )
    table = made.table("s1", 2, "/out/job_s1")
    assert table["outages"] == [{"type": "branch", "id": 14}, {"type": "gen", "id": "North"}]
    assert (table["id"], table["attempt"], table["folder"], table["loads"]) == ("s1", 2, "/out/job_s1", None)
    assert work(call="m:f", arguments={"x": 1}).table("s1", 1, None) == {"x": 1}
