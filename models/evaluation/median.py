"""Baseline: the temporal median of aligned frames.

Neighboring frames are registered by a homography of what lies outside the holes (corners tracked by pyramidal
Lucas-Kanade, RANSAC), registrations are chained, and each hole takes the median of the frames that show it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from plugin_core.box import Box, bounds

from .cases import Mask

Video = list[NDArray[np.uint8]]
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class MedianSettings:
    """What was tuned.

    Attributes:
        window: frames to either side that are looked at.
        nearest: of those that show a pixel, this many nearest in time are used. Two score best: more blur
            what was not aligned exactly.
        model: "homography", "affine" or "none".
    """

    window: int = 30
    nearest: int = 2
    model: str = "homography"


def median_fill(
    plate: Video,
    holes: list[Mask],
    rest: Callable[[Video, list[Mask]], Video],
    settings: MedianSettings = MedianSettings(),
) -> Video:
    """Fill with the median; `rest` fills what no frame shows."""
    steps = [
        _registration(plate[t], plate[t + 1], holes[t], holes[t + 1], settings.model)
        for t in range(len(plate) - 1)
    ]
    filled, unknown = [], []
    for t, picture in enumerate(plate):
        result, left = _fill_frame(plate, holes, steps, t, settings)
        filled.append(picture if result is None else result)
        unknown.append(left)
    return rest(filled, unknown)


def _registration(
    this: NDArray[np.uint8], following: NDArray[np.uint8], hole: Mask, next_hole: Mask, model: str
) -> Matrix:
    """The matrix (3, 3) that takes this frame's pixels to the next frame's; identity where none is found."""
    if model == "none":
        return np.eye(3)
    gray, gray_next = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (this, following))
    outside = (~_grown(hole, 9)).astype(np.uint8)
    corners = cv2.goodFeaturesToTrack(gray, 800, 0.005, 8, mask=outside)
    if corners is None or len(corners) < 8:
        return np.eye(3)
    points, status = _tracked(gray, gray_next, corners)
    back, status_back = _tracked(gray_next, gray, points)
    good = (status.ravel() == 1) & (status_back.ravel() == 1)
    good &= np.abs(back - corners).reshape(-1, 2).max(axis=1) < 0.7
    places = np.round(points.reshape(-1, 2)).astype(int)
    height, width = hole.shape
    good &= ~_grown(next_hole, 9)[places[:, 1].clip(0, height - 1), places[:, 0].clip(0, width - 1)]
    if good.sum() < 8:
        return np.eye(3)
    source, target = corners.reshape(-1, 2)[good], points.reshape(-1, 2)[good]
    cv2.setRNGSeed(1)
    if model == "affine":
        matrix, _ = cv2.estimateAffine2D(source, target, method=cv2.RANSAC, ransacReprojThreshold=1.5)
        return np.eye(3) if matrix is None else np.vstack([matrix, [0.0, 0.0, 1.0]])
    matrix, _ = cv2.findHomography(source, target, cv2.RANSAC, 1.5)
    return np.eye(3) if matrix is None else np.asarray(matrix, np.float64)


def _tracked(
    this: NDArray[np.generic], following: NDArray[np.generic], points: NDArray[np.generic]
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Where points of this frame are in the next, and whether each was found."""
    points, status, _ = cv2.calcOpticalFlowPyrLK(  # type: ignore[call-overload]
        this, following, points, None, winSize=(21, 21), maxLevel=4
    )
    return np.asarray(points, np.float32), np.asarray(status, np.uint8)


def _grown(mask: Mask, px: int) -> Mask:
    return np.asarray(
        cv2.dilate(mask.astype(np.uint8), np.ones((2 * px + 1, 2 * px + 1), np.uint8)), np.bool_
    )


def _fill_frame(
    plate: Video, holes: list[Mask], steps: list[Matrix], t: int, settings: MedianSettings
) -> tuple[NDArray[np.uint8] | None, Mask]:
    """The frame filled where others show it, and what is left."""
    box = bounds(holes[t])
    if box is None:
        return None, holes[t]
    hole = holes[t][box.slices]
    votes = np.zeros(hole.shape, np.int32)
    pictures, valid = [], []
    for other, matrix in _neighbors(steps, t, len(plate), settings.window):
        cut, shown = _aligned(plate[other], holes[other], matrix, box)
        shown &= hole & (votes < settings.nearest)
        if shown.any():
            votes += shown
            pictures.append(cut)
            valid.append(shown)
        if (votes >= settings.nearest)[hole].all():
            break
    result = plate[t].copy()
    if pictures:
        cut = result[box.slices]
        known = votes > 0
        cut[known] = _median(np.stack(pictures), np.stack(valid), known)
    left = np.zeros_like(holes[t])
    left[box.slices] = hole & (votes == 0)
    return result, left


def _neighbors(steps: list[Matrix], t: int, count: int, window: int) -> list[tuple[int, Matrix]]:
    """Other frames, nearest first, with the matrix from frame t's pixels to theirs."""
    ahead, behind = np.eye(3), np.eye(3)
    neighbors: list[tuple[int, Matrix]] = []
    for distance in range(1, window + 1):
        if t + distance < count:
            ahead = steps[t + distance - 1] @ ahead
            neighbors.append((t + distance, ahead))
        if t - distance >= 0:
            behind = np.linalg.inv(steps[t - distance]) @ behind
            neighbors.append((t - distance, behind))
    return neighbors


def _aligned(
    picture: NDArray[np.uint8], hole: Mask, matrix: Matrix, box: Box
) -> tuple[NDArray[np.uint8], Mask]:
    """Another frame as it lies over a box of this one, and which of its pixels are there and known."""
    shift = np.array([[1, 0, box.x0], [0, 1, box.y0], [0, 0, 1]], np.float64)
    size = (box.width, box.height)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cut = cv2.warpPerspective(picture, matrix @ shift, size, flags=flags)
    known = cv2.warpPerspective((~hole).astype(np.uint8) * 255, matrix @ shift, size, flags=flags)
    return np.asarray(cut, np.uint8), np.asarray(known == 255, np.bool_)


def _median(pictures: NDArray[np.uint8], valid: NDArray[np.bool_], known: Mask) -> NDArray[np.uint8]:
    """Median over the valid pictures (N, h, w, 3) at the known pixels, (K, 3)."""
    values = pictures[:, known].astype(np.int16)
    shown = valid[:, known]
    values[~shown] = 1 << 14  # sorts behind every picture
    values.sort(axis=0)
    count = shown.sum(axis=0)
    columns = np.arange(count.size)
    low, high = values[(count - 1) // 2, columns], values[count // 2, columns]
    return np.asarray((low + high + 1) // 2, np.uint8)
