"""What came back for one job, as a program reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, Self, TypeAlias

import msgspec

from batchtui import typed
from batchtui.errors import BadInput
from batchtui.model import LIVE_JOB_STATES, JobState, Json, Result
from batchtui.text import cell

_FIGURES: dict[str, Json] = {"input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0}


class ModelClass(Protocol):
    """A pydantic model, or any class that speaks as one."""

    def model_json_schema(self) -> dict[str, Json]: ...

    def model_validate(self, obj: Json, /) -> object: ...


ResponseModel: TypeAlias = "ModelClass | dict[str, Json] | str | Path"
"""What answers must fit: a pydantic model, a JSON Schema, or the path of one."""


class Citation(dict[str, Json]):
    """A passage that an answer rests on: a dict whose keys are attributes too.

    `text`, the words it quotes; `source`, the title of their document; `page`, None where it has none; `metadata`; and in
    `citation_mappings` also `confidence` and `match_reason`.
    """

    def __getattr__(self, name: str) -> Json:
        if name in self:
            return self[name]
        known = ", ".join(self) or "nothing"
        raise AttributeError(f"this citation has no {name!r}; it has {known}")


class JobResult(Result, kw_only=True):
    """One job with what came back for it; of a job that has not ended, its state alone.

    `job_id, name, status`; the answer as `raw_response` (text) and `parsed_response` (the model given as
    `response_model`, else plain JSON); `citations, citation_mappings` (`Citation`s); `input_tokens, output_tokens, cost_usd` (0
    where nobody said: `unknown` names those, and `cost_known` is False); `finish_reason`, why the model stopped;
    `reasoning`, what it thought before it answered; `tool_calls`, what it asks to be run; `choices`, every answer
    where several were given; `note`, what a reader should know though it is no error; `error` (a sentence) and
    `error_kind` (a word) where it did not complete; `backend, model`; `batch_id`, the backend's own id of the
    submission; `remote`, further ids that the backend gave (daly: `task_id, energy_model_id, run_index`);
    `attempts, started, ended`; `row`; `output`, what a kind that is no language model gave back.
    """

    unknown: tuple[str, ...] = ()
    """Which figures are 0 here since nobody said them."""

    @classmethod
    def from_dict(cls, data: Mapping[str, Json]) -> Self:
        """What `to_dict` or `save_to_json` made, or batchata's own; other keys are left out. Raises BadInput."""
        known = {key: value for key, value in data.items() if key in Result.__struct_fields__}
        if "status" not in known:
            known["status"] = "failed" if known.get("error") else "completed"
        for key in known.keys() & {"remote", "row"}:
            known[key] = known[key] or {}
        try:
            return cls._of(typed.convert(known, Result))
        except msgspec.ValidationError as fault:
            raise BadInput(f"JobResult.from_dict: {cell(fault, 200)}") from None

    @classmethod
    def _of(cls, found: Result) -> Self:
        unknown = tuple(name for name in _FIGURES if getattr(found, name) is None)
        given = {name: getattr(found, name) for name in Result.__struct_fields__}
        given["citations"] = _citations(found.citations)
        if isinstance(found.citation_mappings, dict):
            given["citation_mappings"] = {
                name: _citations(value) for name, value in found.citation_mappings.items()
            }
        return cls(**(given | {name: _FIGURES[name] for name in unknown}), unknown=unknown)

    @property
    def cost_known(self) -> bool:
        """Whether `cost_usd` is what it cost, and not 0.0 for want of a price."""
        return "cost_usd" not in self.unknown

    @property
    def is_success(self) -> bool:
        """Whether it completed, and its answer fits what was asked for."""
        return self.status is JobState.COMPLETED

    @property
    def total_tokens(self) -> int:
        """Tokens in and out; 0 where the backend said none."""
        return (self.input_tokens or 0) + (self.output_tokens or 0)

    @property
    def data(self) -> Json:
        """What came back, of any kind of job: `output`, else the parsed answer, else its text."""
        for value in (self.output, self.parsed_response, self.raw_response):
            if value is not None:
                return value
        return None

    def to_dict(self) -> dict[str, Json]:
        """Everything as plain JSON, as `batchtui results --json` prints it."""
        parsed = self.parsed_response
        if hasattr(parsed, "model_dump"):
            parsed = parsed.model_dump(mode="json")
        plain = msgspec.structs.replace(self, parsed_response=parsed, **dict.fromkeys(self.unknown))
        return {name: msgspec.to_builtins(getattr(plain, name)) for name in Result.__struct_fields__}

    def save_to_json(self, path: str | Path) -> None:
        """Write it as batchata does, ten keys with an indent of 2. Raises OSError."""
        from batchtui.engine.outputs.result_files import job_result

        plain = job_result(self) | {"parsed_response": self.to_dict()["parsed_response"]}
        Path(path).write_text(json.dumps(plain, indent=2) + "\n", "utf-8")


def _citations(value: Json) -> Json:
    if not isinstance(value, list):
        return value
    return [Citation(one) if isinstance(one, dict) else one for one in value]


def is_model(given: object) -> bool:
    """Whether it is a class that makes a schema and reads answers by it."""
    return hasattr(given, "model_json_schema") and hasattr(given, "model_validate")


def job_result(found: Result, model: ModelClass | None) -> JobResult:
    """The stored result, its answer read by `model`; one that the model itself refuses is invalid, and keeps the JSON."""
    made = JobResult._of(found)
    name = made.row.get("name")
    made.name = made.name or (name if isinstance(name, str) else None)
    if made.status in LIVE_JOB_STATES and made.error is None:
        made.error = f"it has no answer yet: {made.status.value}"
    if model is None or not made.is_success or made.parsed_response is None:
        return made
    try:
        made.parsed_response = model.model_validate(made.parsed_response)
    except ValueError as fault:
        made.status, made.error_kind = JobState.INVALID, "response_model"
        made.error = f"the answer fits the schema, and its model refuses it: {fault}"
    return made
