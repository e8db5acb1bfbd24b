"""Types that several threads meet at the same moment: each is learnt once, and no process dies of it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TOGETHER = """
import sys, threading
import msgspec
from batchtui import typed
sys.setswitchinterval(1e-6)
N = 40
for round_ in range(60):
    names = {"msgspec": msgspec, "int": int}
    fields = "".join(f"    f{n}: 'dict[str, list[int]] | None' = None\\n" for n in range(N))
    exec(f"class Inner(msgspec.Struct):\\n{fields}\\nclass Outer(msgspec.Struct):\\n    inner: Inner\\n", names)
    start = threading.Barrier(4)
    def use(number):
        start.wait()
        if number % 2:
            assert typed.convert({"inner": {"f3": {"a": [1]}}}, names["Outer"]).inner.f3 == {"a": [1]}
        else:
            assert typed.decode(b'{"f3": {"a": [1]}}', names["Inner"]).f3 == {"a": [1]}
    threads = [threading.Thread(target=use, args=(number,)) for number in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
print("well")
"""


def test_threads_that_meet_a_type_together_live_on() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TOGETHER], capture_output=True, text=True, cwd=ROOT, timeout=200, check=False
    )
    assert (done.returncode, done.stdout) == (0, "well\n"), done.stderr


def test_every_type_is_met_by_way_of_it() -> None:
    for path in (ROOT / "batchtui").rglob("*.py"):
        if "msgspec" not in (text := path.read_text()) or path.name == "typed.py":
            continue
        for call in (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)):
            named = ast.unparse(call.func)
            assert named not in ("msgspec.convert", "msgspec.json.Decoder"), f"{path}:{call.lineno}"
            assert named != "msgspec.json.decode" or not call.keywords, f"{path}:{call.lineno}"
