"""Run one job as the command line does: with signals, progress and an exit code."""

from __future__ import annotations

from pathlib import Path

from .api import open_model
from .errors import CleanplateError
from .progress import reporting
from .render import render
from .shot import Job
from .stop import Stop, on_signals


def run_job(job: Job, progress: str) -> int:
    """Render a job to its end. Raises CleanplateError, after the reporters were told of it."""
    run = job.run
    stop = Stop(None if run.cancel_file is None else Path(run.cancel_file))
    with reporting(progress, run.progress_file) as reporters, on_signals(stop):
        try:
            with open_model(run.model, run.device, run.threads) as model:
                for _ in render(job.shot, job.settings, run, model.network, reporters, stop):
                    pass
        except CleanplateError as error:
            reporters.error(str(error), error.exit_code)
            raise
    return 0
