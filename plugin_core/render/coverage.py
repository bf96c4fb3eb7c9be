"""How much of each frame is filled, and which edges of the picture that touches."""

from __future__ import annotations

from dataclasses import dataclass

from ..progress.watch import Phase, Watch, unwatched
from ..regions.hole import Hole
from .sources import Sources

_EDGES = ("left", "top", "right", "bottom")


@dataclass(frozen=True)
class Coverage:
    """What is filled on one frame.

    Attributes:
        share: of the picture's pixels, 0..1.
        edges: edges of the picture that the hole touches: left, top, right, bottom.
    """

    frame: int
    share: float
    edges: tuple[str, ...] = ()


def coverage(frame: int, hole: Hole | None, width: int, height: int) -> Coverage:
    """Return how much of a picture of this size is filled, and which of its edges that touches."""
    if hole is None:
        return Coverage(frame, 0.0)
    box = hole.box
    touched = (box.x0 <= 0, box.y0 <= 0, box.x1 >= width, box.y1 >= height)
    share = float((hole.alpha > 0).sum()) / (width * height)
    edges = tuple(edge for edge, does in zip(_EDGES, touched, strict=True) if does)
    return Coverage(frame, share, edges)


class Covered:
    """How much of each frame is filled, gathered while the mattes are read.

    Args:
        sources: of the shot.
        watch: told how many mattes are read; may raise to stop.
    """

    def __init__(self, sources: Sources, watch: Watch = unwatched) -> None:
        self._sources = sources
        self._watch = watch
        self._by_frame: dict[int, Coverage] = {}

    def add(self, frame: int, hole: Hole | None) -> None:
        """Note a frame's hole; a still matte's is that of every frame."""
        sources = self._sources
        alike = range(sources.lower, sources.upper + 1) if sources.has_one_hole else (frame,)
        for each in alike:
            self._by_frame[each] = coverage(each, hole, sources.header.width, sources.header.height)
        self._watch(Phase.MATTES, len(self._by_frame), sources.upper - sources.lower + 1)

    @property
    def frames(self) -> tuple[Coverage, ...]:
        """What was noted, by frame."""
        return tuple(self._by_frame[frame] for frame in sorted(self._by_frame))
