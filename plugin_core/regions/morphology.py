"""Grow, shrink, feather and measure masks. Pure functions of arrays; no files."""

from __future__ import annotations

import math
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import bounds

_NEAR_PX = 15
"""Squares of distances up to this fit a byte."""

Side = Literal["outside", "center", "inside"]
"""Where a feather lies, seen from the mask's edge."""


def grow(mask: NDArray[np.bool_], px: int) -> NDArray[np.bool_]:
    """Grow a mask (H, W) by ``px`` pixels in every direction, round at corners; a negative ``px`` shrinks it.

    A pixel belongs to the result when a pixel of the mask lies within ``px`` of it (Euclidean). Shrinking
    treats what lies beyond the picture as mask, so a matte that runs out of frame is not eaten at the frame's
    edge.
    """
    if px < 0:
        return ~grow(~mask, -px)
    grown = mask.copy()
    box = _reached(mask, px)
    if px and box is not None:
        grown[box] = _dilated(mask[box], px) if px <= _NEAR_PX else _distance(mask[box]) <= px
    return grown


def feather(mask: NDArray[np.bool_], px: int, side: Side = "outside") -> NDArray[np.float32]:
    """Blend weights (H, W) float32 that fall from 1 to 0 over ``px`` pixels at the mask's edge.

    The fall is a smooth step of the Euclidean distance to the edge. ``outside``: the mask is 1 and
    ``feather > 0`` is ``grow(mask, px)``. ``inside``: what is not mask is 0 and ``feather == 1`` is
    ``grow(mask, -px)``. ``center``: half of it on each side, 0.5 on the edge itself.
    ``px`` of 0 gives 0 and 1 only.
    """
    weights = mask.astype(np.float32)
    if px <= 0:
        return weights
    if side == "inside":
        return np.float32(1) - feather(~mask, px)
    if side == "outside":
        box = _reached(mask, px)
        if box is not None and px <= _NEAR_PX:
            distances = np.asarray(np.sqrt(np.arange(256, dtype=np.float32)), np.float32)
            falls = np.where(distances > px, np.float32(0), _fall(distances / np.float32(px + 1)))
            weights[box] = falls.take(_squares(mask[box], px))
        elif box is not None:
            distance = _distance(mask[box])
            weights[box] = np.where(distance > px, np.float32(0), _fall(distance / np.float32(px + 1)))
        return weights
    half = np.float32(0.5)
    for part, outwards in ((mask, 1), (~mask, -1)):
        box = _reached(part, px)
        if box is not None:
            # The edge runs half a pixel from the pixels beside it.
            beyond = outwards * (_distance(part[box]) - half) / np.float32(px + 1)
            weights[box] = np.where(part[box], weights[box], _fall(half + beyond))
    return weights


def _fall(way: NDArray[np.float32]) -> NDArray[np.float32]:
    """The smooth step down from 1 at 0 to 0 at 1, flat beyond both."""
    left = np.float32(1) - np.clip(way, np.float32(0), np.float32(1))
    return np.asarray(left * left * (np.float32(3) - np.float32(2) * left), np.float32)


def grow_soft(weights: NDArray[np.float32], px: int) -> NDArray[np.float32]:
    """Grow weights (H, W) of 0..1: each pixel takes the largest within ``px`` of it (Euclidean).

    A negative ``px`` takes the smallest, what lies beyond the picture counting as 1. Of 0 and 1 it is `grow`.
    """
    if px < 0:
        return np.float32(1) - grow_soft(np.float32(1) - weights, -px)
    box = _reached(weights > 0, px)
    if px == 0 or box is None:
        return weights.copy()
    grown = np.zeros_like(weights)
    grown[box] = _disc_maximum(weights[box], px)
    return grown


