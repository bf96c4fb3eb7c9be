"""Procedural pictures with structure that can be continued: edges, bands, curves, stripes and grids, text.

A picture is (side, side, 3) float32, B, G, R in 0..1, drawn at two pixels a cell.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
Share = NDArray[np.float32]
Values = NDArray[np.floating[Any]]

_FINEST = 5.0
"""Shortest period of what is repeated, in pixels: two and a half cells."""
_SUBPIXEL = 4
"""Bits of a pixel in which OpenCV takes vertices."""
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789&?!"


def draw_geometry(rng: np.random.Generator, side: int) -> Picture:
    """Draw a picture: a ground, one to seven shapes over it, and light over all of it."""
    picture = _paint(rng, side)
    for _ in range(int(rng.choice((1, 2, 3, 4, 5, 7), p=(0.2, 0.24, 0.2, 0.16, 0.12, 0.08)))):
        kind = rng.random()
        if kind < 0.2:
            share = _half_plane(rng, side)
        elif kind < 0.38:
            share = _band(rng, side)
        elif kind < 0.5:
            share = _ellipse(rng, side)
        elif kind < 0.62:
            share = _polygon(rng, side)
        elif kind < 0.9:
            share = _repeated(rng, side)
        else:
            share = _text(rng, side)
        if rng.random() < 0.25:
            share = np.asarray(cv2.GaussianBlur(share, (0, 0), float(rng.uniform(0.5, 6))), np.float32)
        picture += share[..., None] * (_paint(rng, side) - picture)
    if rng.random() < 0.3:
        light = 1 + rng.uniform(-0.5, 0.5) * _ramp(rng, side)[..., None]
        picture *= light
    return np.asarray(picture.clip(0, 1), np.float32)


def _color(rng: np.random.Generator) -> NDArray[np.float32]:
    """Mostly muted colors, as in photographs."""
    grey = rng.uniform(0, 1)
    return np.asarray((grey + rng.normal(0, 0.05 + 0.2 * rng.random(), 3)).clip(0, 1), np.float32)


def _paint(rng: np.random.Generator, side: int) -> Picture:
    """A flat color, a gradient between two, or either with soft noise."""
    picture = np.broadcast_to(_color(rng), (side, side, 3)).copy()
    if rng.random() < 0.5:
        picture += _ramp(rng, side)[..., None] * (_color(rng) - picture) * np.float32(rng.uniform(0.2, 1))
    if rng.random() < 0.3:
        cells = int(rng.integers(3, max(4, side // 4)))
        noise = rng.standard_normal((cells, cells, 3 if rng.random() < 0.3 else 1)).astype(np.float32)
        smooth = cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC)
        picture += np.float32(rng.uniform(0.01, 0.08)) * smooth.reshape(side, side, -1)
    return picture


def _grid(side: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Coordinates x and y in -1..1."""
    line = (np.arange(side, dtype=np.float32) + 0.5) * (2 / side) - 1
    return line[None, :], line[:, None]


def _direction(rng: np.random.Generator) -> tuple[float, float]:
    """A unit vector, one in three times level or upright."""
    angle = rng.uniform(0, 2 * np.pi)
    if rng.random() < 0.35:
        angle = np.pi / 2 * rng.integers(4) + rng.normal(0, 0.03)
    return float(np.cos(angle)), float(np.sin(angle))


def _ramp(rng: np.random.Generator, side: int) -> Share:
    """0..1 along a direction."""
    xs, ys = _grid(side)
    x, y = _direction(rng)
    return np.asarray((0.5 + 0.36 * (x * xs + y * ys)).clip(0, 1), np.float32)


def _edge(distance: Values, side: int) -> Share:
    """1 where a distance (in units of half a side) is positive, over one pixel."""
    return np.asarray((distance * (side / 2) + 0.5).clip(0, 1), np.float32)


def _half_plane(rng: np.random.Generator, side: int) -> Share:
    xs, ys = _grid(side)
    x, y = _direction(rng)
    bend = rng.normal(0, 0.15) if rng.random() < 0.3 else 0.0
    along = -y * xs + x * ys
    return _edge(x * xs + y * ys - rng.normal(0, 0.35) + bend * along**2, side)


