"""What is sent for a job: inputs built over files, and the faults that are found before they cost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from batchtui.backends.attachments.files import look
from batchtui.backends.base import Job
from batchtui.domains.energy.input import DalyWork, InputFault, faults_of, input_of, label_of
from batchtui.engine.plan.compose.rendering import BadField, with_sweep
from tests.daly_help import block, energy_model


def job(path: Path | None = None, **work: Any) -> Job[DalyWork]:
    made = Job(0, "r0", 1, "t", DalyWork(**work))
    if path:
        made.work.input_file = path.name
        made.files = (look(path),)
    return made


@pytest.fixture
def base(tmp_path: Path) -> Path:
    path = tmp_path / "base.json"
    path.write_text(json.dumps(energy_model(blocks=[block(), block()], plant={"poiLimitMW": 5, "a": 1})))
    return path


def test_the_minimal_input_is_sound() -> None:
    assert faults_of(job(input=energy_model())) == []


@pytest.mark.parametrize(
    ("changes", "key", "said"),
    [
        ({"projectId": 3}, "input", "got projectId and locationId"),
        ({"locationId": None}, "input", "got none"),
        ({"blocks": []}, "input.blocks", "at least one block"),
        ({"blocks": [block(), block(albedo=None)]}, "input.blocks[1].albedo", "is missing"),
        ({"blocks": [block(array=None)]}, "input.blocks[0]", "array or dcInputs"),
        ({"blocks": [block(layout=None)]}, "input.blocks[0]", "layout or layoutRef"),
        ({"blocks": ["x"]}, "input.blocks[0]", "expected a table"),
    ],
)
def test_what_the_server_would_refuse_is_told_before(changes: dict[str, Any], key: str, said: str) -> None:
    ((found, message),) = faults_of(job(input=energy_model(**changes)))
    assert found == key
    assert said in message


def test_no_input_and_bad_files_are_told(tmp_path: Path) -> None:
    assert faults_of(job())[0][0] == "input"
    assert "duration" in faults_of(job(input=energy_model(), timeout="soon"))[0][1]
    torn = tmp_path / "torn.json"
    torn.write_text('{"a": ')
    assert "torn.json" in faults_of(job(torn))[0][1]


def test_changes_are_laid_over_the_file(base: Path) -> None:
    changes: dict[str, Any] = {
        "locationId": "17",
        "plant": {"poiLimitMW": "7.5"},
        "blocks.*.layout.gcr": "0.35",
        "blocks.1.layout": {"arrayType": "tracker", "maxAngle": 60},
        "blocks": {"0": {"losses": {"mismatch": 0.03}}},
    }
    made = input_of(job(base, input=changes))
    assert made["locationId"] == 17
    assert made["plant"] == {"poiLimitMW": 7.5, "a": 1}
    assert made["blocks"][0]["layout"]["gcr"] == 0.35
    assert made["blocks"][0]["losses"]["mismatch"] == 0.03
    assert made["blocks"][0]["losses"]["uC"] == 25
    assert made["blocks"][1]["layout"] == {"arrayType": "tracker", "maxAngle": 60}
    assert json.loads(base.read_text())["blocks"][1]["layout"]["arrayType"] == "fixed"
    assert input_of(job(base)) == json.loads(base.read_text())


@pytest.mark.parametrize("key", ["blocks.2.layout", "blocks.x.layout", "locationId.deep"])
def test_a_change_that_leads_nowhere_is_a_fault(base: Path, key: str) -> None:
    with pytest.raises(InputFault):
        input_of(job(base, input={key: 1}))


def test_a_sweep_reaches_into_blocks() -> None:
    inline = {"input": energy_model()}
    swept = with_sweep(inline, {"input.blocks.0.layout.gcr": 0.5})
    assert swept["input"]["blocks"][0]["layout"]["gcr"] == 0.5
    assert inline["input"]["blocks"][0]["layout"]["gcr"] == 0.4
    assert with_sweep({"input_file": "a.json"}, {"input.blocks.0.layout": {"tilt": 1}}) == {
        "input_file": "a.json",
        "input": {"blocks.0.layout": {"tilt": 1}},
    }
    with pytest.raises(BadField):
        with_sweep(inline, {"input.blocks.3.layout.gcr": 0.5})


def test_a_label_is_the_name_or_the_inputs_own_or_the_id() -> None:
    assert label_of(job(input=energy_model(), name="North")) == "North"
    assert label_of(job(input=energy_model(name="South"))) == "South"
    assert label_of(job(input=energy_model())) == "r0"
