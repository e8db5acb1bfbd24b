"""TOML files read with the place of every fault, and replaced whole or not at all."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from pathlib import Path

from batchtui.durable import sync_file, sync_folder
from batchtui.errors import BadInput, BatchtuiError
from batchtui.model import Json
from batchtui.text import cell

SIZE_LIMIT = 16 * 1024 * 1024
"""Bytes of the largest file that is read; configs and batch files are far smaller."""

DEPTH_LIMIT = 100
"""Levels of nested tables and lists."""

_PLACE = re.compile(
    r"(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.DOTALL
)
_TABLE_TWICE = re.compile(r"Cannot declare \((?P<parts>.*?),?\) twice")


def read_toml(path: Path, error: type[BatchtuiError] = BadInput) -> dict[str, Json]:
    """The file as a dict. Raises `error` with file, line and column; a UTF-8 byte order mark is skipped."""
    return parse_toml(read_text(path, error), cell(path), error)


def read_text(path: Path, error: type[BatchtuiError] = BadInput) -> str:
    """The UTF-8 text of a regular file of at most SIZE_LIMIT bytes, lines ended by LF. Raises `error`."""
    where = cell(path)
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            kind = "a folder" if stat.S_ISDIR(about.st_mode) else "not a regular file"
            raise error(f"{where}: is {kind}; expected a text file")
        if about.st_size > SIZE_LIMIT:
            raise error(f"{where}: {about.st_size:,} bytes, more than the {SIZE_LIMIT:,} that are read")
        data = path.read_bytes()
    except FileNotFoundError:
        raise error(f"{where}: no such file") from None
    except OSError as fault:
        raise error(f"{where}: cannot be read ({fault.strerror})") from None
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise error(f"{where}: is UTF-16; save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        raise error(
            f"{where}: line {line}: byte 0x{data[fault.start]:02x} is not UTF-8; save it as UTF-8"
        ) from None
    text = text.replace("\r\n", "\n")
    for char, name in (
        ("\0", "a NUL character; is it text in UTF-8?"),
        ("\r", "lines end with CR alone; use LF"),
    ):
        if (at := text.find(char)) >= 0:
            raise error(f"{where}: line {text.count(chr(10), 0, at) + 1}: {name}")
    return text


def parse_toml(text: str, where: str, error: type[BatchtuiError] = BadInput) -> dict[str, Json]:
    """`text` as a dict. Raises `error` with `where: line 3, column 7: what is wrong`."""
    try:
        data = tomllib.loads(text)
        if _depth(data) > DEPTH_LIMIT:
            raise RecursionError
        return data
    except tomllib.TOMLDecodeError as fault:
        raise error(f"{where}: {_explain(str(fault), text)}") from None
    except RecursionError:
        raise error(f"{where}: lists or tables are nested too deep") from None
    except ValueError:  # an integer of more digits than Python converts
        raise error(f"{where}: a number has too many digits") from None


def _depth(data: Json) -> int:
    """Levels of tables and lists; a long dotted key makes many, and no reader of the result should recurse so far."""
    depth, level = 0, [data]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return depth


def _explain(message: str, text: str) -> str:
    match = _PLACE.fullmatch(message)
    if not match:
        return cell(message)
    lines = text.splitlines() or [""]
    number = int(match["line"]) if match["line"] else len(lines)
    column = int(match["column"]) if match["column"] else len(lines[-1]) + 1
    what = match["what"]
    line = lines[min(number, len(lines)) - 1]
    if what == "Cannot overwrite a value" and "=" in line:
        what = f"{line.partition('=')[0].strip()} stands twice in this table"
    elif table := _TABLE_TWICE.fullmatch(what):
        name = ".".join(part.strip().strip("'") for part in table["parts"].split(","))
        what = f"[{name}] stands twice; put its keys under one heading"
    else:
        what = what[:1].lower() + what[1:]
    return f"line {number}, column {column}: {cell(what)}"


def dump_toml(data: dict[str, Json]) -> str:
    """TOML text that reads back as `data`; long strings over several lines where that keeps every character."""
    import tomli_w

    text = tomli_w.dumps(data, multiline_strings=True)
    return text if tomllib.loads(text) == data else tomli_w.dumps(data)


def write_toml(path: Path, data: dict[str, Json], keep_bak: bool = False, mode: int = 0o666) -> None:
    """Replace the file atomically. `mode` is for a new file (the umask applies); an existing one keeps its own.

    With `keep_bak` a file that a person wrote or laid out stays readable as `<name>.bak`; one that we wrote
    ourselves does not push an older `.bak` away. Raises OSError.
    """
    target = path.resolve()  # a symlink into a dotfiles folder stays one
    text = dump_toml(data)
    if keep_bak and target.is_file():
        before = target.read_bytes()
        if before != text.encode() and not _written_by_us(before):
            replace_file(target.with_name(target.name + ".bak"), before, stat.S_IMODE(target.stat().st_mode))
    replace_file(target, text.encode(), mode)


def _written_by_us(data: bytes) -> bool:
    """Whether the file is laid out exactly as we would write it, so that no comment or layout can be lost."""
    try:
        text = data.decode()
        return dump_toml(tomllib.loads(text)) == text
    except (ValueError, RecursionError):
        return False


def replace_file(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Write beside and rename, synced; a reader sees the old or the new file. Raises OSError."""
    temporary = path.with_name(f".{path.name[:100]}.{os.urandom(6).hex()}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    try:
        with open(handle, "wb") as file:
            if path.is_file():
                os.fchmod(handle, stat.S_IMODE(path.stat().st_mode))
            file.write(data)
            file.flush()
            sync_file(handle, path)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
