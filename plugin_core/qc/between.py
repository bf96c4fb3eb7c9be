"""What lies between two neighboring frames of a result: how it moves, and how its surroundings do.

Estimated once for all that looks at two frames (flicker, intruders, texture that swims). The truth is not
known here: motion is that of the result itself, and in the hole also that of its surroundings, continued
smoothly.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..motion.flow import spread
from .warp_error import Flow, Seen, dense_flow, places, sample, seen_in_both

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

_SPOILED_PX = 4
"""Motion this close to the hole is spoiled by what stands in it."""


@dataclass(frozen=True)
class Between:
    """Two neighboring frames over one part of the picture.

    Attributes:
        this, following: display-referred (H, W, 3), 0..1.
        hole, next_hole: (H, W).
        there, back: motion from this frame to the next and from the next to this, (H, W, 2) pixels.
        seen: pixels of this frame that the next shows too.
    """

    this: Floats
    following: Floats
    hole: Bools
    next_hole: Bools
    there: Flow
    back: Flow
    seen: Seen

    @classmethod
    def of(cls, this: Floats, following: Floats, hole: Bools, next_hole: Bools) -> Between:
        """Estimate the motion; both sides at least 16 pixels."""
        codes = [np.round(picture * 255).astype(np.uint8) for picture in (this, following)]
        there, back = dense_flow(codes[0], codes[1]), dense_flow(codes[1], codes[0])
        return cls(this, following, hole, next_hole, there, back, seen_in_both(there, back))

    def seen_from_this(self, box: Box) -> tuple[Floats, Floats]:
        """Return the next frame brought to a box of this one: along the surroundings' motion, and its own."""
        return (
            sample(self.following, places(self.background, box)),
            sample(self.following, places(self.there, box)),
        )

    def seen_from_next(self, box: Box) -> tuple[Floats, Floats]:
        """Return this frame brought to a box of the next one, in both ways."""
        return (
            sample(self.this, places(self.background_back, box)),
            sample(self.this, places(self.back, box)),
        )

    @cached_property
    def background(self) -> Floats:
        """The surroundings' motion to the next frame, continued into the hole."""
        return _continued(self.there, self.hole)

    @cached_property
    def background_back(self) -> Floats:
        """The same from the next frame to this one."""
        return _continued(self.back, self.next_hole)


def _continued(flow: Flow, hole: Bools) -> Floats:
    brush = np.ones((2 * _SPOILED_PX + 1, 2 * _SPOILED_PX + 1), np.uint8)
    known = ~np.asarray(cv2.dilate(hole.astype(np.uint8), brush), np.bool_)
    return spread(flow.astype(np.float32), known)
