"""Dense inverse search, by OpenCV (Kroeger et al., "Fast Optical Flow using Dense Inverse Search", 2016)."""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

# The search works in as many strips as OpenCV has threads, and what it finds depends on where they meet. Work
# is spread over the cores frame by frame instead.
cv2.setNumThreads(1)

_PRESETS = {
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "light": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}
_NOTHING = cast(Any, None)
"""No motion to start from, which OpenCV's types do not know."""


def dense_search(
    one: NDArray[np.uint8], other: NDArray[np.uint8], preset: str = "medium", *, to_the_pixel: bool = False
) -> NDArray[np.float32]:
    """Return the motion (H, W, 2), x and y in pixels, from one 8-bit gray picture (H, W) to another.

    Both have at least 12 pixels each way. Presets are ultrafast, fast, light and medium; they end at a
    quarter or (the last two) half of the pictures' size, `to_the_pixel` at the pictures' own, with somewhat
    fewer patches. Light is medium with fewer patches and hardly smoothed, in half the time.
    """
    search = cv2.DISOpticalFlow.create(_PRESETS[preset])
    if preset == "light":
        search.setPatchStride(4)
        search.setGradientDescentIterations(16)
        search.setVariationalRefinementIterations(1)
    if to_the_pixel:
        search.setFinestScale(0)
        search.setFinestScale(0)
        search.setPatchStride(4)
        search.setGradientDescentIterations(12)
        search.setVariationalRefinementIterations(2)
    return np.asarray(search.calc(one, other, _NOTHING), np.float32)
