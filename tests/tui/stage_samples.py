"""Batches whose submissions stand at every stage, for the tests of what the screens say of them."""

from __future__ import annotations

from batchtui.model import LimitsSpec
from batchtui.store.disk import clock, ranges
from batchtui.store.library import Library
from tests.tui.samples import NOW, Sample

REASON = "$2.00 more may be needed, and $2.00 of the batch's $3.00 are spent or in flight"


def stage_library(library: Library) -> Library:
    """Anthropic, once done and now silent; several backends; held by its budget; a canary that is back."""
    done = Sample(library, "m2earl", "earlier", ["a", "b"], backend="anthropic", age=86400)
    done.submit(0, 2, "msgbatch_early")
    done.clock.at += 35 * 60
    done.finish(0, took=0)
    done.finish(1, took=0)
    done.end()
    done.close()

    silent = Sample(library, "n3quie", "quiet-labels", [f"q{n}" for n in range(1200)], backend="anthropic", age=900,
                    limits=LimitsSpec(cost_usd=5.0, time="2h"), estimated=2.2)  # fmt: skip
    silent.clock.at = NOW - 720
    silent.submit(0, 1200, "msgbatch_01QuietUbwbV5uDC8jWR4ZsDV9e")
    silent.clock.at = NOW - 240
    silent.record("poll", sub=1, state="processing", expires=clock.stamp(NOW + 3600 * 23))
    silent.close()

    several = Sample(library, "p4many", "five-ways", [f"w{n}" for n in range(30)], backend="openai", kind="openai, anthropic",
                     age=1800, accounts={"openai": "a", "anthropic": "b", "mistral": "c"})  # fmt: skip
    for sub, (backend, first) in enumerate((("openai", 0), ("anthropic", 10), ("mistral", 20)), 1):
        several.record(
            "intent", sub=sub, token=f"t{sub}", jobs=ranges.encode(range(first, first + 10)), backend=backend
        )
    several.record("submitted", sub=1, remote_id="batch_68f1")
    several.record("submitted", sub=2, remote_id="msgbatch_77")
    several.record("poll", sub=1, state="processing", completed=4, failed=1)
    several.record("waiting", sub=3, reason="120,000 tokens are enqueued for this model, of 200,000 that its "
                   "provider takes")  # fmt: skip
    several.close()

    held = Sample(library, "r5poor", "held-back", [f"h{n}" for n in range(40)], backend="openai", age=1200,
                  limits=LimitsSpec(cost_usd=3.0))  # fmt: skip
    held.submit(0, 40, None)
    held.record("waiting", sub=1, kind="batch", reason=REASON, estimated_usd=2.0)
    held.close()

    bird = Sample(library, "s6bird", "first-ten", [f"c{n}" for n in range(50)], backend="openai", age=300,
                  limits=LimitsSpec(canary=10))  # fmt: skip
    bird.submit(0, 10, "batch_bird")
    for n in range(10):
        bird.finish(n, took=1, raw_response=f"answer {n}")
    bird.record("collected", sub=1)
    bird.record("attention", kind="canary", actions=["release", "cancel"],
                text="the canary of 10 is back: 10 completed; 40 jobs wait for its release: "
                "batchtui resolve s6bird release")  # fmt: skip
    bird.close()
    return library
