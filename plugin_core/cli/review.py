"""The command `cleanplate review`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..progress.terminal import say_for_now
from .json_file import add_json, hand_over
from .look import add_look
from .options import add_job, job_of
from .qc import FAULTS_FOUND, add_limits, limits_given, output_given

if TYPE_CHECKING:
    from ..job.job import Job
    from ..qc.report import Report
    from ..review.build import Review

_EXAMPLES = """\
examples:
  cleanplate review --result clean.####.exr        (plate, matte and settings: as the render left them there)
  cleanplate review --result clean.####.exr --single-file --page sh010.html
  cleanplate review --result clean.####.exr --live             (while it is rendered)
  cleanplate review --job jobs/sh010.json --index /show/reviews  (one page for all, as farm --review has it)
  cleanplate review --decisions /show/reviews --json decisions.json
  cleanplate review --result clean.####.exr --views look/  (matte, difference, sources to lay over the plate)

exit codes:
  0    the page is written, whatever it shows
  9    the same, with faults, where --fail is given
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
    own.add_argument("--open", action="store_true", default=False, help="open the page in the browser")
    own.add_argument(
        "--live", action="store_true", default=False, help="renew the page while the shot is rendered"
    )
    more = (
        own.add_argument(
            "--views",
            metavar="DIR",
            default=None,
            help="write no page, but PNG files with alpha: matte, difference, source and confidence of each "
            "frame",
        ),
        own.add_argument("--name", metavar="NAME", default=None, help="what the page calls the shot"),
        own.add_argument(
            "--index", metavar="DIR", default=None, help="write the page into DIR, and its index of all shots"
        ),
        own.add_argument(
            "--fail",
            action="store_true",
            default=False,
            help="exit with 9 where there are faults, as qc does",
        ),
    )
    for option in more:
        review.advanced(option)
    own.add_argument(
        "--decisions", metavar="P", default=None, help="print what was decided, in a file or below a folder"
    )
    add_json(own, "what was found (or decided)")
    add_limits(review)
    review.set_defaults(command=_review)


def _review(arguments: argparse.Namespace) -> int:
    if arguments.decisions is not None:
        return _decisions(arguments)
    given = vars(arguments)
    result = output_given(given)
    if arguments.index is not None and result is None:
        return _index(arguments)
    job = job_of(arguments, result)
    if arguments.views is not None:
        return _views(arguments, job)
    review = _opened(arguments, job)
    report = _followed(review) if arguments.live else review.all(say_for_now)
    say_for_now("")
    lines = [report.headline, f"page: {review.page}"]
    if arguments.index is not None:
        from ..review.index import renew_index

        lines.append(f"index: {renew_index(Path(arguments.index)).resolve()}")
    hand_over({"page": str(review.page), **report.as_dict()}, arguments.json, lines)
    if arguments.open:
        import webbrowser

        webbrowser.open(review.page.as_uri())
    return FAULTS_FOUND if arguments.fail and not report.passed else 0


def _views(arguments: argparse.Namespace, job: Job) -> int:
    from ..review.views import write_views

    folder = Path(arguments.views)
    names = write_views(job, folder, say_for_now)
    say_for_now("")
    told = {"folder": str(folder.resolve()), "views": names}
    hand_over(told, arguments.json, [f"{folder}: {', '.join(names) or 'no frame is there'}"])
    return 0


def _opened(arguments: argparse.Namespace, job: Job) -> Review:
    """Open the shot, and the place where its page goes."""
    from ..errors import SettingsError
    from ..review.build import Review
    from ..review.place import place_of

    name, page = arguments.name, arguments.page
    if arguments.index is not None:
        from ..review.index import folder_name, listed_name

        if page is not None or arguments.single_file:
            raise SettingsError(
                "With --index the page goes into its folder: leave --page and --single-file out."
            )
        folder = Path(arguments.index)
        known = listed_name(folder, job.shot.output, vars(arguments).get("job"))
        name = name or known or Path(job.shot.output).parent.name
        page = str(folder / folder_name(name))
    place = place_of(job.shot.output, page, single_file=arguments.single_file)
    return Review(job, place, name, limits_given(vars(arguments)))


def _followed(review: Review) -> Report:
    from ..errors import MissingFramesError
    from ..review.live import follow

    report = follow(review, say_for_now)
    if report is None:
        raise MissingFramesError(f"No frame of {review.shot.name} came; is it rendered?")
    return report


def _index(arguments: argparse.Namespace) -> int:
    from ..review.index import renew_index

    page = renew_index(Path(arguments.index)).resolve()
    hand_over({"index": str(page)}, arguments.json, [f"index: {page}"])
    return 0


def _decisions(arguments: argparse.Namespace) -> int:
    from ..review.decisions import Decision, decisions_in

    found = [(path, Decision.read(path)) for path in decisions_in(Path(arguments.decisions))]
    lines = [line for _, one in found for line in one.lines()] or ["no decisions"]
    hand_over([{"file": str(path), **one.model_dump()} for path, one in found], arguments.json, lines)
    return 0
