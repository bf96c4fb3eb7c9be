"""The command `cleanplate paint`."""

from __future__ import annotations

import argparse
from typing import Any

from .json_file import add_json, hand_over
from .look import add_look
from .options import add_job, job_of
from .progress_option import add_progress

_EXAMPLES = """\
examples:
  cleanplate paint --plate sh010/plate.####.exr --matte sh010/matte.####.exr --output sh010/clean.####.exr
  cleanplate paint --job job.json --json         (mend them, then render the job with --paint auto)

A key frame that was mended is kept as it is; delete it to have it painted again.
Exit codes are those that a render would have before its first frame.
"""


def add(commands: Any) -> None:
    """Add the command's parser."""
    paint = add_look(
        commands,
        "paint",
        summary="make the key frames that --paint auto carries, and stop",
        description="Paint the key frames of a shot, where no frame shows what the matte hides, without "
        "rendering it. They are EXR files that may be mended by hand before the render.",
        usage="--plate P --matte M --output O [options]",
        brief="example: cleanplate paint --plate sh010/plate.####.exr --matte sh010/matte.####.exr --output "
        "sh010/clean.####.exr",
        epilog=_EXAMPLES,
    )
    own = add_job(paint, "model", "chunk")
    add_json(own)
    paint.advanced(add_progress(own))
    paint.set_defaults(command=_paint)


def _paint(arguments: argparse.Namespace) -> int:
    from ..progress.reporters import reporting
    from ..progress.signals import on_signals
    from ..progress.stop import Stop
    from ..render.paint_pass import paint_job

    stop = Stop()
    with on_signals(stop, ends=True), reporting(arguments.progress, None) as reporters:
        watch = reporters.watch(stop, "Stopped; key frames that are finished stay.")
        frames = paint_job(job_of(arguments, do="render"), watch)
    lines = [f"{one.path}{' (mended by hand)' if one.edited else ''}" for one in frames]
    told = [{"frame": one.frame, "path": str(one.path), "edited": one.edited} for one in frames]
    hand_over({"key_frames": told}, arguments.json, lines or ["Nothing to paint: no matte has a hole."])
    return 0
