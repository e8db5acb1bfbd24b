"""Whether rows say what runs, or are only what a program is given.

When in doubt they do: then a person is asked again where rows name something else.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from batchtui.engine.plan.compose.rendering import has_template
from batchtui.model import Json

_INTERPRETERS = re.compile(
    r"(?:ba|z|da|k|c|tc|a|mk)?sh|fish|busybox|pwsh|python[\d.]*|pypy[\d.]*|perl|ruby|node|deno|php|lua|R|Rscript|julia"
    r"|tclsh|osascript|env|nice|ionice|nohup|timeout|stdbuf|setsid|time|eval|exec"
)
"""What runs the first thing that it is given."""
_CARRIERS = re.compile(
    r"xargs|parallel|sudo|doas|su|chroot|unshare|ssh|srun|sbatch|salloc|mpirun|mpiexec|uv|uvx|npx|pipx|conda|docker"
    r"|podman|apptainer|singularity|make|find|awk|gawk|sed|vim|git|tar|watch|script|expect|systemd-run|at|crontab"
)
"""What may run any part of what it is given."""
_PASSED_OVER = re.compile(r"-.*|[^\W\d]\w*=.*|[\d.]+[smhd]?", re.DOTALL)
_CODE_FOLLOWS = re.compile(r"-\w*[cem]|--eval|--command")
_ALONE = re.compile(r"-[uBEsxvilq]+|--\w[\w-]*|.*=.*", re.DOTALL)
"""Options that take no part of their own."""
_STEERS = re.compile(r"PATH|LD_.*|DYLD_.*|BASH_ENV|ENV|PYTHON.*|PERL5.*|RUBY.*|NODE_.*|GIT_.*|.*SHELL.*")
"""Variables that say which program a name means, or what a program loads."""
_RUNNING_MODULES = re.compile(
    r"os|posix|subprocess|builtins|runpy|importlib|pty|code|codeop|ctypes|pickle|shelve|marshal|multiprocessing|asyncio"
    r"|timeit|trace|pdb|bdb|profile|cProfile|webbrowser"
)
"""Modules whose functions run what they are given."""


def rows_choose(fields: Mapping[str, Json]) -> bool:
    """Whether what runs depends on the row: `fields` are keys of a `[job]` as written, `command` or `call` and its like."""
    if "command" in fields:
        return any(map(has_template, _saying(fields)))
    call = fields.get("call")
    given = [call, fields.get("python_path")]
    if isinstance(call, str) and _RUNNING_MODULES.fullmatch(re.split(r"[.:]", call)[0]):
        given.append(fields.get("arguments"))
    return any(map(has_template, given))


def _saying(fields: Mapping[str, Json]) -> Iterator[Json]:
    """All that says what a command runs."""
    command, env = fields["command"], fields.get("env") or {}
    if not isinstance(command, list) or not isinstance(env, dict):
        yield from (command, env)
        return
    yield from (value for name, value in env.items() if _STEERS.fullmatch(name) or has_template(name))
    parts = [str(part) for part in command]
    names = [os.path.basename(part) for part in parts]
    before = ""
    for place, (part, name) in enumerate(zip(parts, names, strict=True)):
        yield part
        if _CARRIERS.fullmatch(name):
            yield from parts
            yield fields.get("stdin")
            return
        passes = _INTERPRETERS.fullmatch(name) or (place and _PASSED_OVER.fullmatch(part))
        of_option = (
            before.startswith("-") and not _CODE_FOLLOWS.fullmatch(before) and not _ALONE.fullmatch(before)
        )
        if not passes and not of_option:
            if not {"-", "-s"} & set(parts[:place]):
                return
            break
        before = part
    yield fields.get("stdin")  # what is told no program reads it
