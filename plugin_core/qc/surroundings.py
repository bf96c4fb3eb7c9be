"""What lies around a hole, which everything about its fill is held against.

Measures of a fill are ratios: the fill held against the plate right around it, so that one limit serves a
grainy night shot and a smooth wall. 1 means "as the surroundings". Pictures are display-referred float32
(H, W, 3), 0..1; holes are boolean (H, W), True where the picture was changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box, bounds

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

RING_PX = 48
"""How far around the hole its surroundings reach."""

BAND_PX = 3
"""So near to the hole's edge fill and plate are mixed: neither counts there."""

STEP = 1 / 255
"""What an eye can tell at best: differences below it count as it."""


@dataclass(frozen=True)
class Places:
    """A hole, how far from its edge each pixel lies, and what counts as fill and as surroundings.

    Attributes:
        hole: (H, W).
    """

    hole: Bools

    @cached_property
    def outside(self) -> Floats:
        """Pixels to the hole from outside it; 0 in it."""
        return _distance(~self.hole)

    @cached_property
    def inside(self) -> Floats:
        """Pixels to the hole's outside from within; 0 outside."""
        return _distance(self.hole)

    @cached_property
    def fill(self) -> Bools:
        """The hole without its edge."""
        return np.asarray(self.inside > BAND_PX)

    @cached_property
    def ring(self) -> Bools:
        """The surroundings, without the hole's edge."""
        return np.asarray((self.outside > BAND_PX) & (self.outside <= RING_PX))


def _distance(where: Bools) -> Floats:
    away = cv2.distanceTransform(where.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(away, np.float32)


def surroundings(holes: list[Bools], width: int, height: int) -> Box | None:
    """Return the box around holes (H, W) and their surroundings; None when all are empty."""
    found = [box for box in map(bounds, holes) if box is not None]
    if not found:
        return None
    around = found[0]
    for box in found[1:]:
        around = around.union(box)
    return around.grown(RING_PX).within(width, height)
