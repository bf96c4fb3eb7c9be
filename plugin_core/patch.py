"""Pixels for a hole, wherever they come from, and how those of several origins become one picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .box import Box

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Patch:
    """Pixels for a hole.

    Attributes:
        box: the hole's box, in pixels of the plate's data window.
        picture: (h, w, 3) float32 in the network's range -1..1 (beyond it where the plate is).
        confidence: (h, w) float32, 0 where there is nothing .. 1 where it surely is what the hole hides. So
            much of a pixel is taken from here, the rest from what stands behind, at last from the network.
        grain: (h, w) float32, what the picture has of the plate's grain: all, 1, where it shows one source,
            less where it is a mean of several or softened; 0 where there is nothing.
    """

    box: Box
    picture: Floats
    confidence: Floats
    grain: Floats

    def within(self, box: Box) -> Patch:
        """Return the part for a box inside this one."""
        inside = box.moved(-self.box.x0, -self.box.y0).slices
        return Patch(box, self.picture[inside], self.confidence[inside], self.grain[inside])


def laid_over(front: Patch | None, back: Patch | None) -> Patch | None:
    """Return two patches for one hole as one: the front one by its confidence, the other behind it.

    One alone is returned as it is. Grain of both is independent: a mixture has less of it than either.
    """
    if front is None or back is None:
        return back if front is None else front
    assert front.box == back.box  # both are of one hole
    behind = (1 - front.confidence) * back.confidence
    confidence = front.confidence + behind
    share = behind / np.maximum(confidence, np.float32(1e-6))
    picture = front.picture + (back.picture - front.picture) * share[..., None]
    grain = np.hypot((1 - share) * front.grain, share * back.grain)
    return Patch(front.box, *(part.astype(np.float32) for part in (picture, confidence, grain)))
