"""Lay the network's picture into the plate's hole, at plate resolution and in the plate's own values."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from .color import ColorMap
from .hole import Hole
from .images import Plate
from .network import Mask, Picture
from .region import Box, Region
from .regrain import regrain

_BLACK = -1.0
"""The network's value of a plate's 0."""


def network_input(plate: Plate, hole: Hole | None, region: Region, color: ColorMap) -> tuple[Picture, Mask]:
    """Bring a crop of the plate to what the network takes.

    Pixels that are not finite can't be shown to a network: they become part of the hole it fills. (What is
    written keeps them, outside the matte.)
    """
    seen = region.visible
    shown, missing = _shown(plate, seen, color)
    mask = np.zeros(shown.shape[:2], np.bool_) if hole is None else hole.mask_on(seen)
    if missing is not None:
        mask |= missing
    return region.picture(shown), region.mask(mask)


def _shown(plate: Plate, crop: Box, color: ColorMap) -> tuple[NDArray[np.float32], NDArray[np.bool_] | None]:
    """Return a crop (H, W, 3) in the network's range, and which of its pixels had no finite value, if any."""
    native = plate.native_crop(*crop) if color.conversion is None else None
    if native is not None and native.dtype == np.float16:
        # A half has 65536 values: looking each up is several times faster than computing it again.
        cut = _half_table(color)[native.view(np.uint16)]
        return cut, _cleared(cut, _BLACK)
    cut = plate.crop(*crop)
    missing = _cleared(cut, 0)
    return color.to_network(cut), missing


def _cleared(cut: NDArray[np.float32], value: float) -> NDArray[np.bool_] | None:
    """Set the pixels of a crop that are not finite to a value, in place; return them, None for none."""
    if np.isfinite(cut).all():  # asked of the whole first: asking each pixel takes thirty times as long
        return None
    missing = np.asarray(~np.isfinite(cut).all(axis=2))
    cut[missing] = value
    return missing


@functools.cache
def _half_table(color: ColorMap) -> NDArray[np.float32]:
    """Return the network's value of every half-precision number, by its bits."""
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)
    with np.errstate(invalid="ignore"):
        return color.to_network(every.reshape(-1, 1, 1)).reshape(-1)


def filled(
    plate: Plate,
    hole: Hole,
    fill: Picture,
    region: Region,
    color: ColorMap,
    *,
    grain_seed: int | None = None,
) -> Plate:
    """Return the plate with its hole filled; every pixel outside the hole keeps its bits.

    Args:
        plate: the untouched plate.
        hole: what is filled; it lies within the region's crop.
        fill: the network's picture, (3, h, w) RGB -1..1.
        region: where the picture belongs.
        color: from the network's range to the plate's.
        grain_seed: give the fill the plate's grain, a different one for each seed; None for no grain.
    """
    local = hole.box.moved(-region.crop.x0, -region.crop.y0)
    picture = region.restore(fill)[local.slices]
    if grain_seed is not None:
        picture = regrain(picture, plate, hole, color, seed=grain_seed)
    rgb = color.from_network(picture)
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
