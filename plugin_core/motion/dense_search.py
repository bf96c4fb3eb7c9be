"""Dense inverse search, by OpenCV (Kroeger et al., "Fast Optical Flow using Dense Inverse Search", 2016)."""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

_PRESETS = {
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}
_NOTHING = cast(Any, None)
"""No motion to start from, which OpenCV's types do not know."""


def dense_search(
    one: NDArray[np.uint8], other: NDArray[np.uint8], preset: str = "medium"
) -> NDArray[np.float32]:
    """Return the motion (H, W, 2), x and y in pixels, from one 8-bit gray picture (H, W) to another.

    Both have at least 12 pixels each way. Presets are ultrafast, fast and medium.
    """
    search = cv2.DISOpticalFlow.create(_PRESETS[preset])
    return np.asarray(search.calc(one, other, _NOTHING), np.float32)
