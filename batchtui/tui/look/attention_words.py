"""What needs a person, in words: what it is about, what happened, and what each answer would do. No Textual here."""

from __future__ import annotations

import re
from collections.abc import Mapping

from batchtui.model import Attention

READ, LOOK = "read", "look"
"""Answers that only show something: the first results, or what lives at the backend."""

TITLES: Mapping[str, str] = {
    "unsure": "A submission may have been made, or not",
    "forgotten": "The backend has forgotten a submission",
    "results": "Results are not whole yet",
    "canary": "The first results are back",
    "price": "A price is not known",
    "bound": "How long answers can be is not known",
    "budget": "The budget holds jobs back",
    "key": "The backend refuses the key",
    "money": "The account has no money or quota left",
    "account": "The key is of another account",
    "copy": "This batch is only followed from here",
    "clock": "The clock of this machine was set",
    "damage": "What is stored is damaged",
    "proxy": "The proxy stands in the way",
    "address": "The backend's address leads elsewhere",
    "fault": "A fault inside batchtui",
    "disk": "The disk takes nothing more",
    "backend": "A backend is not what it was",
    "output": "The results could not be written",
}
_ANSWERS: Mapping[tuple[str, str], str] = {
    ("canary", READ): "Read the first results",
    ("canary", "release"): "They are good: send the rest",
    ("canary", "cancel"): "They are not: cancel the rest; what is done stays",
    ("price", "cancel"): "Cancel the jobs that wait; what is done stays",
    ("price", "release"): "Send them all the same; no limit can be kept",
    ("bound", "cancel"): "Cancel the jobs that wait; what is done stays",
    ("bound", "release"): "Send them with a bound on their answers, which keeps the limit",
    ("budget", "limit"): "Change the batch's limits",
    ("key", "resume"): "The key is in order now: go on",
    ("money", "resume"): "It is paid now: go on",
    ("account", "resume"): "The right key is set now: go on",
    (
        "copy",
        "take-over",
    ): "This is the one that drives it: send from here (what another one sends is paid twice)",
    ("copy", "adopt"): "Some of it is there: give the id of what is of this batch, which costs nothing",
    ("address", "resume"): "The address is in order now: go on",
    ("proxy", "resume"): "The proxy is in order now: go on",
    ("fault", "resume"): "Try that step again",
    ("output", "resume"): "The folder is in order now: write them",
    ("clock", "resume"): "Go on with the time that is left",
    ("clock", "cancel"): "Its time is over: cancel the rest; what is done stays",
    ("unsure", LOOK): "Look what lives at the backend",
    ("unsure", "adopt"): "It was made: give the id that it has there",
    ("unsure", "abandon"): "Give it up: its jobs count as failed",
    ("unsure", "resend"): "It was not made: send it again (else it is paid twice)",
    ("results", "collect"): "Ask for them now",
    ("results", "abandon"): "Give them up: jobs without an answer count as failed",
    ("forgotten", "resend"): "Send its open jobs again; they are paid again",
    ("forgotten", "abandon"): "Give it up: its open jobs count as failed, what was saved stays",
}
_USUAL: Mapping[str, str] = {
    "collect": "Fetch its results once more; nothing is sent",
    "resume": "It is settled: go on",
    "limit": "Change its limits",
    "adopt": "Adopt it: give the id that it has at the backend",
    "release": "Go on with the rest of the batch",
    "cancel": "Cancel the rest of the batch; what is done stays",
    "abandon": "Give it up: its jobs count as failed",
    "take-over": "Send from here: only where nobody else drives it",
    "resend": "Send it again: only where you know that it was not made",
}
_ORDER = (READ, LOOK, *_USUAL)
"""The most cautious first."""
_OTHERWISE = re.compile(r": batchtui (resolve|limit|resume|collect)\b.*$", re.DOTALL)


def title(item: Attention) -> str:
    return TITLES.get(item.kind, "A person is needed")


def text(item: Attention) -> str:
    """What happened, without the commands that are for the shell."""
    return _OTHERWISE.sub("", item.text)


def answers(item: Attention) -> list[tuple[str, str]]:
    """Word and label of every answer that it takes, the most cautious first."""
    words = list(item.actions) or ["resume"]
    if item.kind == "canary":
        words.append(READ)
    if item.kind == "unsure":
        words.append(LOOK)
    words.sort(key=lambda word: _ORDER.index(word) if word in _ORDER else len(_ORDER))
    return [(word, _ANSWERS.get((item.kind, word)) or _USUAL.get(word, word.capitalize())) for word in words]
