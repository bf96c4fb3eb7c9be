"""Repair what was found: real pixels of the frames around, brought along the motion, else from the sides.

Each damaged pixel is taken from one neighbor, so that its grain stays grain: from one two frames away unless
one next to it fits clearly better around the damage, since the same grain on two frames running looks frozen.
Where every neighbor is damaged at that place, too (a scratch in front of a standing picture), or none fits,
the pixel is continued from what is around it on its own frame. What has too little grain gets the plate's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..color.color_map import ColorMap
from ..color.network_pixels import native_pixels, network_pixels
from ..compose.grain import BLOCK, GrainModel, grain_gain
from ..images import Plate
from ..motion.flow import spread
from .across import continued_across

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_JOIN_PX, _MARGIN_PX = 12, 24
"""Damage this close is repaired together, with so much of the plate around it."""

_MOST_PX = 1 << 18
"""No more pixels than this are repaired at once; that goes by whole rows."""

_NEAR_PX, _WIDE_PX = 15, 61
"""How well a neighbor fits is measured over a window of so many pixels, or of more where that is all
damage."""

_FAR_WINS = (1.15, 0.01)
"""A frame two away is taken unless one next to it fits this many times better, and by this much."""

_UNFIT = 0.12
"""A neighbor that is off by more than this around the damage is not taken; of the network's range of 2."""

_OWN_GRAIN = 0.85
"""Share of a frame's grain that sampling between its pixels leaves."""

_MOST_BLOCKS = 400
_THIRDS = np.full((1, 3), 1 / 3, np.float32)


@dataclass(frozen=True)
class Neighbor:
    """A frame near the damaged one.

    Attributes:
        plate: its picture.
        damaged: (H, W), its own damage.
        motion: (H, W, 2) from the damaged frame to it, in pixels.
        away: frames between them; its sign is not looked at.
    """

    plate: Plate
    damaged: Mask
    motion: Callable[[Box], Floats]
    away: int


def reach_px(height: int) -> int:
    """Return how far around what is found a plate of so many rows is repaired, so that no soft edge stays."""
    return max(1, round(height / 1080))


def repaired(
    plate: Plate, damaged: Mask, neighbors: Mapping[int, Neighbor], color: ColorMap, *, seed: int, grain: bool
) -> tuple[Plate, int]:
    """Return the plate with its damage repaired; every other pixel keeps its bits.

    Args:
        plate: the frame.
        damaged: (H, W), what was found.
        neighbors: by frame.
        color: from the plate to the network's range.
        seed: differs from frame to frame: the frame's number.
        grain: whether what is repaired gets the grain that it lacks.

    Returns:
        The picture, and how many pixels were changed.
    """
    if not damaged.any():
        return plate, 0
    reach = reach_px(plate.header.height)
    solid = _grown(damaged, reach)
    soft = _grown(solid, reach)
    model = GrainModel.measure(_blocks(plate, soft, color)) if grain else None
    clean = plate
    changed = 0
    for box in _places(soft):
        around = box.grown(_MARGIN_PX * reach).within(plate.header.width, plate.header.height)
        fill, own = _filled(plate, soft, neighbors, color, around, reach)
        alpha = np.where(solid[around.slices], np.float32(1), np.float32(0.5)) * soft[around.slices]
        inside = soft[around.slices] & _within(box, around)
        if model is not None:
            gain = np.where(inside, grain_gain(own, alpha.astype(np.float32)), np.float32(0))
            fill = model.add(fill, gain, (seed & 0xFFFFFFFF, box.x0, box.y0))
        native, _ = network_pixels(native_pixels(plate, around), color)
        mixed = native + alpha[..., None].astype(np.float32) * (fill - native)
        values = color.from_network(np.asarray(mixed, np.float32))
        clean = clean.with_patch(values, inside, around.x0, around.y0, in_place=clean is not plate)
        changed += int(inside.sum())
    return clean, changed


def _grown(mask: Mask, px: int) -> Mask:
    size = 2 * px + 1
    return np.asarray(cv2.dilate(mask.view(np.uint8), np.ones((size, size), np.uint8)) > 0)


