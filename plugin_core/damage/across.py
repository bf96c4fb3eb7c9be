"""Continue a picture straight across what is lost of its rows, from both sides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


def continued_across(picture: Floats, lost: Mask) -> Floats:
    """Return a picture (H, W) or (H, W, C) with what is lost (H, W) put in line between its sides.

    Where one side is the picture's edge the other is repeated. Rows that are lost whole stay as they are.
    """
    rows = np.flatnonzero(lost.any(axis=1) & ~lost.all(axis=1))
    filled = picture.copy()
    if not rows.size:
        return filled
    gone = lost[rows]
    width = lost.shape[1]
    columns = np.broadcast_to(np.arange(width, dtype=np.int32), gone.shape)
    before = np.maximum.accumulate(np.where(gone, -1, columns), axis=1)
    after = np.minimum.accumulate(np.where(gone, width, columns)[:, ::-1], axis=1)[:, ::-1]
    row, column = np.nonzero(gone)
    left, right = before[row, column], after[row, column]
    share = ((column - left) / (right - left)).astype(np.float32)
    share = np.where(left < 0, np.float32(1), np.where(right >= width, np.float32(0), share))
    from_left, from_right = (
        picture[rows[row], np.maximum(left, 0)],
        picture[rows[row], np.minimum(right, width - 1)],
    )
    weight = share if picture.ndim == 2 else share[:, None]
    filled[rows[row], column] = from_left + weight * (from_right - from_left)
    return filled
