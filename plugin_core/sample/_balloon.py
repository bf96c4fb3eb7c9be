"""The foreground of the sample shot: a hot-air balloon that crosses the frame, and its shadow."""

from __future__ import annotations

import math

import numpy as np

from plugin_core.sample._layers import HEIGHT, SUPER, WIDTH, color, samples, sun_glow
from plugin_core.sample._noise import Plane, mix, smoothstep

RADIUS = 39.0  # of the envelope, in scene units
_FINE = 2  # samples of the balloon per sample of the background and axis
_MOUTH, _CONE, _BASKET = 1.37, 0.616, (1.74, 1.96)
_GORES = 16
_SUN_DIRECTION = np.array([0.74, -0.46, -0.10], np.float32) / np.float32(0.877)


def balloon_centre(time: float) -> tuple[float, float]:
    """Centre of the envelope in scene units: it crosses to the right and rises a little."""
    return 90.0 + 7.5 * time, 104.0 - 0.22 * time + 1.1 * math.sin(time / 5.0)


def _radius(v: Plane) -> Plane:
    """Radius of the envelope at height v (downwards, -1 is the crown), in units of RADIUS."""
    sphere = np.sqrt(np.clip(1.0 - v * v, 0.0, 1.0))
    radius = np.where(v < _CONE, sphere, 0.788 - 0.781 * (v - _CONE))
    return np.where((v > -1.0) & (v < _MOUTH), radius, 0.0).astype(np.float32)


def _fabric(angle: Plane, v: Plane, gore: Plane) -> Plane:
    """Color of the cloth: red with a cream zigzag, a gold crown and a dark skirt."""
    panel = np.floor(gore)
    inside = np.abs(gore - panel - 0.5)
    red = mix(color(0.56, 0.028, 0.022), color(0.40, 0.016, 0.022), (panel % 2).astype(np.float32))
    zigzag = v + 0.02 - 0.17 * (1.0 - 2.0 * inside)
    cloth = mix(red, color(0.86, 0.66, 0.40), (np.abs(zigzag) < 0.15).astype(np.float32))
    cloth = mix(cloth, color(0.045, 0.06, 0.17), (np.abs(np.abs(zigzag) - 0.19) < 0.04).astype(np.float32))
    cloth = mix(cloth, color(0.86, 0.45, 0.08), (v < -0.80).astype(np.float32))
    cloth = mix(cloth, color(0.10, 0.012, 0.02), (v > 1.17).astype(np.float32))
    return cloth * (1.0 - 0.45 * smoothstep(0.42, 0.5, inside))[..., None]


def _envelope(u: Plane, v: Plane, spin: float) -> tuple[Plane, Plane]:
    """Color (h, w, 3) and cover (h, w) of the envelope, lit from the right and from its own burner."""
    radius = _radius(v) * np.ones_like(u)
    cover = (np.abs(u) < radius).astype(np.float32)
    angle = np.arcsin(np.clip(u / np.maximum(radius, 1e-3), -1.0, 1.0))
    gore = (angle + np.float32(spin)) * np.float32(_GORES / (2 * np.pi))
    bulge = angle + 0.9 * (gore - np.floor(gore) - 0.5) * np.float32(2 * np.pi / _GORES)
    level = np.where(v < _CONE, np.sqrt(np.clip(1.0 - v * v, 0.0, 1.0)), 0.788)
    down = np.where(v < _CONE, v, 0.616) * np.ones_like(u)
    facing = np.stack([np.sin(bulge) * level, down, np.cos(bulge) * level], -1) @ _SUN_DIRECTION
    light = color(3.0, 2.0, 1.15) * (np.clip(facing, 0.0, 1.0) ** 1.1)[..., None]
    light = light + color(0.30, 0.30, 0.40) * (0.62 - 0.38 * down)[..., None]
    light = light + color(0.24, 0.14, 0.16) * (0.5 + 0.5 * down)[..., None]
    light = light + color(0.62, 0.38, 0.22) * (0.5 + 0.5 * np.sin(angle))[..., None]  # through the cloth
    light = light + color(1.7, 0.75, 0.22) * (smoothstep(0.35, _MOUTH, v * np.ones_like(u)) ** 2)[..., None]
    latitude = v + 0.12 * (np.cos(angle) - 0.5)  # seen from a little below: the bands arch
    return _fabric(angle, latitude.astype(np.float32), gore) * light, cover


