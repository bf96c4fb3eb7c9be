"""Bring what is carried over along with the plate: to where the background has moved, and to its exposure.

A frame's fill goes on from the one before. Where the camera moves that one lies in the wrong place, and is
moved as the background around the hole moves; where exposure or color drift it lags behind, and is brightened
(see `border_match`). Both are measured on the known pixels right around the hole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box, bounds
from ..color.color_map import ColorMap
from ..motion.flow import flow_between
from ..motion.sampling import bicubic, bilinear, pixel_grid
from ..network.contract import (
    PREVIOUS_MASK,
    PREVIOUS_OUTPUT,
    PREVIOUS_SHARE,
    Carry,
    Mask,
    Network,
    Picture,
)
from .carry_share import share_of
from .light_change import Gain, change_of_light

Floats = NDArray[np.float32]

Moved = Callable[[Box, int], tuple[Floats, NDArray[np.bool_]]]
"""Tells for the cells of a box of network pixels, given their size, where their centers lay in the frame
before: network pixels from where they lie, (h, w, 2), and which (h, w) are not known."""

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

_WRONG = np.float32(0.03)
"""A mean difference of known pixels, display-referred, at which what is near is trusted by 1/e."""

_DOUBTED = 0.1
"""Where the background stands, what is trusted less is somebody who walks there."""

_AROUND_CELLS, _EVERYWHERE = 3.0, 0.02
"""Differences count so far around; where none is near their mean stands, as this much of a cell."""

_STANDS_CELLS = 0.2
"""One that moves by no more stands as far as this goes; beyond, what doesn't fit may be badly measured."""

_LINEAR = ColorMap("linear")


@dataclass(frozen=True)
class Change:
    """How a frame's surroundings of a hole differ from those of the frame before.

    Attributes:
        box: network pixels that were compared.
        motion: (h, w, 2) float32, where each pixel of the box lay, in network pixels from where it lies; None
            where the background stands.
        gain: by what it got brighter, (3,) RGB; None for nothing.
        trust: (h, w) float32, 0..1, how well the known pixels around fit the motion; None where that was not
            given.
        stands: true where the background hardly moves, so that what does not fit is something else.
    """

    box: Box
    motion: Floats | None
    gain: Gain | None
    trust: Floats | None = None
    stands: bool = False


def change_between(
    before: tuple[Picture, Mask], here: tuple[Picture, Mask], moved: Moved | None = None
) -> Change | None:
    """Measure how the surroundings of a hole have changed from one frame to the next; None for not at all.

    A pure function of two frames as the network sees them through one crop.

    Args:
        before, here: picture (3, H, W) in the network's range and mask (1, H, W) of each.
        moved: how the background has moved; None measures it here.
    """
    box = _around(before[1][0] > 0, here[1][0] > 0)
    if box is None:
        return None
    (old, old_hole), (new, new_hole) = _cells(before, box), _cells(here, box)
    if moved is None:
        flow = flow_between(new, new_hole, old, old_hole)
        cells, sure = flow.motion, flow.doubt < 1
    else:
        pixels, lost = moved(box, _CELL)
        cells, sure = pixels / np.float32(_CELL), ~lost
    gain = _gain((old, old_hole), (new, new_hole), cells, sure)
    most = np.abs(cells[new_hole]).max(initial=0)
    size = box.width, box.height
    motion = None if most < _STILL_CELLS else np.asarray(cv2.resize(_CELL * cells, size), np.float32)
    trust = None
    if moved is not None:
        error = _error((old, old_hole), (new, new_hole), cells)
        fits = np.where(sure, np.exp(-((error / _WRONG) ** 2)), np.float32(0))
        trust = np.asarray(cv2.resize(fits, size), np.float32)
    if motion is None and gain is None and trust is None:
        return None
    return Change(box, motion, gain, trust, bool(most < _STANDS_CELLS))


def followed(network: Network, carry: Carry, change: Change) -> Carry:
    """Return a carry whose previous output has moved and brightened with the plate."""
    arrays = network.fetch(carry)
    before = arrays.get(PREVIOUS_OUTPUT)
    if before is None:
        return carry
    if change.motion is not None:
        before = _moved_inside(before, change.box, change.motion)
    return network.put({**arrays, PREVIOUS_OUTPUT: _brightened(network, before, change.gain)})


def all_followed(
    network: Network,
    carry: Carry,
    change: Change | None,
    behind: tuple[Picture, Mask],
    here: tuple[Picture, Mask],
) -> Carry:
    """Return a carry of which all has moved with the plate, for a network that takes flows.

    The memory moves as the previous output does. Of that one the plate is put back where it is known, as far
    as it fits the motion, so that what the hole comes to cover goes on from real pixels. Where the background
    stands and somebody walks over it nothing goes on: there the previous output is hidden, as at the start.
    What doesn't go on from the plate around the hole is taken for less, where the network lets that be said.

    Args:
        network: gives the carry's arrays and takes them back.
        carry: after the step before.
        change: since then; None for none.
        behind, here: picture and mask of the step before and of the one to come, on this crop.
    """
    arrays = network.fetch(carry)
    if PREVIOUS_OUTPUT not in arrays:
        return network.put(_all_moved(arrays, behind, change))
    before = arrays[PREVIOUS_OUTPUT]
    plate = network.fetch(network.start(*behind))[PREVIOUS_OUTPUT]
    after = _all_moved(arrays, behind, change)
    back = {PREVIOUS_OUTPUT: np.where(behind[1] > 0, before, plate)}
    output = _all_moved(back, behind, change)[PREVIOUS_OUTPUT]
    if change is not None:
        if change.trust is not None:
            inside = (..., *change.box.slices)
            kept = after[PREVIOUS_OUTPUT][inside]
            output = output.copy()
            output[inside] = kept + change.trust * (output[inside] - kept)
        output = _brightened(network, output, change.gain)
    return network.put(_shared(network, _hidden({**after, PREVIOUS_OUTPUT: output}, change), here))


