"""Batches by official clients that speak OpenAI's form."""

from __future__ import annotations

import time


def submit(client, content: bytes, window: str = "24h"):
    stored = client.files.create(file=("rows.jsonl", content), purpose="batch")
    return client.batches.create(
        input_file_id=stored.id,
        endpoint="/v1/chat/completions",
        completion_window=window,
        metadata={"batchtui_token": "tok"},
    )


def ended(client, batch):
    deadline = time.monotonic() + 20
    while batch.status not in ("completed", "failed", "expired", "cancelled"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
        batch = client.batches.retrieve(batch.id)
    return batch