def _basket(u: Plane, v: Plane) -> tuple[Plane, Plane]:
    """Color and cover of burner flame, ropes, two passengers and the wicker basket."""
    flat = np.zeros_like(u * v)
    tone, cover = flat[..., None] + color(0.03, 0.022, 0.02), flat.copy()
    drop = np.clip((v - _MOUTH) / (_BASKET[0] - _MOUTH), 0.0, 1.0)
    between = (v > _MOUTH - 0.02) & (v < _BASKET[0] + 0.02)
    for at in (-1.0, -0.42, 0.42, 1.0):
        cover[(np.abs(u - at * (0.19 - 0.055 * drop)) < 0.011) & between] = 1.0
    for at in (-0.062, 0.055):
        cover[((u - at) ** 2 + (v - _BASKET[0] + 0.055) ** 2 < 0.033**2) & (v > 0)] = 1.0
        cover[(np.abs(u - at) < 0.036) & (v > _BASKET[0] - 0.03) & (v < _BASKET[0] + 0.02)] = 1.0
    flame = (u / 0.035) ** 2 + ((v - 1.45) / 0.085) ** 2 < 1.0
    tone[flame], cover[flame] = color(11.0, 5.2, 1.5), 1.0
    box = (np.abs(u) < 0.145) & (v > _BASKET[0]) & (v < _BASKET[1])
    weave = 0.75 + 0.25 * np.sin(v * 110.0) * np.ones_like(u)
    wicker = mix(color(0.085, 0.045, 0.025), color(0.55, 0.30, 0.13), smoothstep(-0.08, 0.16, u + 0 * v))
    wicker = np.where((v < _BASKET[0] + 0.035)[..., None] & (u < 9)[..., None], wicker * 0.45, wicker)
    tone[box], cover[box] = (wicker * weave[..., None])[box], 1.0
    return tone, cover


def render_balloon(time: float) -> tuple[Plane, tuple[slice, slice]]:
    """The balloon at an instant: premultiplied RGBA of a tile, and the tile's place in the sample grid."""
    x, y = balloon_centre(time)
    rows = slice(int((y - 1.06 * RADIUS) * SUPER), int((y + 2.03 * RADIUS) * SUPER) + 1)
    columns = slice(int((x - 1.12 * RADIUS) * SUPER), int((x + 1.12 * RADIUS) * SUPER) + 1)
    fine = np.float32(SUPER * _FINE)
    px = (np.arange(columns.start * _FINE, columns.stop * _FINE, dtype=np.float32)[None] + 0.5) / fine
    py = (np.arange(rows.start * _FINE, rows.stop * _FINE, dtype=np.float32)[:, None] + 0.5) / fine
    roll = 0.035 * math.sin(time / 4.0 + 0.6)
    u, v = (px - x) / RADIUS + roll * (py - y) / RADIUS, (py - y) / RADIUS + 0 * px
    cloth, above = _envelope(u, v, 0.30 + 0.010 * time)
    tone, below = _basket(u, v)
    picture = mix(cloth, tone, below)
    cover = np.maximum(above, below)
    veil = 0.55 * sun_glow(px, py)
    rgba = np.concatenate([picture + veil, np.ones_like(cover)[..., None]], -1) * cover[..., None]
    tall, wide = rows.stop - rows.start, columns.stop - columns.start
    return rgba.reshape(tall, _FINE, wide, _FINE, 4).mean((1, 3)).astype(np.float32), (rows, columns)


def shadow(time: float) -> Plane:
    """How much of the sun the balloon takes from the field at an instant, 0..1, (H·S, W·S)."""
    x, y = balloon_centre(time)
    px = (np.arange(samples(WIDTH), dtype=np.float32)[None] + 0.5) / SUPER
    py = (np.arange(samples(HEIGHT), dtype=np.float32)[:, None] + 0.5) / SUPER
    away = np.hypot((px - x + 30.0 + 0.9 * (py - 218.0)) / 47.0, (py - 218.0 - 0.3 * (y - 104.0)) / 10.0)
    return 0.66 * (1.0 - smoothstep(0.45, 1.3, away))
