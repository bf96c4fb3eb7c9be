"""The command `cleanplate render`, and one job run as it does it: with signals, progress and an exit code."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SettingsError
from .exit_codes import EXIT_CODES
from .json_file import hand_over
from .options import add_job, job_of
from .progress_option import add_progress
from .told_errors import told_errors

if TYPE_CHECKING:
    from ..job.job import Job
    from ..progress.stop import Stop

_EXAMPLE = """\
example: cleanplate render --plate plate.mov --matte matte.mov --output out/
cleanplate render --help-all has every option, more examples and exit codes.
"""

_EXAMPLES = """\
examples:
  cleanplate render --plate sh010/plate.####.exr --matte sh010/matte.####.exr --output sh010/clean.####.exr
  cleanplate render --plate plate.mov --matte matte.mov --output out/ --grow 6 --feather 4
  cleanplate render --job job.json --resume --progress json
  cleanplate render --job job.json --dry-run                        (what would --resume render, and why?)
  cleanplate render ... --frames 1001-1050 --state-out a.state      (first chunk of a shot)
  cleanplate render ... --frames 1051-1100 --state-in a.state       (the next one: same pixels as in one go)

sequences: name.####.exr, name.@@@@.exr, name.%04d.exr, a folder that holds one sequence, or a movie file.
"""


def add(commands: Any) -> None:
    """Add the command's parser."""
    render = commands.add_parser(
        "render",
        help="fill a shot",
        description="Fill the matted part of a plate, frame by frame, in order.",
        usage="%(prog)s --plate P --matte M --output O [options]",
        brief_epilog=_EXAMPLE,
        epilog=f"{_EXAMPLES}\n{EXIT_CODES}",
        argument_default=argparse.SUPPRESS,
    )
    own = add_job(render, "model", "run", "chunk")
    own.add_argument("--dry-run", action="store_true", help="say what would be rendered and why")
    render.brief(add_progress(own), "bar, lines, json, none or a farm's (auto)")
    render.advanced(
        own.add_argument(
            "--json",
            nargs="?",
            const="-",
            default=None,
            metavar="FILE",
            help="what --dry-run says as JSON: into a file, or printed in place of the text",
        )
    )
    render.advanced(
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
    render.advanced(
        own.add_argument(
            "--notice",
            type=float,
            default=None,
            metavar="SECONDS",
            help="after SIGTERM or SIGINT, leave a frame that takes longer than this (wait for it)",
        )
    )
    render.set_defaults(command=_render)


def run_job(job: Job, progress: str, stop: Stop, job_file: str | None = None) -> int:
    """Render a job to its end. Raises CleanplateError, after the reporters were told of it.

    Args:
        job: what to render.
        progress: ``auto``, ``bar``, ``json``, ``none`` or a farm's dialect.
        stop: asked inside every long loop; the job's cancel file is added to it.
        job_file: where the job is written too, as it can be run again.
    """
    from ..api import open_model
    from ..errors import Interrupted
    from ..progress.reporters import reporting
    from ..progress.signals import AT_ONCE
    from ..progress.watch import Phase
    from ..render.delivery import render
    from ..render.recorded import write_job
    from ..render.side_files import check_side_files

    run = job.run
    if run.cancel_file is not None:
        stop.watch(Path(run.cancel_file))
    check_side_files(job.shot, job.run, job_file)

    def recorded(job: Job) -> None:
        if job_file is not None:
            write_job(Path(job_file), job)

    with reporting(progress, run.progress_file) as reporters:
        try:
            with told_errors(reporters):
                reporters.phase(Phase.MODEL)
                with open_model(run.model, run.device, run.threads) as model:
                    given = job.shot, job.settings, run, model.network, reporters, stop
                    for _ in render(*given, recorded=recorded):
                        pass
        except KeyboardInterrupt:
            code = stop.requested() or 130
            stopped = Interrupted(AT_ONCE, code)
            reporters.error(str(stopped), code)
            raise stopped from None
    return 0


def _render(arguments: argparse.Namespace) -> int:
    from ..progress.signals import on_signals
    from ..progress.stop import Stop

    if "dry_run" in arguments:
        from ..probe.forecast import forecast_job
        from ..progress.reporters import reporting

        stop = Stop()
        with on_signals(stop, ends=True), reporting(arguments.progress, None) as reporters:
            watch = reporters.watch(stop, "Stopped; nothing was changed.")
            told = forecast_job(job_of(arguments), watch)
        as_lines = arguments.json is None and arguments.progress == "json"
        hand_over(told.as_dict(), "-" if as_lines else arguments.json, [told])
        return 0
    if arguments.json is not None:
        raise SettingsError("--json goes with --dry-run; a render tells of itself by --progress json.")
    stop = Stop()
    with on_signals(stop, arguments.notice, ends=True):
        # Loading takes a second: a signal that comes meanwhile is kept until the render can act on it.
        return run_job(job_of(arguments), arguments.progress, stop, arguments.write_job)