def _brightened(network: Network, picture: Floats, gain: Gain | None) -> Floats:
    """Return a picture (..., 3, H, W) of a carry, brighter."""
    if gain is None:
        return picture
    own = gain if network.channel_order == "RGB" else gain[::-1]
    return _LINEAR.to_network(_LINEAR.from_network(picture) * own[:, None, None])


def _hidden(arrays: Mapping[str, Floats], change: Change | None) -> dict[str, Floats]:
    """Hide the previous output where somebody walks over a background that stands."""
    hidden = dict(arrays)
    if change is None or change.trust is None or not change.stands or PREVIOUS_MASK not in arrays:
        return hidden
    doubted = change.trust < _DOUBTED
    for name, value in ((PREVIOUS_OUTPUT, 0), (PREVIOUS_MASK, 1)):
        hidden[name] = arrays[name].copy()
        hidden[name][(..., *change.box.slices)][..., doubted] = value
    return hidden


def _shared(network: Network, arrays: dict[str, Floats], here: tuple[Picture, Mask]) -> dict[str, Floats]:
    """Lower the previous output's share where it doesn't go on from what is known."""
    share = arrays.get(PREVIOUS_SHARE)
    if share is None or share.ndim < 2:
        return arrays
    height, width = share.shape[-2:]
    picture = arrays[PREVIOUS_OUTPUT].reshape(here[0].shape)
    own = picture if network.channel_order == "RGB" else picture[::-1]
    fits = cv2.resize(share_of(own, here), (width, height), interpolation=cv2.INTER_LINEAR)
    return {**arrays, PREVIOUS_SHARE: share * np.asarray(fits, np.float32)}


def _all_moved(
    arrays: Mapping[str, Floats], behind: tuple[Picture, Mask], change: Change | None
) -> dict[str, Floats]:
    moved = dict(arrays)
    if change is None or change.motion is None:
        return moved
    width, box, motion = behind[1].shape[-1], change.box, change.motion
    for name, before in arrays.items():
        if before.ndim < 2 or name == PREVIOUS_OUTPUT:
            continue
        scale = width // before.shape[-1]
        cells = Box(*(edge // scale for edge in box))
        part = cv2.resize(motion, (cells.width, cells.height), interpolation=cv2.INTER_AREA)
        x, y = pixel_grid(cells)
        x, y = x + part[..., 0] / np.float32(scale), y + part[..., 1] / np.float32(scale)
        after = before.copy()
        for plane, target in zip(_planes(before), _planes(after), strict=True):
            target[cells.slices] = bilinear(plane, x, y)
        moved[name] = after
    if PREVIOUS_OUTPUT in arrays:
        moved[PREVIOUS_OUTPUT] = _moved_inside(arrays[PREVIOUS_OUTPUT], box, motion)
    return moved


def _planes(array: Floats) -> Floats:
    """Return an array (..., h, w) as (n, h, w), without copying."""
    return array.reshape(-1, *array.shape[-2:])


def _moved_inside(picture: Floats, box: Box, motion: Floats) -> Floats:
    """Return a picture (..., 3, H, W) whose pixels in a box have moved."""
    x, y = pixel_grid(box)
    interleaved = np.asarray(cv2.merge(list(_planes(picture))), np.float32)
    inside = bicubic(interleaved, x + motion[..., 0], y + motion[..., 1])
    moved = picture.copy()
    moved[(..., *box.slices)] = np.moveaxis(inside, -1, 0)
    return moved


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


def _error(
    before: tuple[Floats, NDArray[np.bool_]], here: tuple[Floats, NDArray[np.bool_]], motion: Floats
) -> Floats:
    """How far known cells differ along the motion, smoothly continued everywhere: (h, w)."""
    (_, old_hole), (new, new_hole) = before, here
    moved, known = _along(before[0], old_hole, new_hole, motion)
    shown = known.astype(np.float32)
    off = np.abs(moved - new).mean(axis=2) * shown
    everywhere = off.sum() / max(float(shown.sum()), 1.0)
    near, count = (
        cv2.GaussianBlur(part, (0, 0), _AROUND_CELLS, borderType=cv2.BORDER_REPLICATE)
        for part in (off, shown)
    )
    return np.asarray((near + _EVERYWHERE * everywhere) / (count + _EVERYWHERE), np.float32)


def _along(
    old: Floats, old_hole: NDArray[np.bool_], new_hole: NDArray[np.bool_], motion: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the old cells (h, w, 3) as they have moved, and which cells are known both then and now."""
    x, y = pixel_grid(Box(0, 0, old.shape[1], old.shape[0]))
    at = x + motion[..., 0], y + motion[..., 1]
    moved = bilinear(np.dstack([old, old_hole.astype(np.float32)]), *at)
    inside = (at[0] >= 0) & (at[0] <= x.max()) & (at[1] >= 0) & (at[1] <= y.max())
    return moved[..., :3], ~new_hole & inside & (moved[..., 3] < 0.01)


def _gain(
    before: tuple[Floats, NDArray[np.bool_]],
    here: tuple[Floats, NDArray[np.bool_]],
    motion: Floats,
    sure: NDArray[np.bool_],
) -> Gain | None:
    (old, old_hole), (new, new_hole) = before, here
    # Between points of light: means of what is seen as on a display would come out too dark.
    light, old_light = (_LINEAR.from_network(2 * picture - 1) for picture in (new, old))
    moved, known = _along(old_light, old_hole, new_hole, motion)
    return change_of_light(moved, light, known & sure)
