"""Temporal steadiness: the error that is left when the next frame is warped onto this one.

E_warp of Lai et al., "Learning Blind Video Temporal Consistency" (ECCV 2018), section 4.1: the mean squared
difference over the pixels that both frames show. Occlusions are told by the rule of Ruder et al. (2016) that
it uses. The flow is dense inverse search (Kroeger et al. 2016) on the frames given, which should be the true
ones. Here the squared difference is the mean over the channels, in units of 0..1, so that it compares with a
squared error. A blurred or constant fill scores well: read it beside the PSNR.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..motion.dense_search import dense_search
from ..motion.sampling import bilinear
from .scores import Pictures, as_floats

Flow = NDArray[np.floating]
"""(H, W, 2): the column and row offset in pixels from a pixel of one frame to its place in the other."""

Seen = NDArray[np.bool_]


def dense_flow(one: NDArray[np.uint8], other: NDArray[np.uint8], preset: str = "medium") -> Flow:
    """Return the flow (H, W, 2) float32 from one 8-bit RGB picture to another, both at least 12 pixels."""
    gray, other_gray = (
        np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8) for picture in (one, other)
    )
    return dense_search(gray, other_gray, preset)


def places(flow: Flow, box: Box | None = None) -> NDArray[np.float32]:
    """Return where the flow leads: (h, w, 2) columns and rows of the other frame, over a box of this one."""
    height, width = flow.shape[:2]
    at = Box(0, 0, width, height) if box is None else box
    moved = flow[at.slices].astype(np.float32)
    moved[..., 0] += np.arange(at.x0, at.x1, dtype=np.float32)[None, :]
    moved[..., 1] += np.arange(at.y0, at.y1, dtype=np.float32)[:, None]
    return moved


def sample(picture: NDArray[np.float32], at: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a picture's values at columns and rows `at` (h, w, 2), bilinear; its edge is repeated beyond."""
    columns, rows = cv2.split(at)
    return bilinear(picture, np.asarray(columns, np.float32), np.asarray(rows, np.float32))


def seen_in_both(forward: Flow, backward: Flow) -> Seen:
    """Return which pixels of this frame the next one shows too, (H, W).

    Hidden are those whose flow leads out of the picture, where `|F + B_w|^2 > 0.01 (|F|^2 + |B_w|^2) + 0.5`
    (there and back does not meet), and motion boundaries, where `|grad F|^2 > 0.01 |F|^2 + 0.002`.
    """
    height, width = forward.shape[:2]
    at = places(forward)
    back = sample(backward, at)
    there = np.square(forward).sum(axis=2)
    miss = np.square(forward + back).sum(axis=2)
    inside = (at >= 0).all(axis=2) & (at[..., 0] <= width - 1) & (at[..., 1] <= height - 1)
    meets = miss <= 0.01 * (there + np.square(back).sum(axis=2)) + 0.5
    down, across = np.gradient(forward, axis=(0, 1))
    smooth = np.square(down).sum(axis=2) + np.square(across).sum(axis=2) <= 0.01 * there + 0.002
    return np.asarray(inside & meets & smooth, np.bool_)


@dataclass(frozen=True)
class WarpPair:
    """Two neighboring frames: how the true background moves between them and what both show.

    Attributes:
        flow: from this frame to the next, (H, W, 2) in pixels; half precision will do.
        seen: pixels of this frame that the next shows too.
    """

    flow: Flow
    seen: Seen

    @classmethod
    def of(cls, this: NDArray[np.uint8], following: NDArray[np.uint8]) -> WarpPair:
        """Estimate the motion between two true frames, 8-bit RGB."""
        forward, backward = dense_flow(this, following), dense_flow(following, this)
        return cls(forward.astype(np.float16), seen_in_both(forward, backward))

    def error(self, this: Pictures, following: Pictures, box: Box) -> NDArray[np.float32]:
        """Return the squared warping error (h, w) over a box of this frame, mean over channels, 0..1 squared.

        Args:
            this, following: the two pictures that are scored, (H, W, 3).
            box: the part of this frame that is looked at.
        """
        at = places(self.flow, box)
        needed = _around(at, following.shape[1], following.shape[0])
        at -= np.array([needed.x0, needed.y0], np.float32)
        warped = sample(as_floats(following[needed.slices]), at)
        return np.asarray(np.square(as_floats(this[box.slices]) - warped).mean(axis=2), np.float32)

    def reached(self, target: Box) -> Box | None:
        """Return the box of this frame's pixels whose flow leads into a box of the next; None for none."""
        at = places(self.flow)
        x, y = at[..., 0], at[..., 1]
        hits = (
            (x > target.x0 - 1)
            & (x < target.x1)
            & (y > target.y0 - 1)
            & (y < target.y1)
        )  # fmt: skip
        rows, columns = np.flatnonzero(hits.any(axis=1)), np.flatnonzero(hits.any(axis=0))
        if rows.size == 0:
            return None
        return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def _around(at: NDArray[np.float32], width: int, height: int) -> Box:
    """The box of pixels that sampling at `at` can touch."""
    low = np.floor(at.min(axis=(0, 1))).astype(int)
    high = np.ceil(at.max(axis=(0, 1))).astype(int)
    x0, y0 = min(max(int(low[0]), 0), width - 1), min(max(int(low[1]), 0), height - 1)
    x1, y1 = min(max(int(high[0]), 0), width - 1) + 1, min(max(int(high[1]), 0), height - 1) + 1
    return Box(x0, y0, max(x1, x0 + 1), max(y1, y0 + 1))
