"""The command `cleanplate retarget`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ..errors import SettingsError
from .exit_codes import EXIT_CODES
from .json_file import add_json, hand_over
from .look import add_look
from .options import add_job, job_of
from .progress_option import add_progress
from .told_errors import told_errors

if TYPE_CHECKING:
    from ..progress.stop import Stop
    from ..retarget.retarget import Plan

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
        description="Give a shot another aspect. The clean plate is squeezed in one axis, and what the matte "
        "shows is laid back over it at its own size. The clean plate is rendered as `render` does it, into "
        "the folder clean beside the output, unless --clean gives it; options of a render are for it.",
        usage="--plate P --matte M --aspect A --output O [options]",
        brief="example: cleanplate retarget --plate p.####.exr --matte m.####.exr --aspect 9:16 --output o/",
        epilog=_EXAMPLES,
    )
    new = retarget.add_argument_group("the new format (one of the first three)")
    new.add_argument("--aspect", metavar="A", help="width over height on the screen, such as 9:16 or 1.85")
    new.add_argument("--size", metavar="WxH", help="pixels across and down, such as 1080x1920")
    new.add_argument(
        "--squeeze", metavar="R", help="a ratio: 0.5 for half the width, 0.5,y for half the height"
    )
    new.add_argument(
        "--keep", choices=("squeeze", "crop"), help="squeeze the background, or crop to a window (squeeze)"
    )
    new.add_argument("--clean", metavar="C", help="a clean plate; else one is rendered")
    retarget.advanced(
        new.add_argument(
            "--smooth", type=int, metavar="FRAMES", help="smooth positions over so many frames each way (8)"
        )
    )
    retarget.advanced(
        new.add_argument("--pixel-aspect", type=float, metavar="X", help="of the output (the plate's)")
    )
    own = add_job(retarget, "model", "run", rare=_OF_THE_FILL)
    own.add_argument("--dry-run", action="store_true", help="say what would be done, and what looks wrong")
    add_json(own, "with --dry-run: what was decided")
    retarget.advanced(add_progress(own))
    retarget.set_defaults(command=_retarget)


def _retarget(arguments: argparse.Namespace) -> int:
    from ..progress.reporters import reporting
    from ..progress.signals import on_signals
    from ..progress.stop import Stop
    from ..retarget.geometry import target_of
    from ..retarget.retarget import SMOOTH, Asked, plan_retarget

    given = vars(arguments)
    target = target_of(*(given.get(name) for name in ("aspect", "size", "squeeze")))
    smooth = given.get("smooth", SMOOTH)
    if not 0 <= smooth <= 100:
        raise SettingsError(f"--smooth should be 0 to 100 frames, got {smooth}.")
    asked = Asked(target, given.get("keep", "squeeze"), given.get("pixel_aspect"), smooth)
    job, dry = job_of(arguments), "dry_run" in given
    if arguments.json is not None and not dry:
        raise SettingsError("--json goes with --dry-run; a retargeting tells of itself by --progress json.")
    stop = Stop()
    with on_signals(stop, ends=True):
        with reporting(arguments.progress if dry else "none", None) as quiet:
            watch = quiet.watch(stop, "Stopped; nothing was written.")
            plan = plan_retarget(job, asked, dry=dry, watch=watch)
        if dry:
            hand_over(plan.as_dict(), arguments.json, plan.lines())
            return 0
        return _run(plan, given.get("clean"), arguments.progress, stop)


def _run(plan: Plan, clean: str | None, progress: str, stop: Stop) -> int:
    from ..progress.reporters import reporting
    from ..retarget.retarget import check_output, retarget
    from .render import run_job

    check_output(plan)
    if clean is None and plan.needs_clean:
        cleaning = plan.clean_job()
        run_job(cleaning, progress, stop)
        clean = cleaning.shot.output
    with reporting(progress, plan.job.run.progress_file) as reporters, told_errors(reporters):
        for note in plan.notes:
            reporters.note(note)
        for warning in plan.warnings:
            reporters.note(warning, "retarget")
        for _ in retarget(plan, clean, reporters, stop):
            pass
    return 0
