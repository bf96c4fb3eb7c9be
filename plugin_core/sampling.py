"""Read pictures between their pixels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def bilinear(picture: Floats, x: Floats, y: Floats) -> Floats:
    """Return a picture's values (H, W) or (H, W, C) at columns x and rows y (h, w); its edge is repeated."""
    sampled = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(sampled, np.float32)
