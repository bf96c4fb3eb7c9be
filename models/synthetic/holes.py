"""Holes for synthetic shots: blobs, figures, free-form strokes, boxes and wires.

They stand still, stick to the background, walk, or walk and grow out of the frame.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]
KINDS = ("blob", "figure", "strokes", "box", "wire")
_KIND_WEIGHTS = (0.34, 0.22, 0.14, 0.2, 0.1)
_LEAVING = 0.12
"""Share of holes that grow out of the frame; all others keep off its outermost pixels."""


def hole_masks(
    rng: np.random.Generator, size: int, count: int, drift: NDArray[np.float64], largest: float = 0.55
) -> Mask:
    """Masks of one hole over a shot, (count, size, size), 1 in the hole and 0 elsewhere.

    Args:
        rng: decides shape, place, size and motion.
        size: side of the frame in pixels.
        count: number of frames.
        drift: the background's motion, (count, 2) in pixels from frame 0: some holes are glued to it.
        largest: largest side of the hole as a fraction of the frame's.
    """
    kind = KINDS[int(rng.choice(len(KINDS), p=_KIND_WEIGHTS))]
    radius = 0.5 * size * rng.uniform(0.15, largest)
    pieces, thickness = _outline(rng, kind, radius, size)
    centre = size * (0.5 + rng.normal(0, 0.09, 2))
    leaves = rng.random() < _LEAVING
    path = _way_out(rng, count, size) if leaves else centre + _path(rng, count, size, drift)
    growth = np.linspace(1, rng.uniform(1.0, 1.6), count) if leaves else np.ones(count)
    spin = rng.normal(0, 0.01) * np.arange(count)
    wobble = 1 + 0.06 * rng.random() * np.sin(rng.uniform(0.2, 0.9) * np.arange(count))
    masks = np.zeros((count, size, size), np.uint8)
    for t in range(count):
        turn = np.array([[np.cos(spin[t]), -np.sin(spin[t])], [np.sin(spin[t]), np.cos(spin[t])]])
        placed = [growth[t] * wobble[t] * piece @ turn.T + path[t] for piece in pieces]
        _draw(masks[t], placed, thickness)
        if not leaves:
            masks[t, :1] = masks[t, -1:] = masks[t, :, :1] = masks[t, :, -1:] = 0
    return masks


def _way_out(rng: np.random.Generator, count: int, size: int) -> NDArray[np.float64]:
    """Places of a hole that begins inside and ends with its middle at or beyond the frame's edge."""
    angle = rng.uniform(0, 2 * np.pi)
    outward = np.array([np.cos(angle), np.sin(angle)])
    begin, end = rng.uniform(0.1, 0.3), rng.uniform(0.4, 0.5)
    reach = size * np.linspace(begin, end, count)[:, None]
    return np.asarray(size / 2 + reach * outward / np.abs(outward).max())


def _path(rng: np.random.Generator, count: int, size: int, drift: NDArray[np.float64]) -> NDArray[np.float64]:
    """Offsets of the hole from its first place: still in frame, glued to the background, or walking."""
    kind = rng.random()
    still = np.zeros((count, 2))
    if kind < 0.35:
        return still
    if kind < 0.5:
        return drift - drift[:1]
    steps = rng.normal(0, 0.012 * size, 2) + rng.normal(0, 0.002 * size, (count, 2))
    return np.cumsum(steps, axis=0) - steps[:1]


def _outline(
    rng: np.random.Generator, kind: str, radius: float, size: int
) -> tuple[list[NDArray[np.float64]], int]:
    """Outline pieces about the origin, and their line thickness (0: filled)."""
    if kind == "box":
        half = radius * np.array([rng.uniform(0.5, 1), rng.uniform(0.5, 1)])
        return [np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half], 0
    if kind == "wire":
        bend = rng.normal(0, 0.05 * size)
        x = np.linspace(-0.6, 0.6, 12) * size
        line = np.stack((x, bend * (1 - (x / (0.6 * size)) ** 2)), axis=1)
        angle = rng.uniform(0, np.pi)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        return [line @ turn.T], int(rng.integers(3, max(4, size // 16)))
    if kind == "strokes":
        strokes = [np.cumsum(rng.normal(0, 0.5 * radius, (5, 2)), axis=0) for _ in range(rng.integers(1, 4))]
        return strokes, int(max(3, rng.uniform(0.15, 0.45) * radius))
    if kind == "figure":  # upright: a body, a head, two legs, roughly a person
        body = _blob(rng, 0.45 * radius) * np.array([0.8, 1.3])
        head = _blob(rng, 0.2 * radius) + np.array([0, -0.78 * radius])
        legs = [
            _blob(rng, 0.35 * radius) * np.array([0.35, 1.3]) + np.array([s, 0.6]) * radius
            for s in (-0.2, 0.2)
        ]
        return [body, head, *legs], 0
    return [_blob(rng, radius) * np.array([rng.uniform(0.6, 1), rng.uniform(0.6, 1)])], 0


def _blob(rng: np.random.Generator, radius: float) -> NDArray[np.float64]:
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    bulge = np.ones(40)
    for harmonic in (2, 3, 4, 5):
        bulge += rng.normal(0, 0.22 / harmonic) * np.cos(harmonic * angles + rng.uniform(0, 6.3))
    ring = np.stack((np.cos(angles), np.sin(angles)), axis=1)
    return np.asarray(radius * bulge.clip(0.3, 1.6)[:, None] / bulge.max() * ring)


def _draw(mask: Mask, pieces: list[NDArray[np.float64]], thickness: int) -> None:
    for piece in pieces:
        points = piece.round().astype(np.int32)
        if thickness:
            cv2.polylines(mask, [points], False, 1, thickness)
        else:
            cv2.fillPoly(mask, [points], 1)
