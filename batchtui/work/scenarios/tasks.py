"""Which task a job of a stored batch is, from its template, its row and its sweep."""

from __future__ import annotations

from batchtui.errors import BadInput
from batchtui.model import Json
from batchtui.sources.templates.template import Template, compile_template
from batchtui.store.folder import BatchFolder


class Tasks:
    """The task of each job. A template that a row no longer fills gives an empty word."""

    def __init__(self, folder: BatchFolder) -> None:
        self._folder = folder
        self._compiled: dict[str | None, Template] = {}
        header = folder.header
        words = {str(t.get("task", "")) for t in (header.template, *header.templates.values())}
        plain = len(words) == 1 and "{{" not in next(iter(words)) and "task" not in header.spec.sweep
        self.only: str | None = words.pop() if plain else None
        """The one task of the whole batch, where there is one."""

    def of(self, n: int) -> str:
        if self.only is not None:
            return self.only
        record = self._folder.jobs.record(n)
        word: Json = record.sweep.get("task") or self._folder.header.template_of(record.backend).get("task")
        if not isinstance(word, str):
            return ""
        try:
            template = self._compiled.get(word)
            if template is None:
                template = self._compiled[word] = compile_template(word, where="job.task")
            return str(template.render(record.row))
        except BadInput:
            return ""
