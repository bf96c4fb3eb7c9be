"""One frame: the squeezed background, and the objects over it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..box import Box
from ..color.color_map import ColorMap
from ..images import Plate
from .geometry import Geometry
from .layer import Layer, layer_of
from .objects import Seen, matte_of
from .paths import Shift
from .pictures import light_of, native_of, stored_pixels
from .resample import resized, scaled

Floats = NDArray[np.float32]
_MARGIN = 8
"""Pixels around an object that a scaling filter may look at."""


@dataclass(frozen=True)
class Placed:
    """An object on one frame, and where it is laid."""

    seen: Seen
    shift: Shift


def cropped(plate: Plate, geometry: Geometry, shift: Shift, color: ColorMap, threads: int) -> NDArray[Any]:
    """Return the part of a plate that the output shows, (H, W, N) in the plate's type.

    Bit for bit where nothing is scaled.
    """
    width, height = geometry.size
    left, top = -shift[0], -shift[1]
    if geometry.is_native:
        return stored_pixels(plate)[top : top + height, left : left + width]
    full = [
        max(side, math.ceil(own * scale - 1e-6))
        for own, scale, side in zip(geometry.source, geometry.objects, geometry.size, strict=True)
    ]
    whole = resized(light_of(plate, color), full[0], full[1], threads)
    left, top = min(left, full[0] - width), min(top, full[1] - height)
    return native_of(whole[top : top + height, left : left + width], plate, color)


def laid(
    plate: Plate,
    clean: Floats,
    mattes: tuple[Floats, Floats | None],
    objects: Sequence[Placed],
    geometry: Geometry,
    color: ColorMap,
    threads: int,
) -> NDArray[Any]:
    """Return the squeezed clean plate with the objects over it, (H, W, N) in the plate's type.

    Opaque pixels of an object that is not scaled are the plate's, bit for bit.

    Args:
        plate: the frame.
        clean: as `pictures.light_of`, of the same size.
        mattes: matte and shadow matte, (H, W).
        objects: the farthest first.
        geometry: of the output.
        color: of the plate.
        threads: of the processor; 0 for all.
    """
    width, height = geometry.size
    channels = light_of(plate, color) if objects else clean
    if clean.shape[2] < channels.shape[2]:
        clean = np.concatenate([clean, np.ones((*clean.shape[:2], 1), np.float32)], axis=2)
    picture = resized(clean[..., : channels.shape[2]], width, height, threads)
    exact = np.zeros((height, width), np.bool_)
    native: NDArray[Any] | None = None
    stored = stored_pixels(plate) if objects and geometry.is_native else None
    for each in objects:
        box = each.seen.box
        if not geometry.is_native:
            box = box.grown(_MARGIN).within(*geometry.source)
        own = matte_of(each.seen, box, mattes[0])
        shade = None if mattes[1] is None else matte_of(each.seen, box, mattes[1])
        layer = layer_of(channels[box.slices], clean[box.slices][..., : channels.shape[2]], own, shade)
        if stored is None:
            _lay_scaled(picture, layer, box, each.shift, geometry, threads)
            continue
        there = box.moved(*each.shift).within(width, height)
        if there.width <= 0 or there.height <= 0:
            continue
        cut = there.moved(-each.shift[0] - box.x0, -each.shift[1] - box.y0).slices
        picture[there.slices] = layer.light[cut] + layer.keeps[cut] * picture[there.slices]
        if native is None:
            native = np.zeros((height, width, stored.shape[2]), stored.dtype)
        solid = own[cut] >= 1
        exact[there.slices] &= (layer.keeps[cut] >= 1).all(axis=2)
        exact[there.slices] |= solid
        native[there.slices][solid] = stored[box.slices][cut][solid]
    done = native_of(picture, plate, color)
    if native is not None:
        done[exact] = native[exact]
    return done


def _lay_scaled(
    picture: Floats, layer: Layer, box: Box, shift: Shift, geometry: Geometry, threads: int
) -> None:
    """Lay a layer whose pixels become more or fewer over a picture, in place."""
    scale = geometry.objects
    at = box.x0 * scale[0] + shift[0], box.y0 * scale[1] + shift[1]
    ends = at[0] + box.width * scale[0], at[1] + box.height * scale[1]
    around = Box(math.floor(at[0]), math.floor(at[1]), math.ceil(ends[0]), math.ceil(ends[1]))
    there = around.within(*geometry.size)
    if there.width <= 0 or there.height <= 0:
        return
    planes = np.concatenate([layer.light, 1 - layer.keeps], axis=2)
    moved = scaled(planes, scale, at, there, threads)
    channels = layer.light.shape[2]
    hides = np.clip(moved[..., channels:], 0, 1)
    light = np.maximum(moved[..., :channels], np.minimum(layer.light.min(), 0))
    picture[there.slices] = light + (1 - hides) * picture[there.slices]
