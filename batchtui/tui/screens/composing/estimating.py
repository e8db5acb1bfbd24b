"""The last line of the form, kept true while one types: counted after a pause, in a thread."""

from __future__ import annotations

from dataclasses import dataclass

from textual import on
from textual.message import Message
from textual.worker import Worker, get_current_worker

from batchtui.model import Problem
from batchtui.preflight import Preflight
from batchtui.tui.latest import Latest
from batchtui.tui.models.compose_model import FieldFault, named, spec_of
from batchtui.tui.models.form_fields import BACKEND_KEY
from batchtui.tui.screens.composing.checks import ComposeChecks
from batchtui.tui.screens.composing.estimate import Stopped, estimate
from batchtui.tui.widgets.form.estimate_line import Estimate, EstimateLine

PAUSE_SECONDS = 0.5


@dataclass
class Estimated(Message):
    """What the form comes to."""

    worker: Worker[None]
    found: Estimate


class ComposeEstimates(ComposeChecks):
    """Needs what `ComposeScreen` has."""

    _latest: Latest

    def rows_of_source(self) -> int | None:
        """How many there are; None while that is not known."""
        raise NotImplementedError

    @property
    def _line(self) -> EstimateLine:
        return self.query_one(EstimateLine)

    def _estimate_later(self) -> None:
        self._line.grows_old()
        self._latest.stop("estimate")
        self._latest.after("estimate", PAUSE_SECONDS, self._run_estimate)

    def _run_estimate(self) -> None:
        form = self.form.form
        if not form.values.get("source.file") and not any(key.startswith("job.") for key in form.values):
            self._line.show(None)
            return
        try:
            spec = named(spec_of(form), form.path)
        except FieldFault as fault:
            self._line.show(_unready(fault.key, str(fault)))
            return
        if self._without_backend(spec):
            self._line.show(_unready(BACKEND_KEY, "none is chosen"))
            return
        base, backends, rows = form.base, self.tui.backends, self.rows_of_source()

        def work() -> None:
            worker = get_current_worker()
            try:
                found = estimate(spec, base, backends, rows, lambda: worker.is_cancelled)
            except Stopped:
                return
            self.post_message(Estimated(worker, found))

        self._latest.start("estimate", work)

    @on(Estimated)
    def _show_estimate(self, event: Estimated) -> None:
        if self._latest.current("estimate", event.worker):
            self._line.show(event.found)

    def _show_whole(self, flight: Preflight) -> None:
        """A check has counted every job."""
        self._latest.stop("estimate")
        self._line.show(Estimate(flight, flight.jobs, self.tui.config.limits.cost_usd_per_day))


def _unready(key: str, message: str) -> Estimate:
    return Estimate(Preflight(problems=[Problem(key=key, message=message)]), None)