def feather_soft(weights: NDArray[np.float32], px: int, side: Side = "outside") -> NDArray[np.float32]:
    """Soften weights (H, W) of 0..1 over ``px`` pixels more than they are.

    ``center``: they are blurred by a kernel about ``px`` wide. ``outside``: they are grown by half of that
    before, so that no pixel loses weight. ``inside``: they are multiplied by `feather` of all above 0.
    """
    if px <= 0:
        return weights.copy()
    if side == "inside":
        return weights * feather(weights > 0, px, side)
    half = (px + 1) // 2
    moved = grow_soft(weights, half) if side == "outside" else weights
    blurred = np.empty_like(weights)
    cv2.GaussianBlur(moved, (2 * half + 1, 2 * half + 1), half / 2, blurred, borderType=cv2.BORDER_REPLICATE)
    blurred[blurred > 1 - 1e-5] = 1  # the kernel's sum is only nearly 1
    return np.maximum(weights, blurred) if side == "outside" else blurred


def _disc_maximum(values: NDArray[np.float32], px: int) -> NDArray[np.float32]:
    """The largest value within ``px`` of each pixel; a disc is a stack of rows, each a running maximum."""
    height, width = values.shape
    padded = np.zeros((height, width + 2 * px), np.float32)
    padded[:, px : px + width] = values
    doubled = [padded]  # [k][:, x] is the largest of 2**k pixels from x on
    while 2 << (len(doubled) - 1) <= 2 * px + 1:
        step = 1 << (len(doubled) - 1)
        doubled.append(np.maximum(doubled[-1][:, :-step], doubled[-1][:, step:]))
    out = np.zeros_like(values)
    for dy in range(min(px, height - 1) + 1):
        reach = math.isqrt(px * px - dy * dy)
        power = (2 * reach + 1).bit_length() - 1
        start, end = px - reach, px + reach + 1 - (1 << power)
        rows = np.maximum(doubled[power][:, start : start + width], doubled[power][:, end : end + width])
        np.maximum(out[dy:], rows[: height - dy], out=out[dy:])
        np.maximum(out[: height - dy], rows[dy:], out=out[: height - dy])
    return out


def _reached(mask: NDArray[np.bool_], px: int) -> tuple[slice, slice] | None:
    """The part of the picture within ``px`` of the mask's box; None for an empty mask."""
    box = bounds(mask)
    if box is None:
        return None
    x0, y0, x1, y1 = box
    return slice(max(0, y0 - px), y1 + px), slice(max(0, x0 - px), x1 + px)


def _dilated(mask: NDArray[np.bool_], px: int) -> NDArray[np.bool_]:
    """Return which pixels (H, W) lie within ``px`` of a mask. A disc is a few rectangles over each other."""
    white = np.ascontiguousarray(mask).view(np.uint8)
    grown = white
    for down in range(px + 1):
        across = math.isqrt(px * px - down * down)
        if down == px or across > math.isqrt(px * px - (down + 1) ** 2):  # else the next one holds it
            box = np.ones((2 * down + 1, 2 * across + 1), np.uint8)
            grown = np.asarray(cv2.max(grown, cv2.dilate(white, box)), np.uint8)
    return grown.view(np.bool_)


def _squares(mask: NDArray[np.bool_], px: int) -> NDArray[np.uint8]:
    """Exact squared distance (H, W) to the mask where it is at most ``px``, which is at most `_NEAR_PX`.

    Farther away it is any number above that of ``px``. Sums of bytes end at 255.
    """
    nearest = np.where(mask, np.uint8(0), np.uint8(255))
    farther = np.empty_like(nearest)
    for lines, length in ((nearest, mask.shape[0]), (nearest.T, mask.shape[1])):
        begin, further = lines.copy(order="K"), farther if lines is nearest else farther.T
        for step in range(1, min(px, length - 1) + 1):
            square = np.uint8(step * step)
            np.minimum(begin, np.uint8(255) - square, out=further)
            further += square
            np.minimum(lines[step:], further[:-step], out=lines[step:])
            np.minimum(lines[:-step], further[step:], out=lines[:-step])
    return nearest


def _distance(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Exact Euclidean distance of every pixel to the mask, which is not empty."""
    outside = np.ascontiguousarray(~mask, dtype=np.uint8)
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance, dtype=np.float32)
