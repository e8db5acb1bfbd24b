"""What holds for every `[backends.NAME]` table, whatever its kind: name, address, keys by reference, ranges."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from batchtui.config.address import base_url_fault, non_ascii_host
from batchtui.errors import nearest
from batchtui.limit_ranges import CONCURRENCY_MAX, duration_fault, number_text
from batchtui.model import Json, Problem
from batchtui.text import cell, clean

NAME_LIMIT = 100
KEY_REFERENCES = ("api_key_env", "api_key_command", "api_key_keyring")
_INLINE = frozenset(
    {
        "api_key",
        "apikey",
        "key",
        "token",
        "access_token",
        "auth_token",
        "bearer",
        "secret",
        "secret_key",
        "password",
    }
    | {"workspace_key", "user_key"}
)
_KEY_HEADERS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "cookie",
        "api-key",
        "x-api-key",
        "x-goog-api-key",
        "x-auth-token",
    }
)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_KEY_TEXT = re.compile(r"(?:Bearer )?(?:sk|pk|rk|gsk|hf|ghp|xai|AIza)[-_]?(?=\S*\d)[A-Za-z0-9_-]{16,}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_NO_TLS_SWITCH = frozenset({"verify_tls", "verify_ssl", "verify", "insecure"})


def backend_problems(name: str, table: Json, kinds: Collection[str], file: str) -> list[Problem]:
    """Everything wrong with one table that does not depend on its kind; warnings have `fatal=False`."""
    at = f"backends.{cell(name, 40)}"
    if fault := name_fault(name):
        return [Problem(file=file, key=at, message=fault)]
    if not isinstance(table, dict):
        return [Problem(file=file, key=at, message=f"expected a table, got {toml_type(table)}")]
    problems = [
        Problem(file=file, key=".".join(part for part in (at, key) if part), message=message)
        for key, message in _faults(table, kinds)
    ]
    base_url = table.get("base_url")
    if isinstance(base_url, str) and not problems and (host := non_ascii_host(base_url)):
        message = (
            f"the host is not plain ASCII and goes out as {cell(host)}; check that it is the one you mean"
        )
        problems.append(Problem(file=file, key=f"{at}.base_url", message=message, fatal=False))
    return problems


def name_fault(name: str) -> str | None:
    if not name.strip():
        return "a backend needs a name"
    if not name.isprintable() or clean(name) != name:
        return "the name holds a control character or one that cannot be seen; use letters, digits and dashes"
    return f"the name is longer than {NAME_LIMIT} characters" if len(name) > NAME_LIMIT else None


def variable_fault(name: Json) -> str | None:
    """What is wrong with the name of an environment variable; what may be a key itself is not shown."""
    if isinstance(name, str) and _VARIABLE.fullmatch(name) and not _KEY_TEXT.fullmatch(name):
        return None
    return "expected the name of an environment variable, such as OPENAI_API_KEY, not the key itself"


def toml_type(value: Json) -> str:
    """The type of a value in a reader's words."""
    names = {dict: "a table", list: "a list", str: "text", bool: "true or false", int: "a whole number"}
    return names.get(type(value), "a number" if isinstance(value, float) else "a date or time")


def is_inline_secret(key: str, value: Json) -> bool:
    """Whether a setting holds a key itself, where only a reference to one may stand."""
    return isinstance(value, str) and (key.lower() in _INLINE or bool(_KEY_TEXT.fullmatch(value)))


def is_secret_header(header: str, value: Json) -> bool:
    if not isinstance(value, str) or value.startswith("env:"):
        return False
    return header.lower() in _KEY_HEADERS or bool(_KEY_TEXT.fullmatch(value))


def _faults(table: dict[str, Json], kinds: Collection[str]) -> Iterator[tuple[str, str]]:
    """(key, message) of each fault."""
    yield from _kind(table.get("kind"), kinds)
    base_url = table.get("base_url")
    if base_url is not None:
        fault = (
            base_url_fault(base_url)
            if isinstance(base_url, str)
            else f"expected text, got {toml_type(base_url)}"
        )
        if fault:
            yield "base_url", fault
    yield from _keys(table)
    yield from _headers(table.get("headers", {}))
    yield from _numbers(table)
    proxy = table.get("proxy")
    if isinstance(proxy, str) and ("@" in proxy or not proxy.isprintable()):
        yield (
            "proxy",
            "holds a password or control character; set HTTPS_PROXY in the environment for such a proxy",
        )


def _kind(kind: Json, kinds: Collection[str]) -> Iterator[tuple[str, str]]:
    if kind is None:
        yield "kind", f"missing; one of {', '.join(kinds)}"
    elif not isinstance(kind, str):
        yield "kind", f"expected text, got {toml_type(kind)}"
    elif kind not in kinds:
        yield (
            "kind",
            f'unknown kind "{cell(kind, 40)}"{nearest(kind, kinds) or "; one of " + ", ".join(kinds)}',
        )


def _keys(table: dict[str, Json]) -> Iterator[tuple[str, str]]:
    given = [key for key in KEY_REFERENCES if table.get(key) is not None]
    if len(given) > 1:
        yield given[1], f"stands beside {given[0]}; keep one of them"
    for key, value in table.items():
        shown = cell(key, 40)
        if key in _NO_TLS_SWITCH:
            yield shown, "there is no such switch: certificates are always checked; remove this line"
        elif key.endswith("_env"):
            if fault := variable_fault(value):
                yield shown, fault
        elif is_inline_secret(key, value):
            advice = "a key does not belong in this file; put it in an environment variable and name that in api_key_env"
            yield shown, advice
    command = table.get("api_key_command")
    if command is not None and not (
        isinstance(command, list)
        and command
        and all(isinstance(word, str) and word and "\0" not in word for word in command)
    ):
        yield (
            "api_key_command",
            'expected a list of words, such as ["pass", "show", "openai"]; no shell is used',
        )
    entry = table.get("api_key_keyring")
    if entry is not None and not (isinstance(entry, str) and entry.strip() and entry.isprintable()):
        yield "api_key_keyring", 'expected an entry of the keyring, such as "batchtui/openai"'


def _headers(headers: Json) -> Iterator[tuple[str, str]]:
    if not isinstance(headers, dict):
        yield "headers", f"expected a table, got {toml_type(headers)}"
        return
    for header, value in headers.items():
        key = f"headers.{cell(header, 40)}"
        if not _HEADER_NAME.fullmatch(header):
            yield key, "not the name of a header"
        elif not isinstance(value, str):
            yield key, f"expected text, got {toml_type(value)}"
        elif not value.isascii() or not value.isprintable():
            yield key, "holds a control character or one outside ASCII"
        elif is_secret_header(header, value):
            yield key, 'a key does not belong in this file; write "env:NAME" with the variable that holds it'
        elif value.startswith("env:") and (fault := variable_fault(value[4:])):
            yield key, fault


def _numbers(table: dict[str, Json]) -> Iterator[tuple[str, str]]:
    concurrency = table.get("concurrency")
    if concurrency is not None:
        if type(concurrency) is not int:
            yield "concurrency", f"expected a whole number, got {toml_type(concurrency)}"
        elif not 1 <= concurrency <= CONCURRENCY_MAX:
            yield "concurrency", f"expected 1 to {CONCURRENCY_MAX:,}, got {number_text(concurrency)}"
    for key in ("poll_interval", "timeout", "settle"):
        value = table.get(key)
        if value is None or (key == "settle" and value == 0 and value is not False):
            continue
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            yield key, f"expected a duration such as 30 or 90s, got {toml_type(value)}"
        elif fault := duration_fault(value):
            yield key, fault
