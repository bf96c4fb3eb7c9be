"""Frame, camera and painting tools of the sample shot: scene units, layers with cover, hills in haze.

A scene unit is a 512th of the picture's width, whatever the pixel count. Colors are scene-linear, Rec.709.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from plugin_core.sample._noise import Plane, as_plane, fractal, mix, noise_table, smoothstep

WIDTH, HEIGHT = 512, 288
SUPER = 1.625  # samples per scene unit and axis
HORIZON = 164.0
SUN = (418.0, 74.0)

_MARGIN = 64  # how much wider than the frame the sliding layers are, in pixels
HAZE = np.array([0.70, 0.37, 0.26], np.float32)


@dataclass(frozen=True)
class Camera:
    """Where the camera is at an instant: image shifts in pixels, and the truck to the right."""

    pan: float
    tilt: float
    truck: float

    @staticmethod
    def at(time: float) -> Camera:
        """The move: a drone that trucks to the right, pans a little and breathes. `time` in frames from 0."""
        eased = time + 0.9 * math.sin(2 * math.pi * time / 40.0)
        return Camera(pan=0.55 * eased, tilt=1.3 * math.sin(2 * math.pi * time / 56.0), truck=eased)


def color(red: float, green: float, blue: float) -> Plane:
    """A linear Rec.709 color."""
    return np.array([red, green, blue], np.float32)


def samples(units: float) -> int:
    """Samples along so many scene units."""
    return round(units * SUPER)


def grid() -> tuple[Plane, Plane]:
    """Pixel coordinates of the sliding layers at sample centres: x (1, W'), y (H', 1)."""
    x = (np.arange(samples(WIDTH + _MARGIN), dtype=np.float32) + 0.5) / SUPER
    y = (np.arange(samples(HEIGHT + 16), dtype=np.float32) + 0.5) / SUPER - 8.0
    return x[None, :], y[:, None]


def sun_glow(x: Plane, y: Plane) -> Plane:
    """Veiling light around the sun, (H, W, 3): the air and the lens."""
    square = (x - SUN[0]) ** 2 + (y - SUN[1]) ** 2
    near, wide = 1.0 / (1.0 + square / 90.0), 1.0 / (1.0 + square / 7000.0)
    warm = color(1.0, 0.66, 0.34) * (1.9 * near)[..., None]
    return np.asarray(warm + color(1.0, 0.52, 0.24) * (0.42 * wide**1.5)[..., None], np.float32)


def over(base: Plane, top: Plane) -> Plane:
    """Composite premultiplied RGBA `top` over `base` (RGB or premultiplied RGBA)."""
    return np.asarray(base * (1.0 - top[..., 3:]) + top[..., : base.shape[-1]], np.float32)


def _ridge(x: Plane, base: float, rise: float, width: float, seed: int) -> Plane:
    """Height of a range of hills along x, in pixels from the top, (1, W')."""
    table = noise_table(seed)
    crest = 0.55 + fractal(x / width, np.full_like(x, 0.37), table, 6, gain=0.46)
    return np.asarray(base - rise * crest, np.float32)


def hill(base: float, rise: float, width: float, seed: int, lit: Plane, dark: Plane, fog: float) -> Plane:
    """One range, premultiplied RGBA (H', W', 4): crest in the light, foot in the mist."""
    x, y = grid()
    table = noise_table(seed + 100)
    top = _ridge(x, base, rise, width, seed)
    depth = y - top
    cover = np.clip(depth * SUPER + 0.5, 0.0, 1.0)
    folds = fractal(x / (width * 0.16) + depth / (width * 0.3), y / (width * 0.22), table, 3, gain=0.5)
    tone = mix(dark, lit, smoothstep(-0.55, 0.6, folds))
    mist = fog * smoothstep(0.0, 1.0, depth / (HORIZON + 16.0 - top)) ** 1.3
    rgba = np.concatenate([mix(tone, HAZE, mist), np.ones_like(mist)[..., None]], -1)
    return as_plane(rgba * cover[..., None])
