"""Carry a clean picture of one frame into the hole of another, along the background's motion."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ..patch import Patch
from ..regions.hole import Hole
from .focus import softened
from .places import Strongest, led, led_all
from .resharpen import FineContrast, cell_middles, resharpened
from .sampling import Sampler, lanczos
from .trace import Grid, Trace
from .view import MotionView
from .vote import ReadPixels, sampled

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_RIM_PX = 1.5
"""A painted hole ends within so many pixels of the motion view."""

_EDGE_PX = 6.0
"""Over so many pixels of the motion view confidence falls to 0 where the clean picture ends."""


@dataclass(frozen=True)
class Carried:
    """What a clean picture of another frame shows of a frame's hole.

    Attributes:
        patch: its pixels; confidence is 1 where the picture reaches.
        own: (h, w) float32, 1 for what lay in the other frame's own hole, 0 for what its plate shows.
    """

    patch: Patch
    own: Floats


def carried(
    grid: Grid,
    found: Trace,
    painted: Mask,
    hole: Hole,
    view: MotionView,
    clean: ReadPixels,
    where: ReadPixels | None = None,
    *,
    by: Sampler = lanczos,
    contrast: FineContrast | None = None,
    tells_places: bool = False,
) -> Carried | None:
    """Sample a clean picture where a frame's hole leads to in it; None where it leads nowhere.

    Where the frame is softer around its hole than the other one, the picture is blurred as much.

    Args:
        grid, found, painted: from `trace.follow`.
        hole: of the frame, at plate resolution.
        view: the motion view.
        clean: gives pixels of the clean picture.
        where: gives (h, w, 3), how far it is clean there, 0..1; None for everywhere.
        by: samples between its pixels.
        contrast: of the clean picture in the view's crop: what is sampled becomes as strong. None leaves that
            as it is.
        tells_places: whether the patch says where each pixel is from.
    """
    height, width = hole.alpha.shape
    at = view.points_of(hole.box)
    reach, own = cv2.split(np.clip(grid.between(_shares(grid, found, painted), *at), 0, 1))
    confidence = np.asarray(reach * (hole.alpha > 0), np.float32)
    wanted = confidence > 0
    if not wanted.any():
        return None
    blur = found.blur.scaled(*view.pixels_per)
    if blur:
        clean = softened(clean, blur, view.crop, where)
        where = None if where is None else softened(where, blur, view.crop)
    if where is not None:
        as_it_is = replace(found, offset=np.zeros_like(found.offset))
        weights = sampled(as_it_is, grid, at, wanted, view, where)[..., 0]
        confidence *= np.clip(weights, 0, 1)
        wanted = confidence > 0
        if not wanted.any():
            return None
    picture = sampled(found, grid, at, wanted, view, clean, by)
    if contrast is not None:
        columns, rows = cell_middles(width, height)
        middles = view.points(columns + np.float32(hole.box.x0), rows + np.float32(hole.box.y0))
        across, down = led_all(found, grid, middles, view)
        strong = contrast.at(across - np.float32(view.crop.x0), down - np.float32(view.crop.y0))
        strong *= np.float32(blur.fine_left)
        picture = resharpened(picture, wanted, strong)
    place = None
    if tells_places:
        strongest = Strongest(hole.alpha.shape)
        which = np.nonzero(wanted)
        there = led(found, grid, (at[0][which], at[1][which]), view)
        strongest.add(which, np.ones(which[0].size, np.float32), found.source, there)
        place = strongest.places
    grain = wanted * np.float32(blur.grain_left)
    patch = Patch(hole.box, picture, confidence, grain, place=place)
    return Carried(patch, np.asarray(own, np.float32))


def _shares(grid: Grid, found: Trace, painted: Mask) -> Floats:
    """How far each point (h, w, 2) has stayed in the view, and how far it lies in the painted hole."""
    per_edge = np.float32(grid.apart / _EDGE_PX)
    inward = _distance(np.pad(found.seen, 1, mode="edge"))[1:-1, 1:-1] * per_edge
    outward = (
        1 - _distance(~painted) * np.float32(grid.apart / _RIM_PX) if painted.any() else np.zeros_like(inward)
    )
    return np.asarray(np.clip(np.dstack([inward, outward]), 0, 1), np.float32)


def _distance(mask: Mask) -> Floats:
    """Return how many points away the nearest one outside a mask is."""
    return np.asarray(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3), np.float32)
