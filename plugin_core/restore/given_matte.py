"""Damage that somebody painted, or that was found by other means: a matte in place of a search."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ..damage.finder import Damage, Find, Kind


def damage_of(mask: NDArray[np.bool_]) -> Damage:
    """Return a mask (H, W) as damage: each of its pieces is a find, a tall one a scratch."""
    count, labels, about, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    finds = []
    for left, top, width, height, pixels in about[1:count].tolist():
        kind: Kind = "scratch" if 2 * height > mask.shape[0] > 4 * width else "dirt"
        finds.append(Find(kind, left, top, width, height, pixels, True, 0.0, 1.0))
    return Damage(np.asarray(labels, np.int32), tuple(finds))
