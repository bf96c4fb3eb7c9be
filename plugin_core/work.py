"""What a job asks for, whatever that is, done or foretold: the one door for commands, workers and Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import InputError
from .job.job import Job
from .network.contract import Network
from .progress.reporters import Reporters
from .progress.stop import Stop
from .progress.watch import Watch, unwatched
from .render.delivery import render
from .render.render import FrameDone

if TYPE_CHECKING:
    from .probe.forecast import Forecast

# What a job does not ask for is not loaded: it takes as long as a frame.


def carry_out(
    job: Job,
    network: Callable[[], Network],
    reporters: Reporters,
    stop: Stop,
    *,
    recorded: Callable[[Job], None] = lambda job: None,
) -> Iterator[FrameDone]:
    """Do what a job asks for, and yield each frame once its file is whole.

    Args:
        job: what is done, with which shot.
        network: opens the model, or has it open; asked for only where one is needed.
        reporters: told of progress.
        stop: asked inside every long loop whether to go on; the job's cancel file is added to it.
        recorded: given the job as it can be run again, once nothing refuses it.

    Raises:
        CleanplateError: see `plugin_core.errors`; what was written stays and can be gone on with.
    """
    _check(job)
    if job.run.cancel_file is not None:
        stop.watch(Path(job.run.cancel_file))
    if job.do == "render":
        given = job.shot, job.settings, job.run, network(), reporters, stop
        yield from render(*given, recorded=recorded)
    elif job.do == "retarget":
        from .retarget.retarget import retarget

        yield from retarget(job, network, reporters, stop, recorded=recorded)
    else:
        from .restore.run import restore

        yield from restore(job, reporters, stop, recorded=recorded)


def _check(job: Job) -> None:
    if job.do != "render" and (job.run.state_in or job.run.state_out):
        raise InputError(
            f"To {job.do} needs no state, and hands none on: leave --state-in and --state-out out."
        )


@dataclass(frozen=True)
class Foretold:
    """What a job would do.

    Attributes:
        forecast: which frames, and why.
        more: what else was decided, as JSON can hold it.
        lines: the same for people.
    """

    forecast: Forecast
    more: Mapping[str, object] = field(default_factory=dict)
    lines: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the event, for machines."""
        return {**self.more, **self.forecast.as_dict()}


def foretell(job: Job, watch: Watch = unwatched) -> Foretold:
    """Say what a job would do. Raises what it would raise before its first frame.

    `watch` is told how it gets on, and may raise to stop.
    """
    _check(job)
    if job.do == "render":
        from .probe.forecast import forecast_job

        return Foretold(forecast_job(job, watch))
    if job.do == "retarget":
        from .retarget.retarget import plan_retarget, retarget_forecast

        plan = plan_retarget(job, dry=True, watch=watch)
        return Foretold(retarget_forecast(plan, watch), plan.as_dict(), tuple(plan.lines()))
    from .restore.run import restore_forecast

    return Foretold(restore_forecast(job, watch))
