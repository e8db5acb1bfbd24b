"""pandapower's JSON: converted in a process of its own, once, and exactly."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from batchtui.domains.power.fault import Fault
from batchtui.domains.power.grids.read import read_case
from batchtui.domains.power.readers import pandapower as reader
from batchtui.domains.power.readers.convert_pandapower import Unusable, tables_only
from batchtui.domains.power.tasks import solve_many
from batchtui.model import Json
from tests import extras
from tests.benchmarks import pandapower_grids

NETS = (
    *("case14", "example_multivoltage", "zip_mixed", "zip_switches", "joined_generators", "out_of_service"),
    "joined_references",
    *("xward", "impedance_unlike", "impedance_shunts", "dcline", "trafo3w", "switch_impedance", "svc"),
    *("options_pi_model", "options_q_limits", "asymmetric_load"),
)
TOLD = ("joined_references", "zip_mixed", "zip_switches", "asymmetric_load", "options_pi_model")
"""Where pandapower's own tables are not what its power flow is, or its linear one is another: a note says so."""
REFUSED = {"svc": "has a svc, which", "options_q_limits": "keep their reactive limits"}


@pytest.fixture(scope="module")
def nets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Grids that pandapower wrote, with its own solution of each beside them."""
    extras.require("pandapower")
    extras.require("power")
    folder = tmp_path_factory.mktemp("nets")
    code = Path(__file__).with_name("write_pandapower.py")
    done = subprocess.run(
        [sys.executable, str(code), str(folder), *NETS], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return {path.stem: path for path in folder.glob("*.json")}


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One folder for all tests here: a conversion takes seconds."""
    folder = tmp_path_factory.getbasetemp() / "converted"
    monkeypatch.setattr(reader, "cache_folder", lambda: folder)
    return folder


@pytest.fixture
def converted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Conversions by the process that wrote the nets, in place of one each."""

    def prepared(path: str | Path, kept: Path) -> dict[str, Json]:
        found: dict[str, Json] = json.loads(Path(path).with_suffix(".converted").read_text())
        return found

    monkeypatch.setattr(reader, "_converted", prepared)


@pytest.mark.usefixtures("converted")
@pytest.mark.parametrize("name", [name for name in NETS if name not in REFUSED])
def test_its_power_flow_is_pandapowers(nets: dict[str, Path], name: str) -> None:
    reference = json.loads(nets[name].with_suffix(".solved").read_text())
    for task in ("ac", "dc"):
        (found,) = solve_many([{"task": task, "grid": str(nets[name])}])
        outcome, words = pandapower_grids.judged(found, reference[task], task)
        assert outcome in ("equal", "told" if name in TOLD else "equal"), words


@pytest.mark.usefixtures("converted")
@pytest.mark.parametrize("name", list(REFUSED))
def test_what_cannot_be_solved_is_refused(nets: dict[str, Path], name: str) -> None:
    with pytest.raises(Fault, match=REFUSED[name]) as fault:
        read_case(nets[name])
    assert fault.value.kind == "bad_input"


@pytest.mark.usefixtures("converted")
def test_joined_buses_are_named_and_can_be_loaded(nets: dict[str, Path], tmp_path: Path) -> None:
    loads = tmp_path / "loads.csv"
    loads.write_text("bus_id,p_mw,q_mvar\n7,2.0,0.4\n")
    job = {"task": "ac", "grid": str(nets["joined_generators"])}
    before, after = solve_many([job, {**job, "loads": str(loads)}])
    assert isinstance(before, dict), before
    assert isinstance(after, dict), after
    assert "7 with" in " ".join(before["summary"]["notes"]) or "with 7" in " ".join(
        before["summary"]["notes"]
    )
    assert after["summary"]["load_mw"] == pytest.approx(before["summary"]["load_mw"] + 2 - (1.0 - 0.5))
    loads.write_text("bus_id,p_mw,q_mvar\n99,2.0,0.4\n")
    (refused,) = solve_many([{**job, "loads": str(loads)}])
    assert "there is no bus 99" in str(refused)


def test_costs_come_along(nets: dict[str, Path]) -> None:
    (found,) = solve_many([{"task": "dcopf", "grid": str(nets["case14"])}])
    assert isinstance(found, dict), found
    assert found["summary"]["objective"] == pytest.approx(7642.594, rel=1e-4)


def test_a_grid_is_converted_once(
    nets: dict[str, Path], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = reader.read_pandapower(nets["case14"])

    def refuse(*_: object) -> dict[str, Json]:
        raise AssertionError("converted again")

    monkeypatch.setattr(reader, "_converted", refuse)
    again = reader.read_pandapower(nets["case14"])
    assert again.bus == first.bus
    for file in cache.glob("*.json"):
        file.write_text("cut")
    with pytest.raises(AssertionError, match="converted again"):
        reader.read_pandapower(nets["case14"])


def test_what_is_no_net_says_so(nets: dict[str, Path], tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps({"_module": "pandapower.auxiliary", "_class": "pandapowerNet", "_object": {}}))
    with pytest.raises(Fault, match="is a pandapower grid without buses"):
        read_case(bad)


def test_objects_in_a_file_are_never_made() -> None:
    options = {"init": "flat", "recycle": {"_module": "os", "_class": "system", "_object": "{}"}}
    held = {"controller": options["recycle"], "f_hz": 50}
    bus = {"_module": "pandas.core.frame", "_class": "DataFrame", "_object": "{}"}
    shell = {"_module": "pandapower.auxiliary", "_class": "pandapowerNet"}
    given = {**shell, "_object": {**held, "bus": bus, "user_pf_options": options}}
    kept = json.loads(tables_only(json.dumps(given).encode()))
    assert kept == {**shell, "_object": {"f_hz": 50, "bus": bus, "user_pf_options": {"init": "flat"}}}
    table = {"_module": "pandas.core.frame", "_class": "DataFrame", "_object": '{"_module": "os"}'}
    with pytest.raises(Unusable, match="the table load holds objects"):
        tables_only(json.dumps({**shell, "_object": {"load": table}}).encode())
    with pytest.raises(Unusable, match="is no pandapower grid"):
        tables_only(b'{"_class": "x"}')


def test_without_pandapower_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "find_spec", lambda _: None)
    path = tmp_path / "net.json"
    path.write_text("{}")
    with pytest.raises(Fault, match=r"pip install 'batchtui\[pandapower\]'") as fault:
        reader.read_pandapower(path)
    assert fault.value.kind == "missing_extra"
