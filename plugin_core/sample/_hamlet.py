"""The hamlet of the sample shot: a farmhouse, cypresses, round trees and a hedge at the edge of the field."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from plugin_core.sample._layers import HAZE, HORIZON, SUPER, color, grid, hill, over
from plugin_core.sample._noise import Plane, fractal, mix, noise_table, smoothstep


def _tree(
    layer: Plane, at: float, foot: float, tall: float, wide: float, seed: int, *, slim: bool = True
) -> Plane:
    """Plant a cypress (or, not slim, a round tree) into a layer, edges ragged, rim lit from the right."""
    x, y = grid()
    rise = np.clip((foot - y) / tall, -0.2, 1.2)
    body = (
        np.clip(1.0 - rise, 0, 1) ** 0.62 * np.clip(rise * 7.0, 0.0, 1.0)
        if slim
        else np.sqrt(np.clip(rise - rise**2, 0, 1))
    )
    body = np.nan_to_num(body).astype(np.float32) * wide * (1.35 if slim else 2.0)
    side = (x - at) / np.maximum(body, 0.05)
    leaves = fractal(x / 2.4, y / 3.2, noise_table(seed), 3, gain=0.6)
    cover = np.clip((1.0 - np.abs(side) + 0.32 * leaves) * np.maximum(body, 0.05) * 1.1 + 0.3, 0.0, 1.0)
    cover = cover * ((rise > 0.0) & (rise < 1.0))
    light = smoothstep(-0.5, 1.1, side + 0.7 * leaves)
    tone = mix(color(0.026, 0.034, 0.030), color(0.23, 0.165, 0.065), light)
    tone = mix(tone, HAZE, np.full_like(cover, 0.13, np.float32))
    return over(layer, np.concatenate([tone, np.ones_like(cover)[..., None]], -1) * cover[..., None])


def _box(layer: Plane, left: float, right: float, top: Plane | float, foot: float, tone: Plane) -> Plane:
    """Paint a wall, roof or window (antialiased) into a layer."""
    x, y = grid()
    cover = np.clip((x - left) * SUPER, 0, 1) * np.clip((right - x) * SUPER, 0, 1)
    cover = (cover * np.clip((y - top) * SUPER, 0, 1) * np.clip((foot - y) * SUPER, 0, 1)).astype(np.float32)
    paint = np.broadcast_to(np.append(tone, np.float32(1.0)), (*cover.shape, 4))
    return over(layer, paint * cover[..., None])


def _farmhouse(layer: Plane, at: float, foot: float) -> Plane:
    """A stone house with a tiled roof, its gable to the sun."""
    x, _ = grid()
    layer = _box(layer, at, at + 27, foot - 13, foot, color(0.25, 0.18, 0.15))
    layer = _box(layer, at + 27, at + 38, foot - 13 - np.clip(5.5 - np.abs(x - at - 32.5), 0, 9), foot,
                 color(0.78, 0.50, 0.32))  # fmt: skip
    tiles = foot - 19.5 + np.clip(at + 2 - x, 0, 9) * 2.2 + np.clip(x - at - 29, 0, 9) * 0.9
    layer = _box(layer, at - 2, at + 31, tiles, foot - 12, color(0.27, 0.105, 0.062))
    for window in (4.0, 11.5, 19.0):
        layer = _box(layer, at + window, at + window + 3, foot - 9, foot - 4.5, color(0.06, 0.045, 0.05))
    layer = _box(layer, at + 31, at + 34, foot - 9.5, foot - 5.5, color(0.12, 0.07, 0.05))
    return _box(layer, at + 20, at + 23.5, foot - 24, foot - 18, color(0.33, 0.17, 0.12))


def _hedge(layer: Plane, foot: float) -> Plane:
    """A ragged hedge along the far edge of the field."""
    x, y = grid()
    top = foot - 2.2 - 2.4 * fractal(x / 13.0, np.full_like(x, 0.7), noise_table(90), 4, gain=0.6)
    cover = np.clip((y - top) * SUPER, 0.0, 1.0) * np.clip((foot + 4.0 - y) * SUPER, 0.0, 1.0)
    tone = mix(color(0.035, 0.038, 0.026), color(0.15, 0.115, 0.05), smoothstep(-0.3, 0.7, fractal(
        x / 3.0, y / 2.0, noise_table(91), 2)))  # fmt: skip
    return over(layer, np.concatenate([tone, np.ones_like(cover)[..., None]], -1) * cover[..., None])


@lru_cache(maxsize=1)
def hamlet() -> Plane:
    """The nearest rise with its trees and farmhouse, premultiplied RGBA."""
    layer = hill(HORIZON + 9, 9, 150, 5, color(0.34, 0.24, 0.115), color(0.10, 0.095, 0.05), 0.25)
    foot = HORIZON + 10.0
    for index, at in enumerate((12, 44, 61, 88, 300, 318, 352, 372, 395, 447, 476, 503, 530, 552)):
        layer = _tree(layer, at, foot, 9.0 + 7.0 * ((index * 37) % 10) / 10, 3.6, 40 + index, slim=False)
    layer = _hedge(layer, foot)
    layer = _farmhouse(layer, 196.0, foot)
    cypresses = (
        *((106, 24, 2.9), (150, 31, 3.3), (161, 38, 3.6), (172, 27, 3.1), (246, 34, 3.5), (258, 25, 3.0)),
        *((334, 30, 3.3), (428, 33, 3.4), (437, 26, 3.0), (515, 29, 3.2)),
    )
    for index, (at, tall, wide) in enumerate(cypresses):
        layer = _tree(layer, at, foot + 0.5, tall, wide, 60 + index)
    return layer
