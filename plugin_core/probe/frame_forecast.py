"""What a restoration or a retargeting would do, and why, without doing it: frames are made in any order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..clips.frame_range import frames_words
from ..clips.sequence import compact
from ..progress.watch import Watch, unwatched
from ..render.frame_by_frame import FrameByFrame, Made
from ..render.frame_movie import Delivery
from ..render.present import whose
from .forecast import Forecast, span


def frame_forecast(frames: FrameByFrame, watch: Watch = unwatched) -> Forecast:
    """Say what a run would do with the frames of an output.

    Args:
        frames: of the output; `resume` and `overwrite` of its run make no difference.
        watch: told how it gets on; may raise to stop.
    """
    made = frames.look(watch)
    present = made.present
    ours = {*present.rendered, *present.older, *present.damaged}
    told = _told(frames, made)
    missing = set(frames.frames) - present.precious - ours
    return replace(told, rendered=span(ours), edited=span(present.precious), missing=span(missing))


def _told(frames: FrameByFrame, made: Made) -> Forecast:
    first, last = frames.frames[0], frames.frames[-1]
    present, kept = made.present, frames.run.keep_edited
    ours = {*present.rendered, *present.older, *present.damaged}
    if present.precious and not kept:
        return Forecast("occupied", first, last, first, (f"in the output {whose(present)}",))
    if made.changed:
        named = tuple(f"{name} was {then}, now is {now}" for name, then, now in made.changed)
        return Forecast("overwrite", first, last, first, named)
    if not made.is_begun and present.older:
        why = f"{frames_words(present.older)} of the output are of another run"
        return Forecast("overwrite", first, last, first, (why,))
    todo = [frame for frame in frames.frames if frame not in made.whole and frame not in present.precious]
    if not todo:
        why = "every frame is there, and neither inputs nor settings have changed"
        return Forecast("nothing", first, last, last + 1, (why,))
    if len(todo) == len(frames.frames) and not ours:
        return Forecast("start", first, last, first, ("nothing is made yet",))
    stale = [frame for frame in todo if frame in ours]
    lacking = [frame for frame in todo if frame not in ours]
    reasons = [f"{frames_words(lacking)} {_is(lacking)} missing"] if lacking else []
    reasons += [f"{frames_words(stale)} {_is(stale)} made of other inputs, or damaged"] if stale else []
    return Forecast("resume", first, last, todo[0], tuple(reasons), many=len(todo))


def movie_forecast(asked: Delivery) -> Forecast | None:
    """Say what a run would do with the movie that it is asked for; None where none is there."""
    there = asked.look_at()
    if there.kind == "missing":
        return None
    frames, name = asked.frames(), Path(asked.shot.output).name
    first, last, whole = frames[0], frames[-1], compact(list(frames))
    if there.is_precious:
        why = f"{name} was changed since it was written, or is of no run of ours"
        if asked.run.keep_edited:
            return Forecast("nothing", first, last, last + 1, (f"{why}, and stays",), edited=whole)
        return Forecast("occupied", first, last, first, (why,), edited=whole)
    if asked.is_finished(there):
        why = "the movie is there, and neither inputs nor settings have changed"
        return Forecast("nothing", first, last, last + 1, (why,), rendered=whole)
    why = "the movie was made of other pictures or settings"
    return Forecast("resume", first, last, first, (why,), rendered=whole)


def _is(frames: list[int]) -> str:
    return "is" if len(frames) == 1 else "are"
