"""Lay the network's picture into the plate's hole, at plate resolution and in the plate's own values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .color import ColorMap
from .hole import Hole
from .images import Plate
from .network import Mask, Picture
from .region import Box, Region


def network_input(plate: Plate, hole: Hole | None, region: Region, color: ColorMap) -> tuple[Picture, Mask]:
    """Bring a plate's crop to what the network takes.

    Pixels that are not finite can't be shown to a network: they become part of the hole it fills. (What is
    written keeps them, outside the matte.)
    """
    cut = plate.crop(*region.crop)
    mask = np.zeros(cut.shape[:2], np.bool_) if hole is None else hole.mask_on(region.crop)
    if not np.isfinite(
        cut
    ).all():  # asked of the whole first, which is thirty times faster than of each pixel
        missing = ~np.isfinite(cut).all(axis=2)
        cut[missing] = 0
        mask |= missing
    return region.picture(color.to_network(cut)), region.mask(mask)


def filled(plate: Plate, hole: Hole, fill: Picture, region: Region, color: ColorMap) -> Plate:
    """Return the plate with its hole filled; every pixel outside the hole keeps its bits.

    Args:
        plate: the untouched plate.
        hole: what is filled; it lies within the region's crop.
        fill: the network's picture, (3, h, w) RGB -1..1.
        region: where the picture belongs.
        color: from the network's range to the plate's.
    """
    local = hole.box.moved(-region.crop.x0, -region.crop.y0)
    rgb = color.from_network(region.restore(fill)[local.slices])
    blended = _blend(plate.crop(*hole.box), rgb, hole.alpha)
    return plate.with_patch(blended, hole.alpha > 0, hole.box.x0, hole.box.y0)


def _blend(
    under: NDArray[np.float32], over: NDArray[np.float32], alpha: NDArray[np.float32]
) -> NDArray[np.float32]:
    weight = alpha[..., None]
    # A pixel that is not finite has nothing to give to a blend: there the fill stands alone.
    known = np.where(np.isfinite(under), under, over)
    return np.where(weight >= 1, over, known + (over - known) * weight)


def covers_everything(box: Box, alpha: NDArray[np.float32], width: int, height: int) -> bool:
    """Whether a hole leaves no pixel of the plate to go by."""
    return box == Box(0, 0, width, height) and bool((alpha > 0).all())
