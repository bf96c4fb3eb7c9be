"""Lay the network's picture into the plate's hole, at plate resolution and in the plate's own values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..channels import weighed
from ..color.color_map import ColorMap
from ..color.network_pixels import native_pixels, network_pixels
from ..images import Plate
from ..network.contract import Mask, Picture
from ..patch import Patch
from ..regions.hole import Hole
from ..regions.region import Region
from .regrain import regrain
from .relight import relit
from .texture import grain_of, textured
from .undertone import led

_TRUSTED = 0.75
"""Found pixels with at least this confidence are shown to the network as known."""


def network_input(
    plate: Plate, hole: Hole | None, patch: Patch | None, region: Region, color: ColorMap
) -> tuple[Picture, Mask, int]:
    """Bring a crop of the plate to what the network takes.

    Pixels found for the hole stand in it already where they are trusted; the network is left the rest, and
    what a painter guessed: it is asked what it would see there.
    Pixels that are not finite can't be shown to a network: they become part of the hole it fills. (What is
    written keeps them, outside the matte.) The last value returned is how many of them there are.
    """
    seen = region.visible
    shown, missing = network_pixels(native_pixels(plate, seen), color)
    mask = np.zeros(shown.shape[:2], np.bool_) if hole is None else hole.mask_on(seen)
    if missing is not None:
        mask |= missing
    if patch is not None:
        _lay_in(patch, seen, shown, mask)
    return region.picture(shown), region.mask(mask), 0 if missing is None else int(missing.sum())


def _lay_in(patch: Patch, seen: Box, shown: NDArray[np.float32], mask: NDArray[np.bool_]) -> None:
    """Put the trusted pixels of a patch into a crop's picture (H, W, 3), and take them out of its hole."""
    shared = patch.box.shared(seen)
    if shared is None:
        return
    here = shared.moved(-seen.x0, -seen.y0).slices
    there = shared.moved(-patch.box.x0, -patch.box.y0).slices
    sure = patch.confidence if patch.guess is None else patch.confidence - patch.guess
    trusted = mask[here] & (sure[there] >= _TRUSTED)
    cv2.copyTo(patch.picture[there], trusted.view(np.uint8), shown[here])
    mask[here] &= ~trusted


@dataclass(frozen=True)
class CropFill:
    """What the network gave for the holes of one crop.

    Attributes:
        hole: what of the frame's hole the crop fills; it lies within the crop.
        picture: the network's, (3, h, w) RGB -1..1.
        region: where the picture belongs.
    """

    hole: Hole
    picture: Picture
    region: Region


@dataclass(frozen=True)
class Fill:
    """What is laid into a plate.

    Attributes:
        hole: where, and with which weights.
        values: (h, w, 3) float32 over the hole's box, in the plate's values.
    """

    hole: Hole
    values: NDArray[np.float32]


def fills_of(
    plate: Plate,
    hole: Hole,
    crops: Sequence[CropFill],
    patch: Patch | None,
    color: ColorMap,
    *,
    grain_seed: int | None = None,
) -> list[Fill]:
    """Return what comes into a plate's hole, one for each crop.

    Args:
        plate: the untouched plate, on which grain is measured.
        hole: all that is filled on the frame.
        crops: what the network gave, crop by crop; their holes don't meet.
        patch: pixels that go before the network's by their confidence, of all that the frame's hole has.
        color: from the network's range to the plate's.
        grain_seed: give the fill the plate's grain, a different one for each seed; None for no grain.
    """
    return [Fill(crop.hole, _values(plate, hole, crop, patch, color, grain_seed)) for crop in crops]


def laid_in(plate: Plate, fills: Sequence[Fill], *, in_place: bool = False) -> Plate:
    """Return the plate with its hole filled; every pixel outside the hole keeps its bits.

    Args:
        plate: the untouched plate.
        fills: of `fills_of`.
        in_place: the plate is given up; its own pixels are changed.
    """
    clean = plate
    for fill in fills:
        # Copying an 8K plate takes longer than filling a hole in it: it is copied once at most.
        ours = in_place or clean is not plate
        box = fill.hole.box
        values = _blend(clean.crop(*box), fill.values, fill.hole.alpha)
        clean = clean.with_patch(values, fill.hole.alpha > 0, box.x0, box.y0, in_place=ours)
    return clean


def _values(
    plate: Plate,
    holes: Hole,
    fill: CropFill,
    patch: Patch | None,
    color: ColorMap,
    grain_seed: int | None,
) -> NDArray[np.float32]:
    """Return the fill over the box of one crop's hole, in the plate's values."""
    own = fill.hole
    picture = fill.region.restored(fill.picture, own.box)
    known = None if patch is None else patch.within(own.box)
    if known is not None:
        known = led(known, picture, plate.header.height)
        picture = textured(picture + weighed(known.picture - picture, known.confidence), known)
    kept = None
    if own.shadow is not None:
        picture, kept = relit(picture, plate, own, color)
    if grain_seed is not None:
        share = None if known is None else grain_of(known)
        if kept is not None:
            share = kept if share is None else share + (1 - share) * kept
        picture = regrain(picture, plate, own, color, seed=grain_seed, own=share, holes=holes)
    return color.from_network(picture)


def _blend(
    under: NDArray[np.float32], over: NDArray[np.float32], alpha: NDArray[np.float32]
) -> NDArray[np.float32]:
    # A pixel that is not finite has nothing to give to a blend: there the fill stands alone.
    known = under if np.isfinite(under).all() else np.where(np.isfinite(under), under, over)
    blended = weighed(over - known, alpha)
    blended += known
    return np.asarray(cv2.copyTo(over, (alpha >= 1).view(np.uint8), blended), np.float32)
