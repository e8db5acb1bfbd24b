"""Chat jobs end to end, results on disk, beside scripts that a user would write: CPU of the whole process.

Run: python -m tests.benchmarks.chat [jobs] [peer …]. Peers are `openai`, `aiohttp` (scripts) and `flexllm` (its command); they
live in an environment that is made for them here, so it needs the package index. All run in turn against one lean server.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.fanout import serve
from tests.benchmarks.report import line

WORDS = "Summarise this text in one line. " * 9
GOALS = {"flexllm": 0.6, "openai": 0.3, "aiohttp": 3.0}
OPENAI = f"""
import asyncio, json, sys
from openai import AsyncOpenAI
source, out, url = sys.argv[1:]
async def main():
    client, rows, file = AsyncOpenAI(base_url=url, api_key="x"), map(json.loads, open(source)), open(out, "w")
    async def lane():
        for row in rows:
            message = {{"role": "user", "content": {WORDS!r} + row["q"]}}
            answer = await client.chat.completions.create(model="demo", messages=[message], max_tokens=100)
            file.write(json.dumps({{"id": row["id"], "answer": answer.choices[0].message.content}}) + "\\n")
    await asyncio.gather(*(lane() for _ in range(64)))
asyncio.run(main())
"""
AIOHTTP = f"""
import asyncio, json, sys, aiohttp
source, out, url = sys.argv[1:]
async def main():
    rows, file = map(json.loads, open(source)), open(out, "w")
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64)) as client:
        async def lane():
            for row in rows:
                message = {{"role": "user", "content": {WORDS!r} + row["q"]}}
                body = {{"model": "demo", "messages": [message], "max_tokens": 100}}
                async with client.post(url + "/chat/completions", json=body) as answer:
                    text = (await answer.json())["choices"][0]["message"]["content"]
                file.write(json.dumps({{"id": row["id"], "answer": text}}) + "\\n")
        await asyncio.gather(*(lane() for _ in range(64)))
asyncio.run(main())
"""
SCRIPTS = {"openai": OPENAI, "aiohttp": AIOHTTP}


def ours(folder: Path, url: str) -> list[str]:
    (folder / "config.toml").write_text(f'[backends.lean]\nkind = "chat"\nbase_url = "{url}"\n')
    (folder / "batch.toml").write_text(
        f'name = "chat"\nbackend = "lean"\n[source]\nfile = "{folder}/rows.jsonl"\nid = "{{{{ id }}}}"\n'
        f'[job]\nmodel = "demo"\nmax_tokens = 100\nprompt = "{WORDS}{{{{ q }}}}"\n[limits]\nconcurrency = 64\n'
    )
    run = [sys.executable, "-m", "batchtui", "run", str(folder / "batch.toml")]
    return [*run, "--yes", "-q", "--out", str(folder / "ours.jsonl")]


def theirs(name: str, python: Path, folder: Path, url: str) -> list[str]:
    if name == "flexllm":
        rows = (json.loads(text) for text in (folder / "rows.jsonl").open())
        (folder / "flex.jsonl").write_text(
            "".join(json.dumps({"id": row["id"], "q": WORDS + row["q"]}) + "\n" for row in rows)
        )
        where = ["--base-url", url, "--api-key", "x", "-m", "demo", "-c", "64", "--max-tokens", "100"]
        files = [str(folder / "flex.jsonl"), "-o", str(folder / "flex.out.jsonl")]
        return [str(python.with_name("flexllm")), "batch", *files, *where]
    script = folder / f"{name}_script.py"
    script.write_text(SCRIPTS[name])
    return [str(python), str(script), str(folder / "rows.jsonl"), str(folder / f"{name}.jsonl"), url]


def cost(command: list[str], env: dict[str, str]) -> float:
    """CPU seconds of a program, start and all."""
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, command
    return usage.ru_utime + usage.ru_stime


def main() -> int:
    words = sys.argv[1:]
    jobs = int(words.pop(0)) if words and words[0].isdigit() else 20_000
    peers = words or list(GOALS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rows.jsonl").write_text(
            "".join(json.dumps({"id": f"j{n}", "q": f"say {n}"}) + "\n" for n in range(jobs))
        )
        here, there = multiprocessing.Pipe()
        server = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
        server.start()
        url = f"http://127.0.0.1:{here.recv()}/v1"
        env = os.environ | {
            "BATCHTUI_DATA_DIR": str(folder / "data"),
            "BATCHTUI_CONFIG": str(folder / "config.toml"),
        }
        spent = cost(ours(folder, url), env)
        print(f"chat-{jobs} {1000 * spent / jobs:.3f} ms/job 1.000 - OURS", flush=True)
        python = folder / "peers" / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", str(folder / "peers")], check=True)
        passed = True
        for peer in peers:
            wanted = ["openai", "aiohttp"] if peer == "openai" else [peer]
            brought = subprocess.run(
                [str(python), "-m", "pip", "install", "-q", *wanted], capture_output=True
            )
            if brought.returncode:
                print(f"chat-{jobs}-{peer} SKIP it cannot be installed here", flush=True)
                continue
            other = cost(theirs(peer, python, folder, url), env)
            passed &= line(f"chat-{jobs}-{peer}", 1000 * other / jobs, "ms/job", spent / other, GOALS[peer])
        server.terminate()
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
