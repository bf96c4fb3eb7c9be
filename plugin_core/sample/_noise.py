"""Value noise for the sample shot: pure numpy, from one seeded table, the same on every machine."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Plane = NDArray[np.float32]

_SIZE = 256


def noise_table(seed: int) -> Plane:
    """Random lattice values in [-1, 1), (256, 256); the lattice repeats beyond its edges."""
    return (np.random.default_rng(seed).random((_SIZE, _SIZE)) * 2.0 - 1.0).astype(np.float32)


def as_plane(values: ArrayLike) -> Plane:
    """The values as float32."""
    return np.asarray(values, np.float32)


def smoothstep(low: float, high: float, x: Plane) -> Plane:
    """0 below `low`, 1 above `high`, a smooth cubic between."""
    t = np.clip((x - np.float32(low)) / np.float32(high - low), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), np.float32)


def mix(a: Plane, b: Plane, weight: Plane) -> Plane:
    """`a` where weight is 0, `b` where it is 1; a (H, W) weight serves (H, W, 3) colors."""
    if weight.ndim + 1 == max(a.ndim, b.ndim) or (weight.ndim == 2 and max(a.ndim, b.ndim) == 1):
        weight = weight[..., None]
    return np.asarray(a + (b - a) * weight, np.float32)


def value_noise(x: Plane, y: Plane, table: Plane) -> Plane:
    """Smooth noise in [-1, 1] with features of size 1, at the points (x, y)."""
    x0, y0 = np.floor(x), np.floor(y)
    fx, fy = (x - x0).astype(np.float32), (y - y0).astype(np.float32)
    fx = fx * fx * fx * (fx * (fx * 6 - 15) + 10)
    fy = fy * fy * fy * (fy * (fy * 6 - 15) + 10)
    left, top = x0.astype(np.int32) % _SIZE, y0.astype(np.int32) % _SIZE
    right, bottom = (left + 1) % _SIZE, (top + 1) % _SIZE
    upper = table[top, left] * (1 - fx) + table[top, right] * fx
    lower = table[bottom, left] * (1 - fx) + table[bottom, right] * fx
    return np.asarray(upper * (1 - fy) + lower * fy, np.float32)


def fractal(
    x: Plane, y: Plane, table: Plane, octaves: int, *, gain: float = 0.5, footprint: Plane | float = 0.0
) -> Plane:
    """Sum of octaves of value noise, about [-1, 1].

    `footprint` is the size of a pixel in units of (x, y): octaves finer than two to four pixels fade out, so
    that the picture never aliases when the camera moves.
    """
    total = np.zeros(np.broadcast_shapes(x.shape, y.shape), np.float32)
    amplitude, frequency, norm = 1.0, 1.0, 0.0
    for octave in range(octaves):
        keep = np.clip(0.5 / (np.asarray(footprint, np.float32) * frequency + 1e-9) - 1.0, 0.0, 1.0)
        shift = 17.3 * octave
        total += amplitude * keep * value_noise(x * frequency + shift, y * frequency - shift, table)
        norm += amplitude
        amplitude, frequency = amplitude * gain, frequency * 2.03
    return np.asarray(total / norm * 1.6, np.float32)