def _places(mask: Mask) -> Iterator[Box]:
    """Yield boxes that hold a mask, damage that lies close in one; long ones in parts."""
    size = 2 * _JOIN_PX + 1
    near = cv2.dilate(mask.view(np.uint8), np.ones((size, size), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(near, connectivity=4)
    taken: list[Box] = []
    for left, top, wide, high, _ in stats[1:count].tolist():
        taken.append(Box(left, top, left + wide, top + high))
    for box in _apart(taken):
        rows = max(1, _MOST_PX // box.width)
        for top in range(box.y0, box.y1, rows):
            yield Box(box.x0, top, box.x1, min(top + rows, box.y1))


def _apart(boxes: list[Box]) -> list[Box]:
    """Join boxes that meet, until none do: each pixel is repaired once."""
    done: list[Box] = []
    while boxes:
        box = boxes.pop()
        meets = next((other for other in done if box.shared(other) is not None), None)
        if meets is None:
            done.append(box)
        else:
            done.remove(meets)
            boxes.append(box.union(meets))
    return sorted(done)


def _within(box: Box, around: Box) -> Mask:
    mask = np.zeros((around.height, around.width), np.bool_)
    mask[box.moved(-around.x0, -around.y0).slices] = True
    return mask


def _filled(
    plate: Plate, damaged: Mask, neighbors: Mapping[int, Neighbor], color: ColorMap, box: Box, reach: int
) -> tuple[Floats, Floats]:
    """Return what belongs in a box's damage, (h, w, 3) in the network's range, and its share of grain."""
    here, _ = network_pixels(native_pixels(plate, box), color)
    lost = damaged[box.slices]
    fill = here.copy()
    own = np.zeros(lost.shape, np.float32)
    best = np.full(lost.shape, np.inf, np.float32)
    for _, neighbor in sorted(neighbors.items()):
        brought, there = _brought(neighbor, color, box, reach)
        around = _Around((~lost & there).astype(np.float32))
        off = here - brought
        light = around.mean(off, _NEAR_PX * 2 * reach + 1, _WIDE_PX * reach)
        wrong = cv2.transform(np.abs(off - light), _THIRDS)
        misfit = around.mean(np.asarray(wrong, np.float32), _NEAR_PX * reach, _WIDE_PX * reach)
        unlike = misfit if abs(neighbor.away) > 1 else misfit * _FAR_WINS[0] + np.float32(_FAR_WINS[1])
        better = lost & there & (misfit < _UNFIT) & (unlike < best)
        best = np.where(better, unlike, best)
        fill = np.where(better[..., None], brought + light, fill)
        own = np.where(better, np.float32(_OWN_GRAIN), own)
    alone = lost & ~np.isfinite(best)
    if alone.any():
        fill = np.where(alone[..., None], _from_sides(here, lost), fill)
    return np.asarray(fill, np.float32), np.asarray(own, np.float32)


def _brought(neighbor: Neighbor, color: ColorMap, box: Box, reach: int) -> tuple[Floats, Mask]:
    """Return a neighbor's pixels on a box, (h, w, 3), and which of them it shows undamaged."""
    motion = neighbor.motion(box)
    columns = np.arange(box.x0, box.x1, dtype=np.float32)[None] + motion[..., 0]
    rows = np.arange(box.y0, box.y1, dtype=np.float32)[:, None] + motion[..., 1]
    header = neighbor.plate.header
    inside = (columns >= 0) & (columns <= header.width - 1) & (rows >= 0) & (rows <= header.height - 1)
    cut = _landing(columns, rows, inside, header.width, header.height)
    if cut is None:
        return np.zeros((*inside.shape, 3), np.float32), np.zeros_like(inside)
    native, _ = network_pixels(native_pixels(neighbor.plate, cut), color)
    x, y = (columns - cut.x0).astype(np.float32), (rows - cut.y0).astype(np.float32)
    picture = cv2.remap(native, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    lost = _grown(neighbor.damaged[cut.slices], 2 * reach).view(np.uint8) * np.uint8(255)
    hidden = cv2.remap(lost, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(picture, np.float32), np.asarray(inside & (hidden < 3), np.bool_)


def _landing(columns: Floats, rows: Floats, inside: Mask, width: int, height: int) -> Box | None:
    """Return the box of the neighbor that holds what is looked at; None where that is nothing."""
    if not inside.any():
        return None
    x, y = columns[inside], rows[inside]
    cut = Box(int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1)
    return cut.grown(3).within(width, height)


class _Around:
    """Means of what is known around each pixel.

    Args:
        known: (h, w), 1 where a value is known, else 0.
    """

    def __init__(self, known: Floats) -> None:
        self._known = known
        self._count = max(float(cv2.sumElems(known)[0]), 1.0)
        self._weights: dict[int, Floats] = {}

    def mean(self, values: Floats, near: int, wide: int) -> Floats:
        """Return the mean of values (h, w) or (h, w, c) in windows of so many pixels; from wider ones where
        there is none."""
        known = self._known if values.ndim == 2 else cv2.merge([self._known] * values.shape[2])
        weighted = np.asarray(values * known, np.float32)
        share = np.clip(self._weight(near) * 8, 0, 1)
        mean = self._window(weighted, near)
        if float(share.min()) < 1:
            whole = np.array(cv2.sumElems(weighted)[: known.size // self._known.size]) / self._count
            far = np.where(self._over(values, self._weight(wide) > 1e-3), self._window(weighted, wide), whole)
            share = self._over(values, share)
            mean = share * mean + (1 - share) * far
        return np.asarray(mean, np.float32)

    def _window(self, weighted: Floats, px: int) -> Floats:
        sums = cv2.blur(weighted, (px | 1, px | 1))
        return np.asarray(sums / self._over(weighted, np.maximum(self._weight(px), 1e-6)), np.float32)

    def _weight(self, px: int) -> Floats:
        if px not in self._weights:
            self._weights[px] = np.asarray(cv2.blur(self._known, (px | 1, px | 1)), np.float32)
        return self._weights[px]

    @staticmethod
    def _over(like: Floats, values: NDArray[Any]) -> NDArray[Any]:
        return values if like.ndim == 2 else values[..., None]


def _from_sides(here: Floats, lost: Mask) -> Floats:
    """Continue a picture (h, w, 3) into what is lost: straight across where that is narrow, else smoothly."""
    smooth = spread(here, ~lost)
    wide = cv2.distanceTransform(lost.view(np.uint8), cv2.DIST_L2, 3)
    across = continued_across(smooth, lost)
    thin = np.clip((4 - cv2.dilate(wide, np.ones((7, 7), np.uint8))) / 2, 0, 1)[..., None]
    return np.asarray(thin * across + (1 - thin) * smooth, np.float32)


def _blocks(plate: Plate, damaged: Mask, color: ColorMap) -> Floats:
    """Return blocks (n, 16, 16, 3) of undamaged plate, spread over it, in the network's range."""
    down, across = plate.header.height // BLOCK, plate.header.width // BLOCK
    taken = damaged[: down * BLOCK, : across * BLOCK].reshape(down, BLOCK, across, BLOCK).any(axis=(1, 3))
    free = np.argwhere(~taken)
    free = free[:: -(-len(free) // _MOST_BLOCKS) or 1]
    cuts = []
    for y in np.unique(free[:, 0]).tolist():
        row = plate.crop(0, y * BLOCK, across * BLOCK, (y + 1) * BLOCK)
        cuts += [row[:, x * BLOCK : (x + 1) * BLOCK] for x in free[free[:, 0] == y, 1].tolist()]
    blocks = np.stack(cuts) if cuts else np.zeros((0, BLOCK, BLOCK, 3), np.float32)
    lost = ~np.isfinite(blocks) | (blocks == 0)
    if not plate.header.is_float:
        lost |= (blocks <= 0) | (blocks >= 1)
    blocks = blocks[lost.mean(axis=(1, 2, 3)) <= 0.02]
    return color.to_network(blocks.reshape(-1, BLOCK, 3)).reshape(blocks.shape)
