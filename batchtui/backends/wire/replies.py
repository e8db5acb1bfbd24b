"""A backend's reply over HTTP, judged: what it means for the job, the submission or the whole backend.

No network here, so that kinds can be loaded without the HTTP library.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NoReturn
from urllib.parse import urlsplit

from batchtui.backends.faults import LOADING, NeedsPerson, Refused, Transient, TryLater, Unsure
from batchtui.backends.wire.errors.error_kinds import TOO_LONG, by_status, one_name
from batchtui.backends.wire.errors.google_errors import plain
from batchtui.backends.wire.errors.inner_errors import FINAL, as_refused, error_inside, only_an_error
from batchtui.backends.wire.loading import is_loading, may_be_loading
from batchtui.backends.wire.reply import Reply as Reply
from batchtui.backends.wire.waits import wait_of
from batchtui.masking import DOTS, SHORTEST, mask_refusal
from batchtui.model import Json
from batchtui.text import cell

LOADING_PAUSE = 5.0
"""Seconds: how often at least a server that loads its model is asked whether it has."""
NOT_JSON = "not JSON"
"""What `Reply.problem` begins with where it is text that is no JSON value."""
WORDS_LIMIT = 300
WORDS_KEPT = 4000
"""Characters of a refusal that is no JSON which are kept beside its message."""
TOO_LARGE = "; it is larger than the server takes: lower bytes_per_submission in the backend's table"
_LIMITED = (429, 498)
_UNKNOWN_MODEL = frozenset({"model_not_found", "model_not_available", "DeploymentNotFound", "invalid_model"})
_NOT_FOUND = frozenset({"not_found_error", "not_found"})
"""Of what is not found, only a message that begins with the word says that it is a model."""
_PARAMETER = frozenset(
    {
        "unsupported_parameter", "unknown_parameter", "unsupported_value", "invalid_value", "invalid_type",
        "missing_required_parameter", "integer_below_min_value", "integer_above_max_value",
        "decimal_above_max_value", "decimal_below_min_value", "invalid_request_error",
    }
)  # fmt: skip
_NO_MONEY = re.compile(r"insufficient_(?:quota|funds|balance|credits)|(?:hard|spend)_limit_reached")
_FLAGGED = ("flagged_input", "reasons")
"""Of a 403: the input was held back by moderation, the key is fine."""
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{0,39}")


class TooDeep(ValueError):
    """JSON nested beyond what can be read."""


def parse_json(data: bytes | bytearray | str) -> Json:
    """JSON from outside. Raises ValueError with a short reason; NaN and infinities become None."""
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
        return _DECODER.decode(text.removeprefix("\ufeff"))
    except RecursionError:
        raise TooDeep("JSON nested too deeply") from None
    except UnicodeDecodeError as fault:
        raise ValueError(f"not UTF-8 at byte {fault.start}") from None
    except ValueError as fault:
        raise ValueError(f"{NOT_JSON}: {fault}") from None


def decode_first(text: str, at: int) -> tuple[Json, int]:
    """The JSON value that begins there, and where it ends. Raises ValueError."""
    try:
        return _DECODER.raw_decode(text, at)
    except RecursionError:
        raise TooDeep("JSON nested too deeply") from None


def _nothing(_: str) -> None:
    return None


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


_DECODER = json.JSONDecoder(parse_constant=_nothing, parse_float=_finite)


_FROM_BETWEEN = frozenset({502, 504, 520, 524})
"""What a gateway answers for a server behind it, which may have done the work."""


def object_of(reply: Reply, *, create: bool = False, maybe_done: bool = False) -> dict[str, Json]:
    """The JSON object of a good reply. Raises what `raise_for` raises, and Unsure or Transient for no object.

    One that holds nothing but an error is judged as that would have been in the status line, if it may pass.
    """
    raise_for(reply, create=create)
    if error := only_an_error(reply.json):
        refused = as_refused(reply, error)
        if refused.status != FINAL:
            raise_for(refused, create=create)
        elif create:
            words = provider_words(refused)
            raise Unsure(f"the reply ({reply.status}) names nothing made but an error: {words}")
    if isinstance(reply.json, dict):
        return reply.json
    problem = f"the reply ({reply.status}) is {_in_place_of_json(reply)}"
    if create:
        raise Unsure(problem, answered=True)
    raise Transient(problem, kind="bad_reply", maybe_done=maybe_done)


def _in_place_of_json(reply: Reply) -> str:
    text = reply.text.lstrip("\ufeff \t\r\n")
    if not text and reply.json is None:
        return "empty where JSON was expected"
    if text[:1] == "<":
        return "a page of HTML where JSON was expected: a proxy or a sign-in page may stand in the way"
    return f"no JSON object: {reply.problem or type(reply.json).__name__}"


def hushed(reply: Reply, secrets: Iterable[str], tokens: Iterable[str] = ()) -> Reply:
    """A refusal without the secrets, which a server may say back to us; an answer without the tokens of a sign-in alone.

    An answer is data, in which a key that is somebody's id may rightly stand; a token has no place there. An error of a
    good status is a refusal here, and so is what cannot be read.
    """
    tokens = [token for token in tokens if len(token) >= SHORTEST]
    if reply.status < 400 and reply.problem is None and error_inside(reply.json) is None:
        if not any(token in reply.text for token in tokens) and not (tokens and "\\" in reply.text):
            return reply
        secrets = tokens
    text, whole = reply.text, json.dumps(reply.json)
    body = whole
    for secret in (*secrets, *tokens):
        text = text.replace(secret, DOTS)
        body = body.replace(json.dumps(secret)[1:-1], DOTS)
    if body == whole:
        return reply if text == reply.text else replace(reply, text=text)
    if "\\" in text:
        text = body  # it may stand there with escapes of its own
    return replace(reply, text=text, json=json.loads(body))


def raise_for(reply: Reply, *, create: bool = False) -> None:
    """Nothing for a 2xx; else the exception that fits. `create`: the call may have made something that costs.

    Raises Refused, NeedsPerson, TryLater (nothing was made), Transient, or Unsure instead of Transient for a create.
    """
    if 200 <= reply.status < 300:
        return
    refusal = _Refusal.of(plain(reply))
    refusal.raise_where_it_leads_elsewhere(create)
    refusal.raise_where_a_person_is_needed()
    refusal.raise_where_it_may_pass(create)
    refusal.raise_for_good()


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A reply that is no 2xx, with what it says. Each step raises what fits, or leaves it to the next one."""

    reply: Reply
    status: int
    words: str
    code: str | None
    message: str
    wait: float | None
    asked: str | None
    """The wait that it asks for, as it says so; None where it asks for none."""

    @classmethod
    def of(cls, reply: Reply) -> _Refusal:
        words, status = provider_words(reply), reply.status
        wait, asked = wait_of(
            reply.headers, reply.json, error_words(reply.json) or reply.text, limited=status in _LIMITED
        )
        return cls(reply, status, words, error_code(reply.json), f"{words} ({status})", wait, asked)

    @property
    def with_wait(self) -> str:
        """The message, with the wait that is asked for where its words do not say it."""
        if not self.asked or self.asked in self.words:
            return self.message
        return f"{self.message}; it asks for a wait of {self.asked}"

    def raise_where_it_leads_elsewhere(self, create: bool) -> None:
        if not 300 <= self.status < 400:
            return
        where = place(self.reply.headers.get("location", ""))
        if create and self.status == 303:  # the work was done, its answer stands elsewhere (RFC 9110, 15.4.4)
            raise Unsure(f"the reply (303) points to {where} in place of an id", answered=True)
        text = f"redirect refused ({self.status}, to {where}); check base_url"
        raise Refused(text, "redirect", self.reply.json)

    def raise_where_a_person_is_needed(self) -> None:
        body = self.reply.json
        if self.status == 403 and _is_flagged(body):
            raise Refused(f"held back by moderation: {self.message}", "content_filter", body)
        if self.status in (401, 403):
            raise NeedsPerson("key", f"the key is refused: {self.message}; check the key and what it may use")
        spent = self.status == 429 and _NO_MONEY.search(f"{self.code} {_error_field(body, 'type')}")
        if self.status == 402 or spent:
            raise NeedsPerson("money", f"no money or quota left: {self.message}; top up, then resume")

    def raise_where_it_may_pass(self, create: bool) -> None:
        """The server's own word on whether to try again (`x-should-retry`) stands over what the status means."""
        status, wait, message = self.status, self.wait, self.with_wait
        again = self.reply.headers.get("x-should-retry", "").lower()
        if again != "false":
            if may_be_loading(status) and is_loading(self.words, self.code):
                text = f"the server loads its model: {message}"
                raise TryLater(text, wait, kind=LOADING, most=LOADING_PAUSE)
            busy = (
                status == 503 and self.asked and not create
            )  # of a create it is no proof that nothing was made
            if status in _LIMITED or busy:
                raise TryLater(message, wait, kind="busy" if busy else "rate_limit")
        may_pass = status in (408, 409, 425) or status >= 500
        if may_pass and create:
            raise Unsure(message, after=wait)
        if (may_pass and again != "false") or (again == "true" and not create):
            raise Transient(message, kind="server", maybe_done=status in _FROM_BETWEEN, after=wait)
        if again == "true":
            raise TryLater(message, wait, kind="server", counts=True)

    def raise_for_good(self) -> NoReturn:
        reply = self.reply
        said = reply.text[:WORDS_KEPT] if reply.json is None else reply.json
        kind = one_name(self.code, self.words) or by_status(self.status)
        message = f"{self.with_wait}{TOO_LARGE if self.status == 413 else ''}"
        raise Refused(told(message, reply.json), kind, said)


