"""Promises proved with their whole figures. Run: nice python -m tests.promises [P5 damages …], without a name all of them.

What begins with a dash goes to pytest.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.promises.whole import VARIABLE

HERE = Path(__file__).parent


def name_of(path: Path) -> str:
    """`P5` of test_p05_two_sessions.py, `damages` of test_damages.py."""
    numbered = re.match(r"test_p(\d\d)_", path.name)
    return f"P{int(numbered[1])}" if numbered else path.stem.removeprefix("test_")


def main(arguments: Sequence[str]) -> int:
    files = {name_of(path): path for path in sorted(HERE.glob("test_*.py"))}
    options = [one for one in arguments if one.startswith("-")]
    wanted = [one for one in arguments if one not in options] or list(files)
    if unknown := [name for name in wanted if name not in files]:
        print(f"no such promises: {', '.join(unknown)}; there are {', '.join(files)}", file=sys.stderr)
        return 2
    command = [sys.executable, "-m", "pytest", "-n", "0", "-v", "--timeout", "0", "--durations", "5"]
    paths = [str(files[name]) for name in wanted]
    return subprocess.call([*command, *paths, *options], env=os.environ | {VARIABLE: "1"})


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
