"""What a fill shows on one frame, and from one frame to the next: every measure in turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..box import Box
from .between import Between
from .detail import detail
from .flicker import flicker
from .intruder import alone, intruder
from .outline import outline
from .seam import seam
from .sharpness import sharpness
from .surroundings import Bools, Floats, Places
from .swim import swim

Scores = Mapping[str, float]
"""Measures by the name of their field in `report.FrameFound`."""


def one_frame(picture: Floats, hole: Bools) -> Scores:
    """Return what a frame shows by itself.

    Args:
        picture: the result around the hole, display-referred (H, W, 3), 0..1.
        hole: (H, W).
    """
    places = Places(hole)
    fine = sharpness(picture, places)
    return {
        "seam": seam(picture, places),
        "outline": outline(picture, hole),
        "detail": detail(picture, places),
        "sharpness": fine.sharpness,
        "noise": fine.noise,
    }


@dataclass(frozen=True)
class Neighbors:
    """Two neighboring frames of a result.

    Attributes:
        box: the part of the picture that is looked at.
        between: the two, over it.
    """

    box: Box
    between: Between

    def scores(self) -> Scores:
        """Return how the first one's fill changes to the second."""
        places = Places(self.between.hole)
        changed, swims = flicker(self.between, places), swim(self.between, places)
        return {
            "fill_change": changed.fill,
            "plate_change": changed.around,
            "fill_swim": swims.fill,
            "plate_swim": swims.around,
        }


def middle_frame(before: Neighbors, after: Neighbors) -> Scores:
    """Return how much the frame that two pairs share stands alone between its neighbors."""
    shared = before.box.shared(after.box)
    if shared is None:
        return {}
    inside = shared.moved(-after.box.x0, -after.box.y0)
    earlier = shared.moved(-before.box.x0, -before.box.y0)
    hole = after.between.hole[inside.slices]
    picture = after.between.this[inside.slices]
    lonely = alone(
        np.ascontiguousarray(picture),
        before.between.seen_from_next(earlier),
        after.between.seen_from_this(inside),
    )
    return {"intruder": intruder(lonely, hole)}
