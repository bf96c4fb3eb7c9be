"""How the layers of a synthetic shot move: smooth random paths, homographies from frame to layer pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
_LONGEST_BLUR = 9
"""Samples of an open shutter; more would cost more than they show."""


def walk(rng: np.random.Generator, count: int, speed: float) -> Matrix:
    """A smooth path, (count, 2), zero at frame 0: a steady speed with some sway and shake."""
    t = np.arange(count)[:, None]
    steady = rng.normal(0, speed, 2) * t
    sway = rng.normal(0, 2 * speed, 2) * np.sin(rng.uniform(0.05, 0.5) * t + rng.uniform(0, 6.3))
    shake = rng.normal(0, 0.08 * speed, (count, 2))
    path: Matrix = steady + sway + shake
    return np.asarray(path - path[:1])


def homographies(path: Matrix, zoom: Matrix, roll: Matrix, tilt: Matrix, size: int) -> Matrix:
    """Frame pixels to layer pixels, (N, 3, 3): centre, tilt, turn and scale, then move to the path."""
    middle = (size - 1) / 2
    matrices = np.zeros((len(path), 3, 3))
    for t, matrix in enumerate(matrices):
        cos, sin = zoom[t] * np.cos(roll[t]), zoom[t] * np.sin(roll[t])
        place = np.array([[cos, -sin, path[t, 0]], [sin, cos, path[t, 1]], [0, 0, 1]])
        bend = np.array([[1, 0, 0], [0, 1, 0], [tilt[t, 0], tilt[t, 1], 1]])
        matrix[:] = place @ bend @ np.array([[1, 0, -middle], [0, 1, -middle], [0, 0, 1]])
    return matrices


def shutter_samples(matrices: Matrix, t: int, shutter: float, size: int) -> Matrix:
    """Homographies of a layer while the shutter is open about frame t, as many as its path has pixels.

    Args:
        matrices: the layer's homography in every frame, (N, 3, 3).
        t: the frame.
        shutter: the part of a frame's time that it is open; 0 gives the frame's own homography alone.
        size: side of the frame in pixels.

    Returns:
        (S, 3, 3), evenly about the frame's own place, so that motion blur moves nothing.
    """
    after, before = min(t + 1, len(matrices) - 1), max(t - 1, 0)
    step = (matrices[after] - matrices[before]) / max(after - before, 1)
    corners = np.array([[0, 0, 1.0], [size, size, 1.0]])
    ends = [corners @ (matrices[t] + side * shutter * step).T for side in (-0.5, 0.5)]
    path = np.abs(ends[0][:, :2] / ends[0][:, 2:] - ends[1][:, :2] / ends[1][:, 2:]).max()
    scale = max(float(np.abs(np.linalg.det(matrices[t][:2, :2])) ** 0.5), 1e-3)
    count = int(np.clip(round(path / scale), 1, _LONGEST_BLUR)) if shutter else 1
    places = (np.arange(count) - (count - 1) / 2) / count
    return np.asarray(matrices[t] + shutter * places[:, None, None] * step)
