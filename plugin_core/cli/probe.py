"""The command `cleanplate probe`."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from ..errors import SettingsError
from .json_file import add_json, hand_over
from .look import add_look
from .options import add_job, job_of

_EXAMPLES = """\
examples:
  cleanplate probe --plate sh010/plate.####.exr --matte sh010/matte.####.exr --grow 6
  cleanplate probe --result sh010/clean.####.exr (with what that was rendered with)
  cleanplate probe --job job.json --json
  cleanplate probe --job job.json --trial        (how much of the holes will be real, how much a guess?)
  cleanplate probe --job job.json --quick        (reads no plates: no cuts, no edges, no timing)
  cleanplate probe --plate p.####.exr --matte m.####.exr --aspect 9:16  (retargeted: what overlaps, leaves?)

exit codes are those that a render would have before its first frame; warnings leave them at 0
"""

_NOWHERE = "clean"
_FORMAT = ("aspect", "size", "squeeze", "keep", "clean")


def add(commands: Any) -> None:
    """Add the command's parser."""
    probe = add_look(
        commands,
        "probe",
        summary="say what a render would do and take, and what to look at",
        description="Look at a shot without rendering it: frames and gaps, sizes, color, the matte and its "
        "edge, suspected cuts, crops, time and memory.",
        usage="--plate P --matte M [options]",
        brief="example: cleanplate probe --plate sh010/plate.####.exr --matte sh010/matte.####.exr",
        epilog=_EXAMPLES,
    )
    own = add_job(probe, "model", "format", rare=_FORMAT)
    result = own.add_argument(
        "--result",
        default=None,
        metavar="R",
        help="a rendered clean plate: probe what it was made with",
    )
    probe.brief(result, "a rendered clean plate, to take the job beside it")
    own.add_argument("--quick", action="store_true", help="read no plates: no cuts, no edges, no timing")
    trial = own.add_argument(
        "--trial",
        action="store_true",
        help="look for pixels on frames all over the shot: how much of its holes is real?",
    )
    probe.brief(trial, "how much of the holes can other frames show?")
    add_json(own)
    probe.set_defaults(command=_probe, progress="auto")


def _probe(arguments: argparse.Namespace) -> int:
    from ..probe.probe import probe
    from ..probe.text import lines_of
    from ..progress.reporters import reporting
    from ..progress.signals import on_signals
    from ..progress.stop import Stop
    from ..retarget.retarget import plan_retarget, rendered_first

    if arguments.result is not None and "output" not in arguments:
        arguments.output = arguments.result
    if "output" not in arguments and "job" not in arguments:
        arguments.output = _NOWHERE
    stop = Stop()
    with on_signals(stop, ends=True), reporting(arguments.progress, None) as reporters:
        watch = reporters.watch(stop, "Stopped; nothing was changed.")
        job = job_of(arguments, arguments.result)
        if job.do in ("detect", "restore"):
            raise SettingsError(f"The job is to {job.do}, and a probe is for renders; try --dry-run with it.")
        plan = None
        if job.do == "retarget" or any(name in arguments for name in _FORMAT[:3]):
            plan = plan_retarget(job, dry=True, watch=watch)
        looked = job if plan is None else rendered_first(plan)
        report = None
        if looked is not None:
            report = probe(looked, quick="quick" in arguments, trial="trial" in arguments, watch=watch)
    fields = {} if report is None else report.as_dict()
    lines = [] if report is None else [*lines_of(report, plain=not _can_draw())]
    if plan is not None:
        fields, lines = {**fields, "retarget": plan.as_dict()}, [*plan.lines(), *lines]
    hand_over(fields, arguments.json, lines)
    return 0 if report is None or report.problem is None else report.problem.exit_code


def _can_draw() -> bool:
    try:
        "▁█".encode(sys.stdout.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True
