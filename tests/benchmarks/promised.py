"""Every line that is to be shown, against whom and with which goal; and why one is not measured yet."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Promise:
    line: str
    """How the names of its measured lines begin."""
    against: str
    goal: str
    benchmark: str = ""
    why: str = ""
    """Why nothing measures it, where nothing does."""


PROMISED = (
    Promise("chat-20000-flexllm", "flexllm batch", "CPU <= 0.6", "chat"),
    Promise("chat-20000-openai", "openai SDK script", "CPU <= 0.3", "chat"),
    Promise("chat-20000-aiohttp", "aiohttp script", "CPU <= 3", "chat"),
    Promise("chat-flat", "itself at 2,000", "CPU <= 1.1", why="no benchmark yet"),
    Promise("batch-50k", "openai SDK script", "CPU <= 2", why="no benchmark yet"),
    Promise("idle-bytes", "nothing sent", "0 bytes", "idle"),
    Promise("live-50-bytes", "htop", "bytes <= 1.0", "live"),
    Promise("live-50-cpu", "a limit", "3 % of a core", "live"),
    Promise("idle-cpu-2000", "bare table app", "2 % of a core more", "idle"),
    Promise("first-frame-200", "bare table app", "<= 1.3", "idle"),
    Promise("first-frame-2000", "bare table app", "<= 1.6", "idle"),
    Promise("first-frame", "bare table app", "<= 1.25", "startup"),
    Promise("tui-million", "limits", "0.5 s, 20 ms, 80 ms, 80 MB", "tui_million"),
    Promise("tui-storm", "limits", "p95 key 60 ms, none lost", why="no benchmark yet"),
    Promise("spawn", "posix_spawn, GNU parallel", "<= 2.2, <= 0.28", "spawn"),
    Promise("fanout-transport", "bare httpx client", "CPU <= 1/16", "fanout"),
    Promise("fanout-aiohttp", "bare aiohttp session", "CPU <= 3", "fanout"),
    Promise("version", "python -c pass", "<= 1.5", "startup"),
    Promise("million", "flat", "time, CPU, memory, bytes", why="no benchmark yet"),
)
