"""What kinds that take prompts in OpenAI's form share: their `[job]`, estimates, connection and probe."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import msgspec

from batchtui.amounts import counted
from batchtui.backends.attachments.parts import with_openai_files
from batchtui.backends.attachments.rules import IMAGES_ONLY, OPENAI, FileRules
from batchtui.backends.base import (
    Backend,
    BackendSettings,
    Job,
    KindLimits,
    NeedsPerson,
    PathUse,
    Probe,
    Refused,
    Setup,
    Transient,
    TryLater,
)
from batchtui.backends.prompts.dialects import dialect_of
from batchtui.backends.prompts.fields import ADVICE, foreign, without_silent
from batchtui.backends.prompts.forms.media import refuse_other_parts
from batchtui.backends.prompts.forms.unfit import Unfit
from batchtui.backends.prompts.responses import NOT_TAKEN
from batchtui.backends.prompts.work import (
    CHAT,
    RESPONSES,
    ChatWork,
    answers_of,
    check_work,
    endpoint_of,
    estimate_tokens,
    is_silent,
    model_of,
    request_body,
)
from batchtui.backends.settings import limits_of
from batchtui.backends.wire.replies import object_of
from batchtui.model import Json

if TYPE_CHECKING:
    from batchtui.backends.http import Http


PROBE_TIMEOUT = 20.0


class ModelSettings(BackendSettings, kw_only=True):
    """What every backend of models takes."""

    model: str | None = None
    """What jobs are sent to that name no model."""
    file_bytes: int | None = None
    """Bytes of all files of a job, in place of the provider's known limit."""
    pdf_pages: int | None = None
    """Pages of a PDF, in place of the provider's known limit."""


class PromptSettings(ModelSettings, kw_only=True):
    """What those in OpenAI's form take besides."""

    organization: str | None = None
    """Who pays, at OpenAI."""
    project: str | None = None
    """Who pays, at OpenAI."""


class Prompts(Backend[ChatWork]):
    """Base of `chat` and `openai`, beside the shape (`Direct` or `Remote`) that each has."""

    Settings: ClassVar[type[ModelSettings]] = PromptSettings
    Work = ChatWork
    path_fields = {"file": PathUse.UPLOADS}
    paid = True
    endpoints: tuple[str, ...]
    defaults: KindLimits
    models_path: str = "models"

    def __init__(self, setup: Setup[BackendSettings]) -> None:
        super().__init__(setup)
        assert isinstance(setup.settings, ModelSettings)
        self.default_model = setup.settings.model
        self.dialect = dialect_of(getattr(setup.settings, "dialect", None), setup.settings.base_url)
        self._limits = limits_of(setup.settings, self.defaults)
        self._http: Http | None = None

    @classmethod
    def request_headers(cls, settings: BackendSettings, key: str | None) -> dict[str, str]:
        """Headers of every call; values may be secret."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        if isinstance(settings, PromptSettings):
            if settings.organization:
                headers["OpenAI-Organization"] = settings.organization
            if settings.project:
                headers["OpenAI-Project"] = settings.project
        return headers

    @property
    def http(self) -> Http:
        if self._http is None:
            assert self.setup.connect is not None, f"{self.name} was built without a connection"
            self._http = self.setup.connect()
        return self._http

    @property
    def limits(self) -> KindLimits:
        return self._limits

    def body(self, job: Job[ChatWork]) -> dict[str, Json]:
        """The request as it is sent. Raises Unfit."""
        body = self.built(job)
        gone = self.not_taken(job.work, body) if job.work.drop_unsupported else {}
        kept = {name: value for name, value in body.items() if name not in gone}
        own = self.own_fields(job.work)
        return kept if own is None else without_silent(kept, own)

    def own_fields(self, work: ChatWork) -> frozenset[str] | None:
        """The fields of a request that are known there; None where that is not known."""
        return self.dialect.fields.get(endpoint_of(work))

    def built(self, job: Job[ChatWork]) -> dict[str, Json]:
        """The request with all that was asked for, taken there or not. Raises Unfit."""
        body = request_body(job.work, self.default_model, native_schema=self.takes_schema(job))
        if self.dialect.parts and endpoint_of(job.work) == CHAT:
            refuse_other_parts(body.get("messages") or [], self.dialect.parts, self.dialect.name)
        return with_openai_files(body, job.files, endpoint_of(job.work))

    def not_taken(self, work: ChatWork, body: dict[str, Json]) -> dict[str, str]:
        """Fields of what was built that this backend does not take, and the words for it."""
        own = self.own_fields(work)
        told = {} if own is None else foreign(body, own, self.dialect.name)
        if endpoint_of(work) == RESPONSES:
            told |= {
                name: "is a field of chat completions" for name in NOT_TAKEN if body.get(name) is not None
            }
        return told

    def file_rules(self) -> FileRules | None:
        return OPENAI if self.dialect.pdf else IMAGES_ONLY

    def takes_schema(self, job: Job[ChatWork]) -> bool:
        """Whether this job's schema goes by `response_format`."""
        return self.native_schema

    def check(self, job: Job[ChatWork]) -> list[tuple[str, str]]:
        return self.check_work(job.work) or self._check_built(job)

    def check_work(self, work: ChatWork) -> list[tuple[str, str]]:
        """What is wrong with the fields by themselves."""
        return check_work(work, self.default_model, self.endpoints)

    def _check_built(self, job: Job[ChatWork]) -> list[tuple[str, str]]:
        """What has no form at this backend, and what it does not take; files have checks of their own."""
        try:
            body = self.built(replace(job, files=()))
        except Unfit as fault:
            return [(fault.place, fault.message)]
        if job.work.drop_unsupported:
            return []
        return [(name, words + ADVICE) for name, words in self.not_taken(job.work, body).items()]

    def left_out(self, job: Job[ChatWork]) -> list[tuple[str, str]]:
        if not job.work.drop_unsupported:
            return []
        return list(self.not_taken(job.work, self.built(replace(job, files=()))).items())

    def describe(self, job: Job[ChatWork]) -> Json:
        return self.body(job)

    def tokens(self, job: Job[ChatWork]) -> tuple[int, int]:
        return estimate_tokens(self.body(job))

    def answers(self, job: Job[ChatWork]) -> int:
        return 0 if is_silent(job.work) else answers_of(self.body(job))

    def bounded(self, work: ChatWork, most: int) -> ChatWork:
        return work if is_silent(work) else msgspec.structs.replace(work, max_tokens=most)

    def model(self, job: Job[ChatWork]) -> str | None:
        return model_of(job.work, self.default_model)

    async def probe(self) -> Probe:
        """Asks for the list of models, which every such server has and which costs nothing."""
        try:
            reply = await self.http.request_json("GET", self.models_path, timeout=PROBE_TIMEOUT)
            if reply.status == 404:
                return Probe(ok=True, message=f"{self.http.place} answers, but lists no models")
            bare = reply.status == 200 and isinstance(reply.json, list)  # as Together lists them
            data = reply.json if bare else object_of(reply).get("data")
        except (Refused, TryLater, Transient, NeedsPerson) as fault:
            return Probe(ok=False, message=fault.message)
        items = data if isinstance(data, list) else []
        models = sorted({str(item["id"]) for item in items if isinstance(item, dict) and item.get("id")})
        return Probe(
            ok=True, message=f"{self.http.place} answers; {counted(len(models), 'model')}", models=models
        )

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None
