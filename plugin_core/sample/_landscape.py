"""The background of the sample shot: an evening sky, hazy hills, a hamlet and a lavender field.

Sky and hills are drawn once, wider than the frame, and slide past at their own speeds; the field is a true
perspective ground plane, drawn again for every instant.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from plugin_core.sample._hamlet import hamlet
from plugin_core.sample._layers import (
    HAZE,
    HEIGHT,
    HORIZON,
    SUN,
    SUPER,
    WIDTH,
    Camera,
    color,
    grid,
    hill,
    over,
    samples,
    sun_glow,
)
from plugin_core.sample._noise import Plane, as_plane, fractal, mix, noise_table, smoothstep

_FOCAL = 400.0
_ROW_PERIOD = 0.62
_ROW_SLANT = 0.16


@lru_cache(maxsize=1)
def _sky() -> Plane:
    """The sky with its clouds and a sun far above 1.0, (H', W', 3)."""
    x, y = grid()
    height = np.clip(1.0 - y / HORIZON, 0.0, 1.1) + 0.0 * x
    sky = mix(color(0.86, 0.40, 0.23), color(0.52, 0.33, 0.36), smoothstep(0.0, 0.38, height))
    sky = mix(sky, color(0.095, 0.15, 0.33), smoothstep(0.22, 1.05, height))
    table = noise_table(11)
    bend = 9.0 * fractal(x / 120.0, y / 60.0, table, 2)
    cloud = fractal(x / 105.0 + 3.0, (y + bend) / 21.0 + 0.2 * x / 105.0, table, 4, gain=0.46)
    cover = smoothstep(0.02, 0.62, cloud + 0.12) * smoothstep(0.05, 0.45, height)
    above = fractal(x / 105.0 + 3.0 - 0.02, (y - 4.0 + bend) / 21.0 + 0.2 * x / 105.0, table, 4, gain=0.46)
    lit = smoothstep(-0.25, 0.35, cloud - above)
    tone = mix(color(0.27, 0.20, 0.30), color(0.98, 0.49, 0.30), 0.25 + 0.75 * lit)
    sky = mix(sky, tone, 0.78 * cover)
    distance = np.sqrt((x - SUN[0]) ** 2 + (y - SUN[1]) ** 2)
    disc = smoothstep(9.2, 7.6, distance)
    return np.asarray(sky + color(30.0, 21.0, 11.0) * disc[..., None], np.float32)


@lru_cache(maxsize=1)
def _layers() -> tuple[tuple[Plane, float], ...]:
    """Sliding layers from far to near, each with its parallax in pixels per unit of truck."""
    far = hill(HORIZON - 12, 38, 170, 21, color(0.46, 0.31, 0.38), color(0.31, 0.235, 0.345), 0.85)
    middle = hill(HORIZON - 1, 24, 120, 33, color(0.33, 0.22, 0.22), color(0.155, 0.125, 0.165), 0.75)
    return (far, 0.06), (middle, 0.17), (hamlet(), 0.42)


def _slide(layer: Plane, camera: Camera, parallax: float) -> Plane:
    """The frame's part of a sliding layer at sub-sample position, bilinear, (H·S, W·S, C)."""
    across = max(0.0, camera.pan + parallax * camera.truck) * SUPER
    down = (8.0 + camera.tilt) * SUPER
    column, row = int(across), int(down)
    fx, fy = np.float32(across - column), np.float32(down - row)
    rows, columns = samples(HEIGHT), samples(WIDTH)
    cut = layer[row : row + rows + 1, column : column + columns + 1]
    cut = cut[:, :-1] * (1 - fx) + cut[:, 1:] * fx
    return np.asarray(cut[:-1] * (1 - fy) + cut[1:] * fy, np.float32)


