"""The request files of `tests/data/requests`, rendered as their backends would send them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from batchtui.backends.prompts.kind import Prompts
from batchtui.batchfile import load
from batchtui.config import load_config
from batchtui.engine.plan.compose.attaching import read
from batchtui.engine.plan.compose.composition import Composition
from batchtui.engine.shared.pool import Backends
from batchtui.model import Json

FOLDER = Path(__file__).parents[1] / "data/requests/b"
FILES = sorted(path.name for path in FOLDER.glob("*.toml"))
_CONFIG = """
[backends.chat]
kind = "chat"
base_url = "https://api.openai.com/v1"
[backends.anthropic-chat]
kind = "chat"
api = "anthropic"
"""
_KEYS = {f"{name}_API_KEY": "none" for name in ("OPENAI", "ANTHROPIC", "GEMINI", "MISTRAL", "TOGETHER")}


@dataclass
class Rendered:
    """What one file comes to: a body for each row, or why it is refused."""

    backend: str
    endpoint: str
    bodies: list[dict[str, Json]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def rendered(name: str, folder: Path) -> Rendered:
    """`folder` is for the config."""
    config = folder / "config.toml"
    config.write_text(_CONFIG, encoding="utf-8")
    backends = Backends(load_config(config, env=_KEYS), env=_KEYS)
    spec = load(FOLDER / name)
    work = Composition(spec, FOLDER, backends, None, name)
    made = Rendered(str(spec.backend), str(spec.job.get("endpoint") or "/v1/chat/completions"))
    made.refused += [str(problem) for problem in work.problems if problem.fatal]
    for number, row in enumerate(work.rows() if work.ready else ()):
        backend, job = work.job(row, {}, work.job_id(row), number)
        assert isinstance(backend, Prompts)
        faults = work.faults(backend, job)
        made.refused += [f"{key}: {words}" for key, words in faults]
        if not faults:
            job.files = read(job.work, FOLDER)
            made.bodies.append(backend.body(job))
    work.files.close()
    return made


def leaves(value: object) -> Iterator[object]:
    """Walks a validated value to its ends: what is lazy in it is checked on the way."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
        yield value
    else:
        for inner in value:
            yield from leaves(inner)
