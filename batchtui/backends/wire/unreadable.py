"""A result line that cannot be read: its job is told where the id can be made out all the same."""

from __future__ import annotations

import json
import re

from batchtui.backends.shapes import Answer
from batchtui.model import JobState, Outcome

_NAMED = r'"{}"\s*:\s*("(?:[^"\\]|\\.){{1,512}}")'


def unreadable(text: str, message: str, id_key: str) -> Answer:
    """What such a line is worth: `id_key` is where lines of its form name the job."""
    named = re.search(_NAMED.format(id_key), text)
    try:
        job_id = json.loads(named[1]) if named else ""
    except ValueError:
        job_id = ""
    outcome = Outcome(state=JobState.FAILED, error=message, error_kind="bad_reply", body=text)
    return Answer(job_id, outcome, text, unreadable=True)
