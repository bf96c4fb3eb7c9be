"""The command `cleanplate review`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..progress.terminal import say_for_now
from .json_file import add_json, hand_over
from .look import add_look
from .options import add_job, job_of
from .qc import add_limits, limits_given, output_given

_EXAMPLES = """\
examples:
  cleanplate review --result clean.####.exr        (plate, matte and settings: as the render left them there)
  cleanplate review --result clean.####.exr --single-file --page sh010.html
  cleanplate review --result clean.####.exr --live             (while it is rendered)
  cleanplate review --decisions /show/reviews --json decisions.json

exit codes:
  0    the page is written, whatever it shows
  else as of render: 2 bad usage or input, 3 frames of plate or matte missing, 6 the page can't be written
"""


def add(commands: Any) -> None:
    """Add the command's parser."""
    review = add_look(
        commands,
        "review",
        summary="write a page to review a rendered shot by, for any browser",
        description="Write a page that shows plate, result, difference and matte of every frame, what was "
        "measured and found, with room for notes and a decision. It needs no server and no network.",
        usage="--result R [options]",
        brief="example: cleanplate review --result clean.####.exr",
        epilog=_EXAMPLES,
    )
    own = add_job(review)
    own.add_argument("--result", dest="output", metavar="R", help="the rendered clean plate (as --output)")
    own.add_argument("--page", metavar="DIR", default=None, help="folder to write (NAME.review beside R)")
    own.add_argument(
        "--single-file", action="store_true", default=False, help="write one .html with the pictures in it"
    )
    own.add_argument("--name", metavar="NAME", default=None, help="what the page calls the shot")
    own.add_argument(
        "--decisions", metavar="P", default=None, help="print what was decided, in a file or below a folder"
    )
    add_json(own, "what was found (or decided)")
    add_limits(review)
    review.set_defaults(command=_review)


def _review(arguments: argparse.Namespace) -> int:
    if arguments.decisions is not None:
        return _decisions(arguments)
    from ..review.build import write_review
    from ..review.place import place_of

    given = vars(arguments)
    job = job_of(arguments, output_given(given))
    limits = limits_given(given)
    place = place_of(job.shot.output, arguments.page, single_file=arguments.single_file)
    report = write_review(job, place, name=arguments.name, limits=limits, tell=say_for_now)
    say_for_now("")
    page = place.page.resolve()
    hand_over({"page": str(page), **report.as_dict()}, arguments.json, [report.headline, f"page: {page}"])
    return 0


def _decisions(arguments: argparse.Namespace) -> int:
    from ..review.decisions import Decision, decisions_in

    found = [(path, Decision.read(path)) for path in decisions_in(Path(arguments.decisions))]
    lines = [line for _, one in found for line in one.lines()] or ["no decisions"]
    hand_over([{"file": str(path), **one.model_dump()} for path, one in found], arguments.json, lines)
    return 0
