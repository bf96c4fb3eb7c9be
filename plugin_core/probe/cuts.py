"""Suspected cuts: where two neighboring frames have less in common than their surroundings have.

A ready detector (PySceneDetect) was left out: it brings the other OpenCV package along, whose files are those
of the headless one that Cleanplate needs. This one looks at frames a few dozen pixels wide. A cut is a
difference that no shift of the frame explains, and that stands out from the frames around it; a pan, a flash
or an object that comes close gives a run of such differences, or two, but not one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Thumbnail = NDArray[np.float32]
"""(27, 48, 3) of 0..1, display-referred."""

_SIZE = (48, 27)
"""Of a thumbnail, whatever the picture's aspect."""

_SHIFT = 4
"""Pixels of the thumbnail that the camera may move between two frames: a twelfth of the picture."""

_LEAST = 0.06
_OVER_NEIGHBORS = 2.5
_NEIGHBORS = 2


def thumbnail(picture: NDArray[np.float32]) -> Thumbnail:
    """Reduce a picture (H, W, 3) in the network's -1..1; what is beyond it, or not finite, is limited."""
    limited = np.clip(np.nan_to_num((picture + 1) / 2, nan=0.0), 0, 1).astype(np.float32)
    return np.asarray(cv2.resize(limited, _SIZE, interpolation=cv2.INTER_AREA), np.float32)


def suspected_cuts(first: int, thumbnails: Iterable[Thumbnail]) -> list[int]:
    """Return the frames that seem to be the first of a new take.

    Args:
        first: number of the first frame.
        thumbnails: of every frame, in order; they are looked at once.
    """
    changes: list[float] = []
    before: Thumbnail | None = None
    for shown in thumbnails:
        changes.append(0.0 if before is None else change(before, shown))
        before = shown
    return [first + at for at in range(1, len(changes)) if _stands_out(changes, at)]


def change(before: Thumbnail, after: Thumbnail) -> float:
    """How much of a frame (0..1, mean absolute difference) no small shift of the one before explains."""
    height, width = after.shape[:2]
    inner = after[_SHIFT : height - _SHIFT, _SHIFT : width - _SHIFT]
    least = np.inf
    for dy in range(2 * _SHIFT + 1):
        for dx in range(2 * _SHIFT + 1):
            moved = before[dy : dy + inner.shape[0], dx : dx + inner.shape[1]]
            least = min(least, float(np.abs(moved - inner).mean()))
    return least


def _stands_out(changes: Sequence[float], at: int) -> bool:
    around = [*changes[max(1, at - _NEIGHBORS) : at], *changes[at + 1 : at + 1 + _NEIGHBORS]]
    return changes[at] > _LEAST and changes[at] > _OVER_NEIGHBORS * max(around, default=0.0)
