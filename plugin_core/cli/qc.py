"""The command `cleanplate qc`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..progress.terminal import say_for_now
from .json_file import add_json, hand_over
from .look import add_look
from .options import add_job, job_of
from .parser import Parser

if TYPE_CHECKING:
    from ..job.job import Job
    from ..qc.report import Limits, Report

FAULTS_FOUND = 9

_EXAMPLES = f"""\
examples:
  cleanplate qc --result clean.####.exr            (plate, matte and settings: as the render left them there)
  cleanplate qc --plate p.####.exr --matte m.####.exr --result clean.####.exr --grow 6 --feather 4
  cleanplate qc --job job.json --json qc.json --sheet qc.png
  cleanplate qc --result clean.####.exr --truth sh010/truth.####.exr --min-psnr 30

exit codes:
  0    no faults
  {FAULTS_FOUND}    faults were found: missing frames, touched pixels, NaN, or beyond a limit
  else as of render: 2 bad usage or input, 3 frames of plate or matte missing, 6 a report can't be written

what is worth a look is no fault: the last line names it
"""


def add(commands: Any) -> None:
    """Add the command's parser."""
    qc = add_look(
        commands,
        "qc",
        summary="check a rendered shot: frames, untouched pixels, softness",
        description="Check a shot that was rendered, restored or retargeted against its plate, and a render "
        "against a true clean plate if there is one. Changes nothing; needs no model and no GPU. What the "
        "run was given is known from the job that it left beside its result; what is given here wins.",
        usage="--result R [options]",
        brief="example: cleanplate qc --result clean.####.exr",
        epilog=_EXAMPLES,
    )
    own = add_job(qc)
    own.add_argument("--result", dest="output", metavar="R", help="the rendered clean plate (as --output)")
    own.add_argument("--truth", metavar="T", default=None, help="a true clean plate to hold the fill against")
    add_json(own)
    own.add_argument("--sheet", metavar="PNG", default=None, help="write a contact sheet of the worst frames")
    add_limits(qc)
    qc.set_defaults(command=_qc)


_LIMITS = (
    ("--max-seam", "seam", "X", "step across the matte's edge (2.5)"),
    ("--max-flicker", "flicker", "X", "change beyond motion (2.5)"),
    ("--min-detail", "detail", "X", "detail of the softest part, beside the softest around (0.7)"),
    ("--max-outline", "outline", "X", "lines along the matte's edge, times those beside it (2)"),
    (
        "--max-intruder",
        "intruder",
        "X",
        "what is there for a single frame, of the range from black to white (0.3)",
    ),
    ("--max-swim", "swim", "X", "share of texture that follows no motion (0.15)"),
    ("--min-sharpness", "sharpness", "X", "sharpness (told below 0.3)"),
    ("--min-noise", "noise", "X", "grain (told below 0.45)"),
    ("--min-psnr", "psnr_db", "DB", "inside the hole, needs --truth (none)"),
)
"""Options, and the fields of `qc.report.Limits` that they set."""


def add_limits(parser: Parser) -> None:
    """Add an option for each limit; what is not given is not in the namespace."""
    limits = parser.add_argument_group("limits (the fill beside what surrounds it; 1 is alike)")
    for option, _, metavar, text in _LIMITS:
        parser.advanced(limits.add_argument(option, type=float, metavar=metavar, help=text))


def limits_given(given: dict[str, Any]) -> Limits:
    """Return the limits, those that options give in place of the usual ones."""
    from ..qc.report import Limits

    asked = {option[2:].replace("-", "_"): field for option, field, _, _ in _LIMITS}
    return Limits(**{field: given[name] for name, field in asked.items() if name in given})


def output_given(given: dict[str, Any]) -> str | None:
    """Return the result that is looked at: as given, else as the given job.json names it."""
    return given.get("output") or _output_in(given)


def _output_in(given: dict[str, Any]) -> str | None:
    """Return the output that a job.json names; None where none is given, or it can't be read."""
    from ..errors import CleanplateError
    from ..job.job import Job

    try:
        return Job.read(Path(given["job"])).shot.output if "job" in given else None
    except CleanplateError:
        return None  # what is wrong is said when the job is built


def _hints(report: Report, job: Job, has_job: bool) -> list[str]:
    """Say what may be forgotten where untouched pixels seem to differ."""
    from ..render.recorded import recorded_job

    touched = any(check.name == "untouched" and check.verdict == "FAULT" for check in report.checks)
    if not touched or has_job or recorded_job(job.shot.output) is not None:
        return []
    return [
        "No job.json of the render lies beside the result: if it had --grow, --feather or other settings of "
        "the matte, give them too, or its job.json with --job."
    ]


def _qc(arguments: argparse.Namespace) -> int:
    from ..errors import SettingsError
    from ..qc.sheet import write_qc_sheet
    from ..review.checker import checker_of

    given = vars(arguments)
    if "min_psnr" in given and arguments.truth is None:
        raise SettingsError("--min-psnr needs a true clean plate to compare with: give --truth.")
    limits = limits_given(given)
    job = job_of(arguments, output_given(given))
    checker = checker_of(job, limits, arguments.truth)
    report = checker.all(say_for_now)
    say_for_now("")
    hand_over(report.as_dict(), arguments.json, [*report.lines(), *_hints(report, job, "job" in given)])
    if arguments.sheet is not None:
        write_qc_sheet(checker.pictures, report, Path(arguments.sheet))
    return 0 if report.passed else FAULTS_FOUND
