"""The output of a batch that has ended: written where its batch file says, or the reason why not kept with it."""

from __future__ import annotations

import asyncio

from batchtui.amounts import counted
from batchtui.engine.context import BatchContext
from batchtui.engine.outputs.result_files import output_dir, write_results
from batchtui.errors import BatchtuiError


async def write_output(context: BatchContext) -> bool:
    """Write the results where `[output] dir` leads, if anywhere; True: there is nothing left to write."""
    spec, base = context.folder.header.spec, context.folder.header.base
    if spec.output.dir:
        target = output_dir(spec, base)
        try:
            written = await asyncio.to_thread(write_results, context.folder, target)
        except (BatchtuiError, OSError) as fault:
            output_failed(context, f"the results could not be written to {target}: {fault}")
        else:
            context.settle_attention("output")
            context.log(
                "info",
                f"{counted(written.count, 'result')} {'is' if written.count == 1 else 'are'} in {written.place}",
            )
    return True


def output_failed(context: BatchContext, text: str) -> None:
    """Keep with the batch that its output could not be written, and why. What is stored stays."""
    context.log("error", text)
    if ("output", None) not in context.progress.attention:
        context.writer.record("attention", kind="output", text=text[:300], actions=["resume"])
