"""What a real process did to its disk and over its sockets, in order: read from what strace saw."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

CALLS = (
    "openat,open,creat,write,writev,pwrite64,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,"
    "mkdir,mkdirat,rmdir,link,linkat,symlink,symlinkat,ftruncate,truncate,sendto"
)
_LINE = re.compile(r"(\d+) +(?:<\.\.\. (\w+) resumed>(.*)|(\w+)\((.*))$")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_DECORATED = re.compile(r"(AT_FDCWD|\d+)<((?:\\x[0-9a-f]{2})*)>")
_RESULT = re.compile(r"\) += (-?\d+)(?:<((?:\\x[0-9a-f]{2})*)>)?[^)]*$")
Kind = Literal["make", "write", "cut", "sync_begins", "sync", "move", "remove", "folder", "send", "other"]


@dataclass(frozen=True, slots=True)
class Step:
    """`path` is where the file stood at that moment; `other` where it is moved to."""

    kind: Kind
    path: str
    other: str = ""
    data: bytes = b""
    size: int = 0


def traced(log: Path, command: list[str]) -> list[str]:
    """The command, under strace, which writes this log."""
    how = ["strace", "-f", "--seccomp-bpf", "-y", "-xx", "-s", "1000000", "-e", f"trace={CALLS}"]
    return [*how, "-e", "signal=none", "-o", str(log), *command]


def read(log: Path, below: Path) -> list[Step]:
    """The steps at files below this folder, and what was sent over sockets."""
    return [step for step in _steps(log) if step.kind == "send" or f"{step.path}/".startswith(f"{below}/")]


def _steps(log: Path) -> Iterator[Step]:
    begun: dict[str, str] = {}
    for line in log.read_text("ascii").splitlines():
        found = _LINE.match(line)
        if not found:
            continue
        thread, resumed, rest, name, text = found.groups()
        if resumed:
            name, text = resumed, begun.pop(thread, "") + rest
        elif text.endswith("<unfinished ...>"):
            begun[thread] = text.removesuffix(" <unfinished ...>")
            if name in ("fsync", "fdatasync"):
                yield Step("sync_begins", _place(text))
            continue
        elif name in ("fsync", "fdatasync"):
            yield Step("sync_begins", _place(text))
        result = _RESULT.search(text)
        if result and int(result[1]) >= 0:
            yield from _step(name, text, int(result[1]))


def _step(name: str, text: str, result: int) -> Iterator[Step]:
    strings = [_bytes(found) for found in _STRING.findall(text)]
    match name:
        case "openat" | "open" | "creat":
            if "O_CREAT" in text or name == "creat":
                path = _from(text, strings)[0]
                yield Step("make", path)
                if "O_TRUNC" in text or name == "creat":
                    yield Step("cut", path, size=0)
        case "write" | "sendto":
            yield _written(_place(text), strings[0][:result], is_socket=name == "sendto")
        case "fsync" | "fdatasync":
            yield Step("sync", _place(text))
        case "ftruncate":
            yield Step("cut", _place(text), size=int(text.split(", ")[1].split(")")[0]))
        case "truncate":
            yield Step("cut", _absolute(strings[0]), size=int(text.split(", ")[1].split(")")[0]))
        case "rename" | "renameat" | "renameat2":
            old, new = _from(text, strings)
            yield Step("move", old, new)
        case "unlink" | "unlinkat" | "rmdir":
            yield Step("remove", _from(text, strings)[0])
        case "mkdir" | "mkdirat":
            yield Step("folder", _from(text, strings)[0])
        case _:
            yield Step("other", _from(text, strings)[-1] if strings else _place(text), name)


def _written(place: str, data: bytes, *, is_socket: bool) -> Step:
    if is_socket or place.startswith(("socket:", "TCP:")):
        return Step("send", place, data=data)
    return Step("write", place, data=data)


def _bytes(hexed: str) -> bytes:
    return bytes.fromhex(hexed.replace("\\x", ""))


def _place(text: str) -> str:
    """Of the descriptor that is the first argument."""
    found = _DECORATED.match(text)
    return os.fsdecode(_bytes(found[2])).removesuffix(" (deleted)") if found else ""


def _absolute(path: bytes, folder: str = "") -> str:
    return os.path.normpath(os.path.join(folder or os.getcwd(), os.fsdecode(path)))


def _from(text: str, strings: list[bytes]) -> list[str]:
    """The paths of a call, each from the folder that stands before it."""
    folders = [os.fsdecode(_bytes(found[1])) for found in _DECORATED.findall(text.rpartition(") = ")[0])]
    folders += [""] * (len(strings) - len(folders))
    return [_absolute(path, folder) for path, folder in zip(strings, folders, strict=False)]