def _is_flagged(body: Json) -> bool:
    error = body.get("error") if isinstance(body, dict) else None
    metadata = error.get("metadata") if isinstance(error, dict) else None
    return isinstance(metadata, dict) and any(key in metadata for key in _FLAGGED)


def told(message: str, body: Json) -> str:
    """A refusal's message with what it is about put first, where the provider's code says so."""
    code, param = error_code(body), _error_field(body, "param")
    if code in _UNKNOWN_MODEL or (code in _NOT_FOUND and message.startswith(("model", "models/"))):
        return f"unknown model: {message.removeprefix('model: ')}"
    if one_name(code, message) == TOO_LONG:
        return f"too long for the model: {message}"
    if param and code in _PARAMETER:
        return f"refused parameter {cell(param, 60)}: {message}"
    return message


def place(url: str) -> str:
    """Scheme and host of an address, for a message: its path, query and password stay out."""
    try:
        parts = urlsplit(url)
        host = f"{parts.hostname or ''}:{parts.port}" if parts.port else parts.hostname or ""
    except ValueError:
        return "an address that cannot be read"
    return cell(f"{parts.scheme}://{host}", 120) if host else "another path"


def provider_words(reply: Reply) -> str:
    """What the provider says went wrong, on one clean line without keys; its status where it says nothing."""
    words = error_words(reply.json) if reply.json is not None else ""
    if not words and reply.json is None and reply.text.strip():
        words = re.sub(r"<[^>]{0,200}>", " ", reply.text[:4000])
    return tidy(words) or f"HTTP {reply.status} without a reason"


