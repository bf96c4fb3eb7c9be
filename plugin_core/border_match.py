"""Bring what is carried over to a frame's exposure, so that a plate that drifts leaves no patch in the hole.

A frame's fill goes on from the one before. Where exposure or color of the plate drifts, that one lags behind,
and the middle of a hole, farthest from what is seen, lags most. So it is first multiplied, scene-linear and
channel by channel, by what the known pixels right around the hole have changed by, motion aside.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .color import ColorMap
from .flow import flow_between
from .matte import bounds
from .network import PREVIOUS_OUTPUT, Carry, Mask, Network, Picture
from .region import Box
from .sampling import bilinear

Gain = NDArray[np.float32]
"""(3,) float32, scene-linear factors of R, G, B."""

_RING_PX = 32
"""Network pixels around the hole that are compared; less than the least context, so that crops agree."""

_CELL = 4
"""They are compared at a quarter of their size: noise averages out."""

_SNAP = 16
"""Where they begin lies on this grid, on which crops move, too."""

_BLOCK = 4
"""So many cells each way are compared by their sum, which a motion that is a little off leaves as it is."""

_FEWEST, _LEAST_SHARE = 8, 0.25
_LEAST_SIDE = 12
"""Fewer blocks, or less of a block, or fewer cells on a side tell nothing."""

_DARKEST, _CLIPPED = 0.02, (0.93, 1.0)
"""Scene-linear values that tell nothing: noise, and integers at their limit."""

_MOST = 0.25
"""A change beyond this (logarithm of the factor: a third of a stop) from frame to frame is no drift."""

_SURE = 1.0
"""A change of less than so many standard errors is none; of one that is more, more is believed."""

_STEPS = 1 << 14
"""Factors have so many steps to an e-fold: what crops round differently stays the same."""

_LINEAR = ColorMap("linear")


def gain_between(before: tuple[Picture, Mask], here: tuple[Picture, Mask]) -> Gain | None:
    """Measure by what the surroundings of a hole have changed from one frame to the next; None for nothing.

    A pure function of two frames as the network sees them through one crop.

    Args:
        before, here: picture (3, H, W) in the network's range and mask (1, H, W) of each.
    """
    box = _around(before[1][0] > 0, here[1][0] > 0)
    if box is None:
        return None
    (old, old_hole), (new, new_hole) = _cells(before, box), _cells(here, box)
    motion = flow_between(new, new_hole, old, old_hole)[0]
    x, y = np.meshgrid(np.arange(new.shape[1], dtype=np.float32), np.arange(new.shape[0], dtype=np.float32))
    at = x + motion.motion[..., 0], y + motion.motion[..., 1]
    # Between points of light: means of what is seen as on a display would come out too dark.
    light, old_light = (_LINEAR.from_network(2 * picture - 1) for picture in (new, old))
    moved = bilinear(np.dstack([old_light, old_hole.astype(np.float32)]), *at)
    inside = (at[0] >= 0) & (at[0] <= x.max()) & (at[1] >= 0) & (at[1] <= y.max())
    known = ~new_hole & inside & (moved[..., 3] < 0.01) & (motion.doubt < 1)
    told = [_change(moved[..., c], light[..., c], known) for c in range(3)]
    logarithms = np.round(np.array(told) * _STEPS) / _STEPS
    return np.exp(logarithms).astype(np.float32) if logarithms.any() else None


def brightened(network: Network, carry: Carry, gain: Gain) -> Carry:
    """Return a carry whose previous output is multiplied by a scene-linear factor (3,) for each channel."""
    arrays = network.fetch(carry)
    before = arrays.get(PREVIOUS_OUTPUT)
    if before is None:
        return carry
    linear = _LINEAR.from_network(np.moveaxis(before, -3, -1)) * gain
    return network.put({**arrays, PREVIOUS_OUTPUT: np.moveaxis(_LINEAR.to_network(linear), -1, -3)})


def _around(*holes: NDArray[np.bool_]) -> Box | None:
    """Return the box of network pixels that is compared; None without a hole or enough around it."""
    found = bounds(np.logical_or(*holes))
    if found is None:
        return None
    near = Box(*found).grown(_RING_PX)
    height, width = holes[0].shape
    snapped = Box(near.x0 // _SNAP, near.y0 // _SNAP, -(-near.x1 // _SNAP), -(-near.y1 // _SNAP))
    box = Box(*(_SNAP * edge for edge in snapped)).within(width, height)
    least = _LEAST_SIDE * _CELL
    return box if min(box.width, box.height) >= least else None


def _cells(shown: tuple[Picture, Mask], box: Box) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return a box of a frame in cells: display-referred (h, w, 3), and which of them touch the hole."""
    picture, mask = (np.moveaxis(part[:, *box.slices], 0, -1) for part in shown)
    size = box.width // _CELL, box.height // _CELL
    small = cv2.resize(np.ascontiguousarray((picture + 1) / 2), size, interpolation=cv2.INTER_AREA)
    hole = cv2.resize(np.ascontiguousarray(mask), size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32), np.asarray(hole > 0)


def _change(before: NDArray[np.float32], here: NDArray[np.float32], known: NDArray[np.bool_]) -> float:
    """Return the logarithm of the factor between scene-linear values (h, w) of a channel; 0 where unsure."""
    low, high = np.minimum(before, here), np.maximum(before, here)
    tells = known & (low > _DARKEST) & ((high < _CLIPPED[0]) | (low > _CLIPPED[1]))
    share = _by_block(tells.astype(np.float32))
    enough = share >= _LEAST_SHARE
    if np.count_nonzero(enough) < _FEWEST:
        return 0.0
    first, second = (_by_block(np.where(tells, values, 0))[enough] for values in (before, here))
    ratios = np.log(second / first)
    middle = float(np.median(ratios))
    error = 1.25 * 1.4826 * float(np.median(np.abs(ratios - middle))) / np.sqrt(ratios.size)
    if abs(middle) <= _SURE * error or abs(middle) > _MOST:
        return 0.0
    return float(middle * (1 - (_SURE * error / middle) ** 2))


def _by_block(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the means of values (h, w) over blocks; what is left at the right and below is left out."""
    rows, columns = values.shape[0] // _BLOCK, values.shape[1] // _BLOCK
    whole = values[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    return np.asarray(whole.mean(axis=(1, 3)), np.float32)
