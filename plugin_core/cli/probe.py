"""The command `cleanplate probe`."""

from __future__ import annotations

import argparse
import sys
from typing import Any

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

exit codes are those that a render would have before its first frame; warnings leave them at 0
"""

_NOWHERE = "clean"


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
    own = add_job(probe, "model")
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

    if arguments.result is not None and "output" not in arguments:
        arguments.output = arguments.result
    if "output" not in arguments and "job" not in arguments:
        arguments.output = _NOWHERE
    stop = Stop()
    with on_signals(stop, ends=True), reporting(arguments.progress, None) as reporters:
        watch = reporters.watch(stop, "Stopped; nothing was changed.")
        report = probe(
            job_of(arguments, arguments.result, do="render"),
            quick="quick" in arguments,
            trial="trial" in arguments,
            watch=watch,
        )
    hand_over(report.as_dict(), arguments.json, lines_of(report, plain=not _can_draw()))
    return 0 if report.problem is None else report.problem.exit_code


def _can_draw() -> bool:
    try:
        "▁█".encode(sys.stdout.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True
