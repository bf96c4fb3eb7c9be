"""One job from a command line to its end, whatever it asks for: with signals, progress and an exit code."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import SettingsError
from .json_file import hand_over
from .options import job_of
from .progress_option import add_progress
from .told_errors import told_errors

if TYPE_CHECKING:
    from ..job.job import Do, Job
    from ..network.contract import Network
    from ..progress.stop import Stop
    from .parser import Parser


def add_run(parser: Parser, own: argparse._ArgumentGroup, job: str) -> None:
    """Add the options of a command that runs a job, beside those that the job is made of.

    Args:
        parser: of the command.
        own: its group for them.
        job: what a run of it is called.
    """
    own.add_argument("--dry-run", action="store_true", help=f"say what a {job} would do and why")
    parser.brief(add_progress(own), "bar, lines, json, none or a farm's (auto)")
    parser.advanced(
        own.add_argument(
            "--json",
            nargs="?",
            const="-",
            default=None,
            metavar="FILE",
            help="what --dry-run says as JSON: into a file, or printed in place of the text",
        )
    )
    parser.advanced(
        own.add_argument(
            "--write-job",
            nargs="?",
            const="job.json",
            default=None,
            metavar="FILE",
            help="write the job here too, as --job takes it (job.json); one always lies in .cleanplate, "
            "beside the output",
        )
    )
    parser.advanced(
        own.add_argument(
            "--notice",
            type=float,
            default=None,
            metavar="SECONDS",
            help="after SIGTERM or SIGINT, leave a frame that takes longer than this (wait for it)",
        )
    )


def run(arguments: argparse.Namespace, do: Do | None = None) -> int:
    """Run the job that is asked for, or say what it would do; returns the exit code.

    Args:
        arguments: as parsed, with `add_run`'s.
        do: what the command does; None for whatever the job says.
    """
    from ..progress.signals import on_signals
    from ..progress.stop import Stop

    stop = Stop()
    if "dry_run" in arguments:
        with on_signals(stop, ends=True):
            return _foretell(job_of(arguments, do=do), arguments.progress, arguments.json, stop)
    if arguments.json is not None:
        raise SettingsError("--json goes with --dry-run; a run tells of itself by --progress json.")
    with on_signals(stop, arguments.notice, ends=True):
        # Loading takes a second: a signal that comes meanwhile is kept until the run can act on it.
        return run_job(job_of(arguments, do=do), arguments.progress, stop, arguments.write_job)


def _foretell(job: Job, progress: str, json: str | None, stop: Stop) -> int:
    from ..progress.reporters import reporting
    from ..work import foretell

    with reporting(progress, None) as reporters:
        told = foretell(job, reporters.watch(stop, "Stopped; nothing was changed."))
    as_lines = json is None and progress == "json"
    hand_over(told.as_dict(), "-" if as_lines else json, [*told.lines, told.forecast])
    return 0


def run_job(job: Job, progress: str, stop: Stop, job_file: str | None = None) -> int:
    """Run a job to its end. Raises CleanplateError, after the reporters were told of it.

    Args:
        job: what to do.
        progress: ``auto``, ``bar``, ``json``, ``none`` or a farm's dialect.
        stop: asked inside every long loop; the job's cancel file is added to it.
        job_file: where the job is written too, as it can be run again.
    """
    from ..api import open_model
    from ..errors import Interrupted
    from ..progress.reporters import reporting
    from ..progress.signals import AT_ONCE
    from ..progress.watch import Phase
    from ..render.recorded import write_job
    from ..render.side_files import check_side_files
    from ..work import carry_out

    check_side_files(job.shot, job.run, job_file, job.beside())

    def recorded(job: Job) -> None:
        if job_file is not None:
            write_job(Path(job_file), job)

    with reporting(progress, job.run.progress_file) as reporters:
        try:
            with told_errors(reporters), ExitStack() as opened:

                def network() -> Network:
                    reporters.phase(Phase.MODEL)
                    asked = job.run.model, job.run.device, job.run.threads
                    return opened.enter_context(open_model(*asked)).network

                for _ in carry_out(job, network, reporters, stop, recorded=recorded):
                    pass
        except KeyboardInterrupt:
            code = stop.requested() or 130
            stopped = Interrupted(AT_ONCE, code)
            reporters.error(str(stopped), code)
            raise stopped from None
    return 0
