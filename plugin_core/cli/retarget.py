"""The command `cleanplate retarget`."""

from __future__ import annotations

import argparse
from typing import Any

from . import one_job
from .exit_codes import EXIT_CODES
from .look import add_look
from .options import add_job

_EXAMPLES = f"""\
examples:
  cleanplate retarget --plate p.####.exr --matte m.####.exr --aspect 9:16 --output tall/tall.####.exr
  cleanplate retarget ... --clean clean.####.exr --size 1080x1920   (a clean plate that is there already)
  cleanplate retarget ... --squeeze 0.5,y                           (half the height)
  cleanplate retarget ... --aspect 1:1 --keep crop                  (a window that follows the objects)
  cleanplate retarget ... --aspect 9:16 --dry-run                   (what would overlap, or leave the frame?)

{EXIT_CODES}"""

_OF_THE_FILL = ("grow", "matte_channel", "matte_invert", "feather", "grain", "propagate", "paint")
"""Settings that only the clean plate's render knows: in the whole help."""


def add(commands: Any) -> None:
    """Add the command's parser."""
    retarget = add_look(
        commands,
        "retarget",
        summary="another aspect: objects keep their size, the rest is squeezed",
        description="Give a shot another aspect, by one of --aspect, --size and --squeeze. The clean plate "
        "is squeezed in one axis, and what the matte shows is laid back over it at its own size. It is "
        "rendered as `render` does it, into the folder clean beside the output, unless --clean gives it; "
        "options of a render are for it.",
        usage="--plate P --matte M --aspect A --output O [options]",
        brief="example: cleanplate retarget --plate p.####.exr --matte m.####.exr --aspect 9:16 --output o/",
        epilog=_EXAMPLES,
    )
    own = add_job(retarget, "format", "model", "run", rare=_OF_THE_FILL)
    one_job.add_run(retarget, own, "retargeting")
    retarget.set_defaults(command=_retarget)


def _retarget(arguments: argparse.Namespace) -> int:
    return one_job.run(arguments, "retarget")
