"""What anyone can fill a hole with today, done as well as it goes: the methods ours has to beat.

Each takes a plate that is black inside the hole and returns it filled; outside the hole nothing changes. The
constants were tuned on holes of another seed than the cases' (docs/evaluation.md says what was tried).
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from plugin_core.box import bounds

from .cases import Mask
from .clips import Video
from .flow_fill import flow_fill
from .harmonic import harmonic_fill
from .median import median_fill

Baseline = Callable[[Video, list[Mask]], Video]

TELEA_RADIUS_PX, NAVIER_STOKES_RADIUS_PX = 8, 12
"""Radius of the neighborhood that OpenCV fills a pixel from."""


def black(plate: Video, holes: list[Mask]) -> Video:
    """Leave the hole black."""
    return [picture.copy() for picture in plate]


def telea(plate: Video, holes: list[Mask]) -> Video:
    """Fill each frame by itself: Telea, "An image inpainting technique based on the fast marching method"."""
    return [
        spatial(picture, hole, cv2.INPAINT_TELEA, TELEA_RADIUS_PX)
        for picture, hole in zip(plate, holes, strict=True)
    ]


def navier_stokes(plate: Video, holes: list[Mask]) -> Video:
    """Fill each frame by itself: Bertalmio et al., "Navier-Stokes, fluid dynamics, and image inpainting"."""
    return [
        spatial(picture, hole, cv2.INPAINT_NS, NAVIER_STOKES_RADIUS_PX)
        for picture, hole in zip(plate, holes, strict=True)
    ]


def harmonic(plate: Video, holes: list[Mask]) -> Video:
    """Fill each frame by itself: every pixel the mean of its four neighbors."""
    return [harmonic_fill(picture, hole) for picture, hole in zip(plate, holes, strict=True)]


def spatial(picture: NDArray[np.uint8], hole: Mask, method: int, radius_px: float) -> NDArray[np.uint8]:
    """Fill one frame with OpenCV, on the part around the hole."""
    box = bounds(hole)
    if box is None:
        return picture.copy()
    height, width = hole.shape
    box = box.grown(int(4 * radius_px) + 4).within(width, height)
    filled = picture.copy()
    cut = np.ascontiguousarray(picture[box.slices])
    filled[box.slices] = cv2.inpaint(cut, hole[box.slices].astype(np.uint8), radius_px, method)
    return filled


def temporal_median(plate: Video, holes: list[Mask]) -> Video:
    """Median of the frames, aligned by the background's homography; Telea where no frame shows it."""
    return median_fill(plate, holes, telea)


def flow_propagation(plate: Video, holes: list[Mask]) -> Video:
    """Pixels carried along dense-inverse-search flow, both directions, over the clip; Telea for the rest."""
    return flow_fill(plate, holes, telea)


def flow_from_the_past(plate: Video, holes: list[Mask]) -> Video:
    """Fill as `flow_propagation` does, from frames before each only."""
    return flow_fill(plate, holes, telea, past_only=True)


BASELINES: dict[str, Baseline] = {
    "black": black,
    "telea": telea,
    "ns": navier_stokes,
    "harmonic": harmonic,
    "median": temporal_median,
    "flow": flow_propagation,
    "flow-past": flow_from_the_past,
}
