"""Run one job as the command line does: with signals, progress and an exit code."""

from __future__ import annotations

from pathlib import Path

from ..api import open_model
from ..errors import CleanplateError, Interrupted
from ..job.job import Job
from ..progress.reporters import reporting
from ..progress.stop import Stop, on_signals
from ..render.delivery import check_progress_file, render


def run_job(job: Job, progress: str, stop: Stop | None = None, notice_seconds: float | None = None) -> int:
    """Render a job to its end. Raises CleanplateError, after the reporters were told of it.

    Args:
        job: what to render.
        progress: ``auto``, ``bar``, ``json``, ``none`` or a farm's dialect.
        stop: asked between frames; SIGINT, SIGTERM and the job's cancel file are added to it.
        notice_seconds: see `on_signals`.
    """
    run = job.run
    stop = stop or Stop()
    if run.cancel_file is not None:
        stop.watch(Path(run.cancel_file))
    check_progress_file(job)
    with reporting(progress, run.progress_file) as reporters, on_signals(stop, notice_seconds):
        try:
            with open_model(run.model, run.device, run.threads) as model:
                for _ in render(job.shot, job.settings, run, model.network, reporters, stop):
                    pass
        except CleanplateError as error:
            reporters.error(str(error), error.exit_code)
            raise
        except KeyboardInterrupt:
            code = stop.requested() or 130
            stopped = Interrupted("Stopped at once; go on with --resume from the last saved state.", code)
            reporters.error(str(stopped), code)
            raise stopped from None
    return 0
