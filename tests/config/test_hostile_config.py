"""Every bad config gives its message, hides its secret, and leaves the good backends usable."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from batchtui.config import data_dir, load_config, resolve_key
from batchtui.errors import ConfigError
from batchtui.text import clean

FOLDER = Path(__file__).parent.parent / "data" / "hostile" / "bad-config"
CASES = json.loads((FOLDER / "index.json").read_text())
ENV = {"BATCHTUI_TEST_KEY": "abc\nX-Evil: 1"}
ELSEWHERE = {"data-dir-escape.toml", "data-dir-file.toml", "key-newline.toml"}
SECRETS = ("sk-test-00000000000000000000", "u:p", "X-Evil: 1")


def test_every_file_has_a_case() -> None:
    assert {path.name for path in FOLDER.glob("*.toml")} == {case["file"] for case in CASES}
    assert len(CASES) == 45


@pytest.mark.parametrize("case", [c for c in CASES if c["file"] not in ELSEWHERE], ids=lambda c: c["file"])
def test_case(case: dict[str, Any]) -> None:
    before = (FOLDER / case["file"]).read_bytes()
    config = load_config(FOLDER / case["file"], env=ENV)
    fatal = [str(problem) for problem in config.problems if problem.fatal]
    warnings = [str(problem) for problem in config.warnings]
    shown = {"accept": [], "accept with warning": warnings, "reject": fatal}[case["outcome"]]
    assert bool(fatal) == (case["outcome"] == "reject"), fatal
    assert bool(warnings) == (case["outcome"] == "accept with warning") or fatal, warnings
    for words in case["message_mentions"]:
        assert any(words in message for message in shown), (words, shown)
    for message in fatal + warnings:
        assert case["file"] in message
        assert not any(secret in message for secret in SECRETS)
        assert clean(message) == message
        assert "\n" not in message
    if fatal:
        with pytest.raises(ConfigError, match=r"."):
            load_config(FOLDER / case["file"], env=ENV, strict=True)
    else:
        load_config(FOLDER / case["file"], env=ENV, strict=True)
    assert (FOLDER / case["file"]).read_bytes() == before


@pytest.mark.parametrize("name", ["data-dir-escape.toml", "data-dir-file.toml"])
def test_data_dir(name: str) -> None:
    (case,) = [case for case in CASES if case["file"] == name]
    value = tomllib.loads((FOLDER / name).read_text())["data_dir"]
    with pytest.raises(ConfigError, match="BATCHTUI_DATA_DIR") as caught:
        data_dir(env={"BATCHTUI_DATA_DIR": value})
    assert all(words in str(caught.value) for words in case["message_mentions"])


def test_a_key_with_a_newline_never_becomes_a_header() -> None:
    config = load_config(FOLDER / "key-newline.toml", env=ENV)
    with pytest.raises(ConfigError, match="control character") as caught:
        resolve_key(config.backend("a"), ENV)
    assert "X-Evil" not in str(caught.value)
    assert "abc" not in str(caught.value)


_BACKEND_CASES = [
    case["file"]
    for case in CASES
    if case["outcome"] == "reject"
    and case["file"] not in ELSEWHERE
    and (FOLDER / case["file"]).read_bytes().startswith(b"[backends.")
    and case["error_class"] not in ("config syntax", "config encoding")
]


@pytest.mark.parametrize("name", _BACKEND_CASES)
def test_a_broken_backend_leaves_the_good_ones(name: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes((FOLDER / name).read_bytes() + b"\n[backends.good]\nkind = 'local'\n")
    config = load_config(path, env={})
    assert config.backend("good").kind == "local"
    (broken,) = config.broken
    with pytest.raises(ConfigError):
        config.backend(broken)
    assert broken not in config.backends
