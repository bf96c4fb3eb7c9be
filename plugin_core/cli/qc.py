"""The command `cleanplate qc`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..progress.terminal import say_for_now
from .json_file import add_json, hand_over
from .look import add_look
from .options import add_job, job_of

FAULTS_FOUND = 9

_EXAMPLES = f"""\
examples:
  cleanplate qc --job job.json                     (the job that was rendered: its matte settings are needed)
  cleanplate qc --plate p.####.exr --matte m.####.exr --result clean.####.exr --grow 6 --feather 4
  cleanplate qc --job job.json --json qc.json --sheet qc.png
  cleanplate qc --job job.json --truth sh010/truth.####.exr --min-psnr 30

exit codes:
  0    no faults
  {FAULTS_FOUND}    faults were found: missing frames, touched pixels, NaN, seam, flicker, or below a limit
  else as of render: 2 bad usage or input, 3 frames of plate or matte missing, 6 a report can't be written
"""


def add(commands: Any) -> None:
    """Add the command's parser."""
    qc = add_look(
        commands,
        "qc",
        summary="check a rendered shot: frames, untouched pixels, seam, flicker",
        description="Check a rendered shot against its plate, and against a true clean plate if there is "
        "one. Changes nothing; needs no model and no GPU. Give it what the render was given.",
        usage="--plate P --matte M --result R [options]",
        brief="example: cleanplate qc --plate p.####.exr --matte m.####.exr --result clean.####.exr",
        epilog=_EXAMPLES,
    )
    own = add_job(qc)
    own.add_argument("--result", dest="output", metavar="R", help="the rendered clean plate (as --output)")
    own.add_argument("--truth", metavar="T", default=None, help="a true clean plate to hold the fill against")
    add_json(own)
    own.add_argument("--sheet", metavar="PNG", default=None, help="write a contact sheet of the worst frames")
    limits = qc.add_argument_group("limits (the fill beside what surrounds it; 1 is alike)")
    for name, metavar, text in _LIMIT_TEXTS:
        qc.advanced(limits.add_argument(name, type=float, metavar=metavar, help=text))
    qc.set_defaults(command=_qc)


_LIMIT_TEXTS = (
    ("--max-seam", "X", "step across the matte's edge (2.5)"),
    ("--max-flicker", "X", "change beyond motion (2.5)"),
    ("--min-sharpness", "X", "fine detail (told below 0.5)"),
    ("--min-noise", "X", "grain (told below 0.6)"),
    ("--min-psnr", "DB", "inside the hole, needs --truth (none)"),
)
_LIMITS = {
    "max_seam": "seam",
    "max_flicker": "flicker",
    "min_sharpness": "sharpness",
    "min_noise": "noise",
    "min_psnr": "psnr_db",
}


def _qc(arguments: argparse.Namespace) -> int:
    from ..errors import SettingsError
    from ..qc.check import QcShot, check
    from ..qc.report import Limits
    from ..qc.sheet import write_qc_sheet

    given = vars(arguments)
    if "min_psnr" in given and arguments.truth is None:
        raise SettingsError("--min-psnr needs a true clean plate to compare with: give --truth.")
    limits = Limits(**{field: given[name] for name, field in _LIMITS.items() if name in given})
    shot = QcShot(job_of(arguments), arguments.truth)
    report = check(shot, limits, tell=say_for_now)
    say_for_now("")
    hand_over(report.as_dict(), arguments.json, report.lines())
    if arguments.sheet is not None:
        write_qc_sheet(shot, report, Path(arguments.sheet))
    return 0 if report.passed else FAULTS_FOUND
