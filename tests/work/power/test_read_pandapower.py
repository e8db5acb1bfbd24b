"""pandapower's JSON: converted in a process of its own, once, and exactly."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from batchtui.model import Json
from batchtui.work.power.fault import Fault
from batchtui.work.power.read import read_case
from batchtui.work.power.readers import pandapower as reader
from batchtui.work.power.readers.convert_pandapower import Unusable, tables_only
from batchtui.work.power.tasks import solve_many

REASON = "needs pandapower, which comes with the extra `conformance`"


@pytest.fixture(scope="module")
def nets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Grids that pandapower wrote, with its own solution of each beside them."""
    pytest.importorskip("pandapower", reason=REASON)
    folder = tmp_path_factory.mktemp("nets")
    code = Path(__file__).with_name("write_pandapower.py")
    done = subprocess.run(
        [sys.executable, str(code), str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return {path.stem: path for path in folder.glob("*.json")}


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One folder for all tests here: a conversion takes seconds."""
    folder = tmp_path_factory.getbasetemp() / "converted"
    monkeypatch.setattr(reader, "cache_folder", lambda: folder)
    return folder


@pytest.mark.parametrize("name", ["case14", "multivoltage"])
def test_its_power_flow_is_pandapowers(nets: dict[str, Path], name: str, cache: Path) -> None:
    (found,) = solve_many([{"task": "ac", "grid": str(nets[name])}])
    assert isinstance(found, dict), found
    wanted = json.loads(nets[name].with_suffix(".solved").read_text())
    assert found["summary"]["slack_mw"] == pytest.approx(wanted["slack_mw"], abs=1e-6)
    vm = dict(zip(found["tables"]["bus"]["bus_id"], found["tables"]["bus"]["vm_pu"], strict=True))
    for bus, value in wanted["vm_pu"].items():
        if int(bus) + 1 in vm:
            assert vm[int(bus) + 1] == pytest.approx(value, abs=1e-7)
    assert "indices plus 1" in found["summary"]["notes"][0]
    assert list(cache.glob("*.json"))


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


def test_what_cannot_be_converted_says_why(nets: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(Fault, match="has a svc") as fault:
        read_case(nets["svc"])
    assert fault.value.kind == "bad_input"
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps({"_module": "pandapower.auxiliary", "_class": "pandapowerNet", "_object": {}}))
    with pytest.raises(Fault, match="is a pandapower grid without buses"):
        read_case(bad)


def test_objects_in_a_file_are_never_made() -> None:
    held = {"controller": {"_module": "os", "_class": "system", "_object": "{}"}, "f_hz": 50}
    bus = {"_module": "pandas.core.frame", "_class": "DataFrame", "_object": "{}"}
    shell = {"_module": "pandapower.auxiliary", "_class": "pandapowerNet"}
    kept = json.loads(tables_only(json.dumps({**shell, "_object": {**held, "bus": bus}}).encode()))
    assert kept == {**shell, "_object": {"f_hz": 50, "bus": bus}}
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