def _band(rng: np.random.Generator, side: int) -> Share:
    """A straight, tapering or bent band: a pole, a road, a cable, an arc."""
    xs, ys = _grid(side)
    x, y = _direction(rng)
    along, across = -y * xs + x * ys, x * xs + y * ys - rng.normal(0, 0.35)
    if rng.random() < 0.4:
        across = across + rng.normal(0, 0.3) * along**2
    half = float(np.exp(rng.uniform(np.log(0.02), np.log(0.35)))) * (1 + rng.normal(0, 0.25) * along)
    return _edge(half - np.abs(across), side)


def _ellipse(rng: np.random.Generator, side: int) -> Share:
    """A disc or a ring."""
    xs, ys = _grid(side)
    x, y = _direction(rng)
    u, v = xs - rng.normal(0, 0.45), ys - rng.normal(0, 0.45)
    a, b = np.exp(rng.uniform(np.log(0.15), np.log(1.1), 2))
    radius = np.sqrt(((x * u + y * v) / a) ** 2 + ((x * v - y * u) / b) ** 2)
    distance = (1 - radius) * min(a, b)
    if rng.random() < 0.35:
        width = min(a, b) * rng.uniform(0.08, 0.4)
        distance = width / 2 - np.abs(distance - width / 2)
    return _edge(distance, side)


def _polygon(rng: np.random.Generator, side: int) -> Share:
    count = int(rng.integers(3, 7))
    angles = np.sort(rng.uniform(0, 2 * np.pi, count))
    radius = rng.uniform(0.25, 1.1) * rng.uniform(0.7, 1.2, count)
    points = np.stack((np.cos(angles), np.sin(angles)), axis=1) * radius[:, None] + rng.normal(0, 0.4, 2)
    if rng.random() < 0.35:  # a building, a door, a sign
        low, high = points.min(axis=0), points.max(axis=0)
        points = np.array([low, [high[0], low[1]], high, [low[0], high[1]]])
    share = np.zeros((side, side), np.uint8)
    vertices = ((points + 1) * (side / 2) * 2**_SUBPIXEL).round().astype(np.int32)
    cv2.fillPoly(share, [vertices], 255, cv2.LINE_AA, _SUBPIXEL)
    return np.asarray(share / np.float32(255), np.float32)


def _repeated(rng: np.random.Generator, side: int) -> Share:
    """Stripes, a grid, checks or rungs on a plane, flat or in perspective, a part of it or all."""
    xs, ys = _grid(side)
    x, y = _direction(rng)
    tilt = rng.normal(0, 0.3, 2) if rng.random() < 0.6 else np.zeros(2)
    depth = (1 + tilt[0] * xs + tilt[1] * ys).clip(0.15)
    u, v = (x * xs + y * ys) / depth, (x * ys - y * xs) / depth
    longest = side / 3
    shortest = min(_FINEST, longest / 2)
    period = np.exp(rng.uniform(np.log(shortest), np.log(longest), 2)) * (2 / side)
    wide = rng.uniform(0.2, 0.8, 2)
    phase = rng.uniform(0, 1, 2)
    kind = rng.random()

    def stripes(along: Values, n: int) -> Share:
        place = np.abs((along / period[n] + phase[n]) % 1 - 0.5)
        return _edge((wide[n] / 2 - place) * period[n], side)

    if kind < 0.5:
        share = stripes(u, 0)
    elif kind < 0.7:
        share = np.maximum(stripes(u, 0), stripes(v, 1))
    elif kind < 0.85:
        share = stripes(u, 0) * stripes(v, 1)
    else:
        a, b = stripes(u, 0), stripes(v, 1)
        share = a + b - 2 * a * b
    if rng.random() < 0.35:
        share = share * _half_plane(rng, side)
    return np.broadcast_to(share, (side, side)).astype(np.float32)


def _text(rng: np.random.Generator, side: int) -> Share:
    share = np.zeros((side, side), np.uint8)
    for _ in range(int(rng.integers(1, 4))):
        word = "".join(rng.choice(list(_LETTERS), int(rng.integers(2, 9))))
        scale = float(rng.uniform(1, 4)) * side / 128  # of letters some 20 pixels high
        face = int(rng.choice((cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_DUPLEX)))
        place = (int(rng.integers(-side // 4, side // 2)), int(rng.integers(side // 4, side)))
        cv2.putText(share, word, place, face, scale, 255, max(1, int(scale * rng.uniform(1, 5))), cv2.LINE_AA)
    return np.asarray(share / np.float32(255), np.float32)
