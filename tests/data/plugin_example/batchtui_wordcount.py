"""Kind `wordcount`: a worked example of a backend that another package adds.

Install it beside batchtui, write a table, and name it in a batch file:

    [backends.words]            backend = "words"
    kind = "wordcount"          [source]
    longer_than = 3             file = "articles.csv"
                                [job]
                                text = "{{ body }}"

Work that is done elsewhere, many jobs at a time and paid for, is `batchtui_wordqueue.py` beside this: the contract
of both is batchtui.backends.base.
"""

from __future__ import annotations

import msgspec

from batchtui.backends.base import BackendSettings, Direct, Job, Note
from batchtui.model import JobState, Json, Outcome


class WordCountSettings(BackendSettings, kw_only=True):
    """Words of at most `longer_than` letters are not counted."""

    longer_than: int = 0


class WordCountWork(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`[job]`; its strings are templates over the row, and come here filled in."""

    text: str


class WordCount(Direct[WordCountWork]):
    kind = "wordcount"
    summary = "Counts the words of a text, on this machine"
    Settings = WordCountSettings
    Work = WordCountWork

    def check(self, job: Job[WordCountWork]) -> list[tuple[str, str]]:
        return [] if job.work.text.strip() else [("text", "there is nothing to count")]

    async def run(self, job: Job[WordCountWork], note: Note) -> Outcome:
        settings = self.setup.settings
        assert isinstance(settings, WordCountSettings)
        words = [word for word in job.work.text.split() if len(word) > settings.longer_than]
        counted: dict[str, Json] = {"words": len(words), "longest": max(words, key=len, default="")}
        return Outcome(state=JobState.COMPLETED, output=counted)
