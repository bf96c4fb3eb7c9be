"""Lay the network's picture into the plate's hole, at plate resolution and in the plate's own values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..color.color_map import ColorMap
from ..color.network_pixels import native_pixels, network_pixels
from ..images import Plate
from ..motion.vote import Propagated
from ..network.contract import Mask, Picture
from ..regions.hole import Hole
from ..regions.region import Region
from .regrain import regrain

_TRUSTED = 0.75
"""Found pixels with at least this confidence are shown to the network as known."""


def network_input(
    plate: Plate, hole: Hole | None, found: Propagated | None, region: Region, color: ColorMap
) -> tuple[Picture, Mask]:
    """Bring a crop of the plate to what the network takes.

    Real pixels found for the hole stand in it already where they are trusted; the network is left the rest.
    Pixels that are not finite can't be shown to a network: they become part of the hole it fills. (What is
    written keeps them, outside the matte.)
    """
    seen = region.visible
    shown, missing = network_pixels(native_pixels(plate, seen), color)
    mask = np.zeros(shown.shape[:2], np.bool_) if hole is None else hole.mask_on(seen)
    if missing is not None:
        mask |= missing
    if found is not None:
        _lay_in(found, seen, shown, mask)
    return region.picture(shown), region.mask(mask)


def _lay_in(found: Propagated, seen: Box, shown: NDArray[np.float32], mask: NDArray[np.bool_]) -> None:
    """Put the trusted ones of found pixels into a crop's picture (H, W, 3), and take them out of its hole."""
    shared = found.box.shared(seen)
    if shared is None:
        return
    here = shared.moved(-seen.x0, -seen.y0).slices
    there = shared.moved(-found.box.x0, -found.box.y0).slices
    trusted = mask[here] & (found.confidence[there] >= _TRUSTED)
    shown[here][trusted] = found.picture[there][trusted]
    mask[here] &= ~trusted


def filled(
    plate: Plate,
    hole: Hole,
    fill: Picture,
    found: Propagated | None,
    region: Region,
    color: ColorMap,
    *,
    grain_seed: int | None = None,
    in_place: bool = False,
) -> Plate:
    """Return the plate with its hole filled; every pixel outside the hole keeps its bits.

    Args:
        plate: the untouched plate.
        hole: what is filled; it lies within the region's crop.
        fill: the network's picture, (3, h, w) RGB -1..1.
        found: real pixels that go before the network's by their confidence, of all that the frame's hole has.
        region: where the picture belongs.
        color: from the network's range to the plate's.
        grain_seed: give the fill the plate's grain, a different one for each seed; None for no grain.
        in_place: the plate is given up; its own pixels are changed.
    """
    local = hole.box.moved(-region.crop.x0, -region.crop.y0)
    picture = region.restore(fill)[local.slices]
    real = None if found is None else found.within(hole.box)
    if real is not None:
        picture = picture + (real.picture - picture) * real.confidence[..., None]
    if grain_seed is not None:
        own = None if real is None else real.confidence * real.grain
        picture = regrain(picture, plate, hole, color, seed=grain_seed, own=own)
    rgb = color.from_network(picture)
    blended = _blend(plate.crop(*hole.box), rgb, hole.alpha)
    return plate.with_patch(blended, hole.alpha > 0, hole.box.x0, hole.box.y0, in_place=in_place)


def _blend(
    under: NDArray[np.float32], over: NDArray[np.float32], alpha: NDArray[np.float32]
) -> NDArray[np.float32]:
    weight = alpha[..., None]
    # A pixel that is not finite has nothing to give to a blend: there the fill stands alone.
    known = np.where(np.isfinite(under), under, over)
    return np.where(weight >= 1, over, known + (over - known) * weight)
