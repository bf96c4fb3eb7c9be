"""Bring what is carried over along with the plate: to where the background has moved, and to its exposure.

A frame's fill goes on from the one before. Where the camera moves that one lies in the wrong place, and is
moved as the background around the hole moves; where exposure or color drift it lags behind, and is brightened
(see `border_match`). Both are measured on the known pixels right around the hole.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box, bounds
from ..color.color_map import ColorMap
from ..motion.flow import flow_between
from ..motion.sampling import bicubic, bilinear, pixel_grid
from ..network.contract import PREVIOUS_OUTPUT, Carry, Mask, Network, Picture
from .light_change import Gain, change_of_light

Floats = NDArray[np.float32]

_RING_PX = 32
"""Network pixels around the hole that are compared; less than the least context, so that crops agree."""

_CELL = 4
"""They are compared at a quarter of their size: noise averages out."""

_SNAP = 16
"""Where they begin lies on this grid, on which crops move, too."""

_LEAST_SIDE = 12
"""Fewer cells on a side tell nothing."""

_STILL_CELLS = 0.02
"""A background that nowhere behind the hole moves by more cells than this stands: nothing is resampled."""

_LINEAR = ColorMap("linear")


@dataclass(frozen=True)
class Change:
    """How a frame's surroundings of a hole differ from those of the frame before.

    Attributes:
        box: network pixels that were compared.
        motion: (h, w, 2) float32, where each pixel of the box lay, in network pixels from where it lies; None
            where the background stands.
        gain: by what it got brighter, (3,); None for nothing.
    """

    box: Box
    motion: Floats | None
    gain: Gain | None


def change_between(before: tuple[Picture, Mask], here: tuple[Picture, Mask]) -> Change | None:
    """Measure how the surroundings of a hole have changed from one frame to the next; None for not at all.

    A pure function of two frames as the network sees them through one crop.

    Args:
        before, here: picture (3, H, W) in the network's range and mask (1, H, W) of each.
    """
    box = _around(before[1][0] > 0, here[1][0] > 0)
    if box is None:
        return None
    (old, old_hole), (new, new_hole) = _cells(before, box), _cells(here, box)
    flow = flow_between(new, new_hole, old, old_hole)
    gain = _gain((old, old_hole), (new, new_hole), flow.motion, flow.doubt < 1)
    is_still = np.abs(flow.motion[new_hole]).max(initial=0) < _STILL_CELLS
    motion = None if is_still else cv2.resize(_CELL * flow.motion, (box.width, box.height))
    if motion is None and gain is None:
        return None
    return Change(box, None if motion is None else np.asarray(motion, np.float32), gain)


def followed(network: Network, carry: Carry, change: Change) -> Carry:
    """Return a carry whose previous output has moved and brightened with the plate."""
    arrays = network.fetch(carry)
    before = arrays.get(PREVIOUS_OUTPUT)
    if before is None:
        return carry
    picture = np.moveaxis(before, -3, -1)
    if change.motion is not None:
        picture = picture.copy()
        inside = (..., *change.box.slices, slice(None))
        picture[inside] = _moved(picture.reshape(picture.shape[-3:]), change.box, change.motion)
    if change.gain is not None:
        picture = _LINEAR.to_network(_LINEAR.from_network(picture) * change.gain)
    return network.put({**arrays, PREVIOUS_OUTPUT: np.moveaxis(picture, -1, -3)})


def _moved(picture: Floats, box: Box, motion: Floats) -> Floats:
    x, y = pixel_grid(box)
    return bicubic(np.ascontiguousarray(picture), x + motion[..., 0], y + motion[..., 1])


def _around(*holes: NDArray[np.bool_]) -> Box | None:
    """Return the box of network pixels that is compared; None without a hole or enough around it."""
    hole = bounds(np.logical_or(*holes))
    if hole is None:
        return None
    near = hole.grown(_RING_PX)
    height, width = holes[0].shape
    snapped = Box(near.x0 // _SNAP, near.y0 // _SNAP, -(-near.x1 // _SNAP), -(-near.y1 // _SNAP))
    box = Box(*(_SNAP * edge for edge in snapped)).within(width, height)
    least = _LEAST_SIDE * _CELL
    return box if min(box.width, box.height) >= least else None


def _cells(shown: tuple[Picture, Mask], box: Box) -> tuple[Floats, NDArray[np.bool_]]:
    """Return a box of a frame in cells: display-referred (h, w, 3), and which of them touch the hole."""
    picture, mask = (np.moveaxis(part[:, *box.slices], 0, -1) for part in shown)
    size = box.width // _CELL, box.height // _CELL
    small = cv2.resize(np.ascontiguousarray((picture + 1) / 2), size, interpolation=cv2.INTER_AREA)
    hole = cv2.resize(np.ascontiguousarray(mask), size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32), np.asarray(hole > 0)


def _gain(
    before: tuple[Floats, NDArray[np.bool_]],
    here: tuple[Floats, NDArray[np.bool_]],
    motion: Floats,
    sure: NDArray[np.bool_],
) -> Gain | None:
    (old, old_hole), (new, new_hole) = before, here
    x, y = pixel_grid(Box(0, 0, new.shape[1], new.shape[0]))
    at = x + motion[..., 0], y + motion[..., 1]
    # Between points of light: means of what is seen as on a display would come out too dark.
    light, old_light = (_LINEAR.from_network(2 * picture - 1) for picture in (new, old))
    moved = bilinear(np.dstack([old_light, old_hole.astype(np.float32)]), *at)
    inside = (at[0] >= 0) & (at[0] <= x.max()) & (at[1] >= 0) & (at[1] <= y.max())
    known = ~new_hole & inside & (moved[..., 3] < 0.01) & sure
    return change_of_light(moved[..., :3], light, known)
