"""The commands `cleanplate detect` and `cleanplate restore`: film damage found, or found and repaired."""

from __future__ import annotations

import argparse
from typing import Any

from . import one_job
from .exit_codes import EXIT_CODES
from .look import add_look
from .options import add_job

_DETECT_EXAMPLES = f"""\
examples:
  cleanplate detect all --plate scan.####.dpx --matte matte/damage.####.exr
  cleanplate detect dirt --plate scan.####.dpx --matte dirt.####.exr --sensitivity 0.7 --review look/

{EXIT_CODES}"""

_RESTORE_EXAMPLES = f"""\
examples:
  cleanplate restore --plate scan.####.dpx --output clean.####.dpx
  cleanplate restore --plate scan.mov --output clean.mov --kinds dirt --protect faces.####.exr
  cleanplate restore --plate scan.####.exr --output clean.####.exr --review look/    (what was found, where?)
  cleanplate restore --plate scan.####.exr --output clean.####.exr --finds look/finds.json --overwrite
  cleanplate restore --plate scan.####.exr --matte damage.####.exr --output clean.####.exr  (nothing sought)

{EXIT_CODES}"""

_SHOT = ("plate", "frames", "colorspace", "ocio_config", "view", "cuts")
_STORED = ("output", "compression", "bit_depth")
_MATTE = ("matte", "matte_channel", "matte_invert", "matte_threshold", "matte_fit")
_SEARCH = ("sensitivity", "protect", "polarity", "contrast", "smallest", "largest", "review")
_REPAIR = ("kinds", "finds", "repair_grain")
_RUN = (
    *("resume", "overwrite", "keep_edited", "chunk", "threads"),
    *("wait_seconds", "progress_file", "cancel_file"),
)


def add(commands: Any) -> None:
    """Add the parsers of both commands."""
    detect = add_look(
        commands,
        "detect",
        summary="find film damage and write mattes of it",
        description="Find dust, dirt and hairs that stand on one frame, and scratches that run through many, "
        "and write a matte of them, white, for every frame. Nothing is repaired.",
        usage="KIND --plate P --matte M [options]",
        brief="example: cleanplate detect all --plate scan.####.dpx --matte matte/damage.####.exr",
        epilog=_DETECT_EXAMPLES,
    )
    detect.add_argument(
        "kinds",
        choices=("dirt", "scratches", "all"),
        metavar="KIND",
        help="dirt, scratches or all",
    )
    detect.add_argument("--matte", dest="output", metavar="M", required=True, help="write the mattes here")
    one_job.add_run(detect, add_job(detect, names=(*_SHOT, *_SEARCH, *_RUN), rare=_RARE), "detection")
    detect.set_defaults(command=_detect)
    restore = add_look(
        commands,
        "restore",
        summary="find film damage and repair it",
        description="Find dust, dirt, hairs and running scratches, or take a matte of them, and put what the "
        "frames around show in their place. All other pixels stay as they are, bit for bit.",
        usage="--plate P --output O [options]",
        brief="example: cleanplate restore --plate scan.####.dpx --output clean.####.dpx",
        epilog=_RESTORE_EXAMPLES,
    )
    names = (*_SHOT, *_STORED, *_MATTE, *_SEARCH, *_REPAIR, *_RUN)
    one_job.add_run(restore, add_job(restore, names=names, rare=_RARE), "restoration")
    restore.set_defaults(command=_restore)


_RARE = ("matte_channel", "matte_invert")


def _detect(arguments: argparse.Namespace) -> int:
    return one_job.run(arguments, "detect")


def _restore(arguments: argparse.Namespace) -> int:
    return one_job.run(arguments, "restore")
