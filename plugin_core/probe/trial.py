"""How much of a shot's holes is real, found by looking for pixels on a few frames and filling none."""

from __future__ import annotations

from contextlib import closing

from ..progress.watch import Phase, Watch, unwatched
from ..render.plan import Plan
from ..render.reader import ShotReader
from ..render.stages import open_stages
from ..state.origins import Origins, counted

FRAMES = 5
"""Looked at; each as if it were the render's first, which takes longer than its later ones."""


def try_frames(plan: Plan, watch: Watch = unwatched) -> dict[int, Origins]:
    """Look for pixels on frames with a hole, spread over the shot; returns where theirs would come from.

    The network is not run. `watch` is told how it gets on, and may raise to stop.

    Raises:
        ImageError: a picture can't be read.
    """
    reader, found = ShotReader(plan), dict[int, Origins]()
    chosen = _spread(plan)
    for number, frame in enumerate(chosen):
        watch(Phase.TRYING, number, len(chosen))
        hole = reader.hole(frame)
        if hole is not None:
            # Stages are asked for frames in a row: what lies elsewhere in the shot is another row.
            with closing(open_stages(plan, watch)) as stages:
                found[frame] = counted(hole, stages.find(frame, hole), plan.rest)
    return found


def _spread(plan: Plan) -> list[int]:
    """Frames with a hole, as far from one another and from the shot's ends as they can be."""
    frames = range(plan.sources.first, plan.sources.last + 1)
    filled = [frame for frame in frames if any(lane.islands.get(frame) for lane in plan.lanes)]
    count = min(FRAMES, len(filled))
    return [filled[(2 * number + 1) * len(filled) // (2 * count)] for number in range(count)]
