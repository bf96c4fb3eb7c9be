"""The smoothest correction that has given steps: Poisson's equation on a hole of any shape."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

_ACCURATE = 1e-3
"""The solver stops once the residual is this small, relative to the first, or after `_MOST` turns."""

_MOST = 30


def smoothest(inside: Bools, across: Floats, down: Floats, tick: Callable[[float], None]) -> Floats:
    """Return the correction (h, w, C) float32 whose differences between neighbors are nearest to given steps.

    It is 0 where `inside` is False; the picture's edge holds nothing.

    Args:
        inside: (h, w), where the correction is free.
        across: (h, w - 1, C), wanted differences between a pixel and the one to its right.
        down: (h - 1, w, C), between a pixel and the one below.
        tick: called often, with the share done; may raise to stop.
    """
    wanted = np.zeros((*inside.shape, across.shape[2]), np.float32)
    wanted[:, 1:] += across
    wanted[:, :-1] -= across
    wanted[1:] += down
    wanted[:-1] -= down
    wanted *= inside[..., None]
    grids = _grids(inside)
    # One channel after the other: for a large hole memory is what is scarce.
    channels = wanted.shape[2]
    each: list[Floats] = []
    for channel in range(channels):
        part = np.ascontiguousarray(wanted[..., channel : channel + 1])
        each.append(_solved(grids, part, partial(tick, channel / channels)))
    return np.concatenate(each, axis=2)


def membrane(values: Floats, inside: Bools, tick: Callable[[float], None]) -> Floats:
    """Return values (h, w, C) float32, those `inside` (h, w) as a membrane that hangs on the others."""
    hung = np.where(inside[..., None], np.float32(0), values)
    return hung + smoothest(inside, -np.diff(hung, axis=1), -np.diff(hung, axis=0), tick)


def _solved(grids: list[_Grid], wanted: Floats, tick: Callable[[], None]) -> Floats:
    """Return the solution (h, w, 1), by conjugate gradients."""
    solution = np.zeros_like(wanted)
    rest, first = wanted, _product(wanted, wanted)
    if first == 0:
        return solution
    direction = prepared = _cycle(grids, rest)
    energy = _product(rest, prepared)
    for _ in range(_MOST):
        tick()
        applied = grids[0].applied(direction)
        step = np.float32(energy / max(_product(direction, applied), 1e-30))
        solution = solution + step * direction
        rest = rest - step * applied
        if _product(rest, rest) <= _ACCURATE**2 * first:
            break
        prepared = _cycle(grids, rest)
        before, energy = energy, _product(rest, prepared)
        direction = prepared + np.float32(energy / max(before, 1e-30)) * direction
    return np.asarray(solution, np.float32)


class _Grid:
    """Laplace's operator on a hole at one size.

    Attributes:
        inside: (h, w, 1) float32, 1 where values are free.
        links: (h, w, 1) float32, how many neighbors a pixel has within the picture.
    """

    def __init__(self, inside: Floats, links: Floats) -> None:
        self.inside = inside
        self.links = links

    def applied(self, values: Floats) -> Floats:
        around = np.zeros_like(values)
        around[1:] += values[:-1]
        around[:-1] += values[1:]
        around[:, 1:] += values[:, :-1]
        around[:, :-1] += values[:, 1:]
        return np.asarray((self.links * values - around) * self.inside, np.float32)

    def relaxed(self, values: Floats, wanted: Floats) -> Floats:
        return np.asarray(values + np.float32(0.8) * (wanted - self.applied(values)) / self.links, np.float32)


def _grids(inside: Bools) -> list[_Grid]:
    free = inside[..., None].astype(np.float32)
    grids = []
    while True:
        links = np.full(free.shape, 4, np.float32)
        for edge in (links[0], links[-1], links[:, 0], links[:, -1]):
            edge -= 1
        grids.append(_Grid(free, np.maximum(links, 1)))
        if min(free.shape[:2]) <= 4:
            return grids
        free = (_halved(free) >= 0.5).astype(np.float32)


def _cycle(grids: list[_Grid], wanted: Floats) -> Floats:
    """Solve roughly, on this size and all smaller ones; symmetric, as conjugate gradients need it."""
    grid = grids[0]
    if len(grids) == 1:
        values = np.zeros_like(wanted)
        for _ in range(16):
            values = grid.relaxed(values, wanted)
        return values
    values = grid.relaxed(np.zeros_like(wanted), wanted)
    values = grid.relaxed(values, wanted)
    rest = _halved(wanted - grid.applied(values)) * np.float32(4)
    coarse = _cycle(grids[1:], np.asarray(rest * grids[1].inside, np.float32))
    values = values + grid.inside * _doubled(coarse, wanted.shape)
    values = grid.relaxed(values, wanted)
    return grid.relaxed(values, wanted)


def _halved(values: Floats) -> Floats:
    """Return means over two by two pixels; beyond an odd edge lies 0."""
    height, width, channels = values.shape
    even = np.pad(values, ((0, height % 2), (0, width % 2), (0, 0)))
    size = even.shape[1] // 2, even.shape[0] // 2
    return np.asarray(cv2.resize(even, size, interpolation=cv2.INTER_AREA), np.float32).reshape(
        size[1], size[0], channels
    )


def _doubled(values: Floats, shape: tuple[int, ...]) -> Floats:
    return np.repeat(np.repeat(values, 2, axis=0), 2, axis=1)[: shape[0], : shape[1]]


def _product(one: Floats, other: Floats) -> float:
    # Not a dot product of the linear algebra library: its rounding may depend on the number of threads.
    return float(np.sum(one * other, dtype=np.float64))