def tidy(words: str) -> str:
    """Outside words for a message: one line, no control characters, nothing that looks like a key."""
    return cell(mask_refusal(" ".join(words[:4000].split())), WORDS_LIMIT)


def error_words(value: Json) -> str:
    """The reason inside an error body, whatever its form: text, `{error: {message}}`, `{detail}`, a list of them."""
    for _ in range(8):  # errors are nested a few levels at most
        if isinstance(value, str):
            return value
        if isinstance(value, list):
            value = value[0] if value else ""
        elif isinstance(value, dict):
            keys = ("error", "errors", "message", "detail", "msg", "data", "code", "type", "title")
            value = next((value[key] for key in keys if value.get(key)), "")
        else:
            return "" if value is None else str(value)
    return ""


def error_code(value: Json) -> str | None:
    """The provider's own short word for an error, where it is one word."""
    error = value.get("error") if isinstance(value, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    finest = details.get("error_code") if isinstance(details, dict) else None
    if isinstance(finest, str) and _WORD.fullmatch(finest):
        return finest
    for key in ("code", "type"):
        word = _error_field(value, key)
        if word and _WORD.fullmatch(word):
            return word
    return None


def _error_field(value: Json, key: str) -> str:
    error = value.get("error") if isinstance(value, dict) else None
    field = error.get(key) if isinstance(error, dict) else None
    return field if isinstance(field, str) else ""
