"""From a matte to what is filled: the hole and the weights the fill is blended in with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..box import Box, bounds
from ..job.settings import Settings
from .morphology import feather, feather_soft, grow, grow_soft


@dataclass(frozen=True)
class Hole:
    """What is filled on one frame.

    Attributes:
        box: the smallest box around every pixel that changes, in pixels of the plate's data window.
        alpha: weights of the fill over the box, (h, w) float32: above 0 wherever a pixel changes, 1 where
            nothing of the plate is left.
        shadow: (h, w) float32, how much of a pixel is only the shadow matte's, 0..1: there the plate's own
            texture leads. None where there is no shadow matte.
    """

    box: Box
    alpha: NDArray[np.float32]
    shadow: NDArray[np.float32] | None = None

    def mask_on(self, crop: Box) -> NDArray[np.bool_]:
        """Return which pixels of a crop (H, W) change. The network fills them all, the feather included."""
        mask = np.zeros((crop.height, crop.width), np.bool_)
        shared = self.box.shared(crop)
        if shared is not None:
            seen = self.alpha[shared.moved(-self.box.x0, -self.box.y0).slices]
            mask[shared.moved(-crop.x0, -crop.y0).slices] = seen > 0
        return mask

    def covers(self, width: int, height: int) -> bool:
        """Whether the hole leaves no pixel of a plate of that size to go by."""
        return self.box == Box(0, 0, width, height) and bool((self.alpha > 0).all())

    def lies_in(self, islands: Iterable[Box]) -> bool:
        """Whether some boxes that do not meet hold every pixel that changes."""
        inside = self.only(islands)
        return inside is not None and np.count_nonzero(inside.alpha) == np.count_nonzero(self.alpha)

    def only(self, islands: Iterable[Box]) -> Hole | None:
        """Return what of the hole lies in some boxes that do not meet; None where nothing does."""
        parts = [shared for box in islands if (shared := self.box.shared(box)) is not None]
        if not parts:
            return None
        around = parts[0].union(*parts[1:])

        def cut(weights: NDArray[np.float32]) -> NDArray[np.float32]:
            whole = np.zeros((around.height, around.width), np.float32)
            for part in parts:
                inside = part.moved(-self.box.x0, -self.box.y0)
                whole[part.moved(-around.x0, -around.y0).slices] = weights[inside.slices]
            return whole

        return Hole(around, cut(self.alpha), None if self.shadow is None else cut(self.shadow))

    def beside(self, other: Hole | None) -> Hole:
        """Return this hole, of which what another does not fill is a shadow's.

        Args:
            other: lies within this one; None for none.
        """
        shadow = np.ones_like(self.alpha)
        shared = None if other is None else self.box.shared(other.box)
        if other is not None and shared is not None:
            theirs = other.alpha[shared.moved(-other.box.x0, -other.box.y0).slices]
            shadow[shared.moved(-self.box.x0, -self.box.y0).slices] -= theirs
        return Hole(self.box, self.alpha, np.where(self.alpha > 0, shadow, 0).astype(np.float32))


def hole_of(matte: NDArray[np.float32], settings: Settings) -> Hole | None:
    """Make the hole from a matte (H, W) of 0..1; None where nothing is to be filled.

    Values below `matte_threshold` count as 0, the others as 1, or with `matte_soft` as themselves. What is
    left is grown (or shrunk), then feathered.
    """
    solid = bounds(matte >= settings.matte_threshold)
    if solid is None:
        return None
    height, width = matte.shape
    reach = max(settings.grow, 0) + settings.feather + 2
    around = solid.grown(reach).within(width, height)
    alpha = _weights(matte[around.slices], settings)
    tight = bounds(alpha > 0)
    if tight is None:
        return None
    return Hole(tight.moved(around.x0, around.y0), np.ascontiguousarray(alpha[tight.slices]))


def _weights(matte: NDArray[np.float32], settings: Settings) -> NDArray[np.float32]:
    solid = matte >= settings.matte_threshold
    if not settings.matte_soft:
        return feather(grow(solid, settings.grow), settings.feather, settings.feather_side)
    soft = np.where(solid, matte, np.float32(0))
    return feather_soft(grow_soft(soft, settings.grow), settings.feather, settings.feather_side)
