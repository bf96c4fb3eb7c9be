"""Give what the network painted into a frame the grain of the plate around it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..color.color_map import ColorMap
from ..images import Plate
from ..regions.hole import Hole
from .grain import BLOCK, GrainModel, grain_gain

_LEAST_REACH, _LARGEST_REACH = 128, 512
"""How far around the hole the plate is looked at, in pixels."""

_MOST_BLOCKS = 1200
"""What is measured is bounded, however large the hole."""


def regrain(
    picture: NDArray[np.float32],
    plate: Plate,
    hole: Hole,
    color: ColorMap,
    *,
    seed: int,
    own: NDArray[np.float32] | None = None,
    holes: Hole | None = None,
) -> NDArray[np.float32]:
    """Return a fill with the plate's grain where it has too little of it; a pure function of its arguments.

    The fill comes back as it was where the plate around the hole is too small, or clipped, to measure.

    Args:
        picture: the fill over the hole's box, (h, w, 3) in the network's range.
        plate: the untouched plate, which the grain is measured on.
        hole: what is filled.
        color: from the plate to the network's range.
        seed: differs from frame to frame: the frame's number.
        own: (h, w) 0..1, how much of the plate's grain the fill has already, from real pixels; None for none.
        holes: all that is filled on the frame, `hole` among it: none of it is plate; None for `hole` alone.
    """
    model = GrainModel.measure(_blocks_around(plate, hole.box, hole if holes is None else holes, color))
    if model is None:
        return picture
    gain = grain_gain(np.zeros_like(hole.alpha) if own is None else own, hole.alpha)
    # NumPy takes no negative seeds, and frame numbers can be negative.
    return model.add(picture, gain, (seed & 0xFFFFFFFF, hole.box.x0, hole.box.y0))


def _blocks_around(plate: Plate, box: Box, holes: Hole, color: ColorMap) -> NDArray[np.float32]:
    """Blocks (n, 16, 16, 3) of plate near a hole's box and outside every hole, in the network's range."""
    cuts = [plate.crop(x, y, x + BLOCK, y + BLOCK) for x, y in _corners(plate, box, holes)]
    blocks = np.stack(cuts) if cuts else np.zeros((0, BLOCK, BLOCK, 3), np.float32)
    blocks = blocks[~_clipped(blocks, plate.header.is_float)]
    return color.to_network(blocks.reshape(-1, BLOCK, 3)).reshape(blocks.shape)


def _corners(plate: Plate, box: Box, holes: Hole) -> list[tuple[int, int]]:
    """Left upper corners of blocks on a fixed grid that lie apart from the holes, evenly thinned out."""
    longer = max(box.width, box.height)
    reach = min(max(longer // 2, _LEAST_REACH), _LARGEST_REACH)
    around = box.grown(reach).within(plate.header.width, plate.header.height)
    grid = Box(-(-around.x0 // BLOCK), -(-around.y0 // BLOCK), around.x1 // BLOCK, around.y1 // BLOCK)
    if grid.width <= 0 or grid.height <= 0:
        return []
    inner = Box(*(BLOCK * edge for edge in grid))
    wider = inner.union(box).grown(BLOCK)
    near = cv2.dilate(holes.mask_on(wider).astype(np.uint8), np.ones((BLOCK + 1, BLOCK + 1), np.uint8))
    cut = near[inner.moved(-wider.x0, -wider.y0).slices]
    taken = cut.reshape(grid.height, BLOCK, grid.width, BLOCK).any(axis=(1, 3))
    free = [(BLOCK * (grid.x0 + x), BLOCK * (grid.y0 + y)) for y, x in np.argwhere(~taken).tolist()]
    return free[:: -(-len(free) // _MOST_BLOCKS)] if free else free


def _clipped(blocks: NDArray[np.float32], is_float: bool) -> NDArray[np.bool_]:
    """Which blocks (n, 16, 16, 3) can't show noise: clipped, black borders, or not finite."""
    lost = ~np.isfinite(blocks) | (blocks == 0)
    if not is_float:
        lost |= (blocks <= 0) | (blocks >= 1)
    return np.asarray(lost.mean(axis=(1, 2, 3)) > 0.02)
