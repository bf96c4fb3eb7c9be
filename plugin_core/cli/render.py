"""The command `cleanplate render`, which runs a job.json whatever it asks for."""

from __future__ import annotations

import argparse
from typing import Any

from . import one_job
from .exit_codes import EXIT_CODES
from .options import add_job

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
  cleanplate render --job restoration.json                          (any job: restore, detect, retarget, too)
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
    one_job.add_run(render, own, "render")
    render.set_defaults(command=one_job.run)
