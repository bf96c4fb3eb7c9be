"""How much of a fill's fine detail does not follow the background: texture that swims or boils.

Fine detail (what a blur takes away) of the next frame is brought here along the true motion; what differs is
held against the fine detail itself. 0 is detail that stands on the background, 1 is detail that is new on
every frame. So a faint texture that boils scores as badly as a strong one, and softness gains nothing; only a
fill without any detail has none to flicker.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from plugin_core.box import bounds
from plugin_core.qc.warp_error import WarpPair, places, sample

from .cases import Mask
from .detail import inner, luma

Floats = NDArray[np.float32]

_FINE, _COARSE = 0.7, 2.0
"""Sigmas in pixels: detail is what lies between. Finer detail is lost where a motion is no whole pixels."""

_EDGE_PX = 6
"""Left out along the hole's edge, from where the blurs bring the plate in: three sigmas."""

_FAINTEST = 0.5
"""Code values, mean square: what rounding to 8 bits alone leaves is no detail."""


def detail_flicker(
    motion: Iterable[WarpPair], result: Sequence[NDArray[np.uint8]], holes: Sequence[Mask]
) -> float:
    """Return a case's flicker of fine detail along the true motion.

    All pairs' pixels that lie in the hole on both frames, beyond its edge, and that both true frames show,
    count together: the mean squared difference of their detail, over the sum of both frames' mean squares.

    Args:
        motion: of each pair of neighboring true frames.
        result: 8-bit RGB pictures (H, W, 3), one a frame.
        holes: (H, W) each.

    Returns:
        0 steady, 1 new on each frame; NaN where no two frames have a hole in one place.
    """
    changed, strength, count = 0.0, 0.0, 0
    details = [_detail(picture) if hole.any() else None for picture, hole in zip(result, holes, strict=True)]
    for number, pair in enumerate(motion):
        here, there = details[number], details[number + 1]
        box = bounds(holes[number])
        if here is None or there is None or box is None:
            continue
        at = places(pair.flow, box)
        within = sample(inner(holes[number + 1], _EDGE_PX).astype(np.float32), at) >= 0.999
        where = within & inner(holes[number], _EDGE_PX)[box.slices] & pair.seen[box.slices]
        this, following = here[box.slices][where], sample(there, at)[where]
        changed += float(np.square(this - following).sum(dtype=np.float64))
        strength += float((np.square(this) + np.square(following)).sum(dtype=np.float64))
        count += int(where.sum())
    return changed / (strength + _FAINTEST * count) if count else float("nan")


def _detail(picture: NDArray[np.uint8]) -> Floats:
    """What lies between a slight and a wide blur of the luma, (H, W), in code values."""
    gray = luma(picture).astype(np.float32)
    return np.asarray(
        cv2.GaussianBlur(gray, (0, 0), _FINE) - cv2.GaussianBlur(gray, (0, 0), _COARSE), np.float32
    )
