"""What kinds that take prompts in OpenAI's form share: their `[job]`, estimates, connection and probe."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from batchtui.backends.attachments.parts import with_openai_files
from batchtui.backends.attachments.rules import IMAGES_ONLY, OPENAI, FileRules
from batchtui.backends.base import (
    Backend,
    BackendSettings,
    Job,
    KindLimits,
    NeedsPerson,
    Probe,
    Refused,
    Setup,
    Transient,
    TryLater,
)
from batchtui.backends.prompts.dialects import dialect_of
from batchtui.backends.prompts.work import (
    ChatWork,
    check_work,
    endpoint_of,
    estimate_tokens,
    model_of,
    request_body,
)
from batchtui.backends.settings import limits_of
from batchtui.backends.wire.replies import object_of
from batchtui.model import Json

if TYPE_CHECKING:
    from batchtui.backends.http import Http


class ModelSettings(BackendSettings, kw_only=True):
    """`model` is what a job that names none is sent to.

    `file_bytes` (of all files of a job, as they are sent) and `pdf_pages` stand in for the provider's known limits.
    """

    model: str | None = None
    file_bytes: int | None = None
    pdf_pages: int | None = None


class PromptSettings(ModelSettings, kw_only=True):
    """`organization` and `project` say who pays, at OpenAI."""

    organization: str | None = None
    project: str | None = None


class Prompts(Backend[ChatWork]):
    """Base of `chat` and `openai`, beside the shape (`Direct` or `Remote`) that each has."""

    Settings: ClassVar[type[ModelSettings]] = PromptSettings
    Work = ChatWork
    key_env = "OPENAI_API_KEY"
    endpoints: tuple[str, ...]
    defaults: KindLimits
    models_path: str = "models"

    def __init__(self, setup: Setup[BackendSettings]) -> None:
        super().__init__(setup)
        assert isinstance(setup.settings, ModelSettings)
        self.default_model = setup.settings.model
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
        body = request_body(job.work, self.default_model, native_schema=self.takes_schema(job))
        return with_openai_files(body, job.files, endpoint_of(job.work))

    def file_rules(self) -> FileRules | None:
        return OPENAI if dialect_of(None, self.setup.settings.base_url).pdf else IMAGES_ONLY

    def takes_schema(self, job: Job[ChatWork]) -> bool:
        """Whether this job's schema goes by `response_format`."""
        return self.native_schema

    def check(self, job: Job[ChatWork]) -> list[tuple[str, str]]:
        return check_work(job.work, self.default_model, self.endpoints)

    def describe(self, job: Job[ChatWork]) -> Json:
        return self.body(job)

    def tokens(self, job: Job[ChatWork]) -> tuple[int, int]:
        return estimate_tokens(self.body(job))

    def model(self, job: Job[ChatWork]) -> str | None:
        return model_of(job.work, self.default_model)

    async def probe(self) -> Probe:
        """Asks for the list of models, which every such server has and which costs nothing."""
        try:
            reply = await self.http.request_json("GET", self.models_path, timeout=20)
            if reply.status == 404:
                return Probe(ok=True, message=f"{self.http.place} answers, but lists no models")
            bare = reply.status == 200 and isinstance(reply.json, list)  # as Together lists them
            data = reply.json if bare else object_of(reply).get("data")
        except (Refused, TryLater, Transient, NeedsPerson) as fault:
            return Probe(ok=False, message=fault.message)
        items = data if isinstance(data, list) else []
        models = sorted({str(item["id"]) for item in items if isinstance(item, dict) and item.get("id")})
        return Probe(ok=True, message=f"{self.http.place} answers; {len(models)} models", models=models)

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None