def _field(camera: Camera) -> tuple[Plane, int]:
    """The lavender field, (rows, W·S, 3), and the sample row where it starts."""
    start = int((HORIZON + 7.0 - camera.tilt) * SUPER)
    x = (np.arange(samples(WIDTH), dtype=np.float32)[None, :] + 0.5) / SUPER
    y = (np.arange(start, samples(HEIGHT), dtype=np.float32)[:, None] + 0.5) / SUPER + camera.tilt
    depth = as_plane(_FOCAL / (y - HORIZON))
    lateral = (x - WIDTH / 2 + camera.pan) / _FOCAL
    across = as_plane(lateral * depth + 0.042 * camera.truck + 20.0)
    along = as_plane(np.log(depth) * np.ones_like(x))
    # How much field a unit of the picture spans; more where the nearest plants are out of focus.
    pixel = as_plane(np.hypot(depth, (lateral - _ROW_SLANT) * depth * depth) / _FOCAL)
    soft = as_plane(np.sqrt(pixel * depth / _FOCAL) + 0.002 * np.clip(4.6 / depth - 1.0, 0.0, 1.0))
    tuft = fractal(across / 0.085, along / 0.056, noise_table(7), 3, gain=0.6, footprint=soft / 0.06)
    bloom = fractal(across / 0.034, along / 0.028, noise_table(8), 2, gain=0.5, footprint=soft / 0.025)
    far = depth * depth / _FOCAL / 4.0
    patch = fractal(across / 4.0, depth * np.ones_like(x) / 4.0, noise_table(9), 3, footprint=far)
    sharp = np.clip(_ROW_PERIOD / pixel / 5.0 - 0.7, 0.0, 1.0)  # rows finer than pixels blend
    return _paint_field(across - _ROW_SLANT * depth, sharp, tuft, bloom, patch, x, depth), start


def _paint_field(
    rows: Plane, sharp: Plane, tuft: Plane, bloom: Plane, patch: Plane, x: Plane, depth: Plane
) -> Plane:
    """Color of the field from its lateral coordinate and its noises."""
    phase = as_plane(rows / _ROW_PERIOD + 0.05 * patch)
    side = as_plane((phase - np.floor(phase)) * 2.0 - 1.0)
    mound = mix(np.full_like(side, 0.62), 1.0 - side * side, sharp)
    plant = smoothstep(0.22, 0.55, mound + 0.42 * tuft)
    light = smoothstep(-0.9, 1.0, sharp * side + 0.9 * tuft + 0.5 * bloom)
    flower = mix(color(0.038, 0.020, 0.085), color(0.36, 0.19, 0.50), light)
    flower = mix(flower, color(0.68, 0.43, 0.66), 0.6 * smoothstep(0.25, 0.8, bloom + 0.4 * tuft))
    stems = mix(color(0.02, 0.026, 0.012), color(0.13, 0.13, 0.045), smoothstep(-0.4, 0.6, tuft + side * 0.4))
    flower = mix(stems, flower, smoothstep(0.38, 0.72, mound + 0.4 * tuft))
    soil = mix(color(0.042, 0.026, 0.02), color(0.19, 0.105, 0.06), smoothstep(-0.6, 0.7, tuft + 0.5 * bloom))
    ground = mix(soil, flower, plant) * (1.0 + 0.22 * patch)[..., None]
    sheen = 0.55 / (1.0 + ((x - SUN[0] + 25) / 120.0) ** 2) * np.clip(1.0 - 1.5 / depth, 0.0, 1.0)
    ground = ground * (1.0 + sheen[..., None] * color(1.5, 0.95, 0.6))
    air = np.broadcast_to(1.0 - np.exp(-depth / 62.0), side.shape)
    return mix(ground, HAZE * np.float32(0.82), 0.85 * air.astype(np.float32))


def render_background(time: float) -> NDArray[np.float32]:
    """The clean plate at an instant, (H·S, W·S, 3), scene-linear. `time` in frames from the first."""
    camera = Camera.at(time)
    picture = _slide(_sky(), camera, 0.0)
    for layer, parallax in _layers():
        picture = over(picture, _slide(layer, camera, parallax))
    field, start = _field(camera)
    edge = np.clip((np.arange(field.shape[0], dtype=np.float32) + 0.5) / (2.0 * SUPER), 0.0, 1.0)
    picture[start:] = mix(picture[start:], field, np.broadcast_to(edge[:, None], field.shape[:2]))
    x = (np.arange(samples(WIDTH), dtype=np.float32)[None, :] + 0.5) / SUPER + camera.pan
    y = (np.arange(samples(HEIGHT), dtype=np.float32)[:, None] + 0.5) / SUPER + camera.tilt
    return picture + sun_glow(x, y)
