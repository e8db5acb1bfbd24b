"""What spoils a whole source is told with its place, and the place once: for a bare source and in a batch file."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from batchtui.text import cell
from tests.hostile.command_line import ASKED, set_up
from tests.hostile.place import Place

FILES = {
    "none.jsonl": None,
    "broken.jsonl.gz": gzip.compress(b'{"t": "x"}\n' * 1000)[:-20],
    "cut.gz": b"\x1f\x8b\x08 and no more",
    "grown.jsonl.gz": gzip.compress(b"0" * 70_000_000, 9),
    "twice.csv": b"t,t\n1,2\n",
    "bars.csv": b"t|u\n1|2\n",
    "wide.csv": '"t"\n"x"\n'.encode("utf-16"),
    "rows.xlsm": b"PK\x03\x04 and no more",
    "rows.pdf": b"%PDF",
    "packed.csv": b"PK\x03\x04",
    "list.yaml": b"- a\n",
    "holds\x1bone.csv": b"t,t\n",
}


@pytest.mark.parametrize("in_batch_file", [False, True], ids=["bare", "batch file"])
@pytest.mark.parametrize("name", list(FILES), ids=lambda name: name.replace("\x1b", "ESC"))
def test_a_file_is_named_once(tmp_path: Path, name: str, in_batch_file: bool) -> None:
    place = Place.at(tmp_path)
    set_up(place)
    if (held := FILES[name]) is not None:
        (place.root / name).write_bytes(held)
    given = [name, *ASKED, "job.prompt={{ t }}"]
    if in_batch_file:
        source = f"[source]\nfile = {json.dumps(name)}\n"
        (place.root / "batch.toml").write_text(
            f'backend = "openai"\n{source}[job]\nmodel = "m"\nprompt = "hi"\n'
        )
        given = ["batch.toml"]
    ran = place("check", *given)
    assert ran.code == 2, ran
    if not in_batch_file and held is None:  # refused before anything is looked at
        assert ran.err.replace(str(place.root / name), "").count(name) == 1, ran.err
        return
    [line] = [line for line in ran.err.splitlines() if line.startswith("problem: ")]
    told = cell(name)
    assert line.replace(str(place.root / told), "").count(told) == 1, line
    [problem] = [one for one in place("check", "--json", *given).documents[0]["problems"] if one["fatal"]]
    assert problem["file"] == told
    assert told not in problem["message"].replace(str(place.root / told), "")


@pytest.mark.parametrize(
    ("setting", "key"),
    [("limit = 0", "source.limit"), ('encoding = "utf-9"', "source.encoding"), ('where = "a or b"', "source.where")],
)  # fmt: skip
def test_a_key_is_told_apart_from_the_words(tmp_path: Path, setting: str, key: str) -> None:
    place = Place.at(tmp_path)
    set_up(place)
    (place.root / "rows.csv").write_text("t\nx\n")
    (place.root / "batch.toml").write_text(
        f'backend = "openai"\n[source]\nfile = "rows.csv"\n{setting}\n[job]\nmodel = "m"\nprompt = "hi"\n'
    )
    [problem] = [
        one for one in place("check", "--json", "batch.toml").documents[0]["problems"] if one["fatal"]
    ]
    assert (problem["file"], problem["key"]) == ("batch.toml", key)
    assert key not in problem["message"]
