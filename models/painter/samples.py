"""What the painter is taught on: windows of photographs and procedural geometry, with holes, in cells.

A sample is a function of the random generator it is drawn with, and of the photographs.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..synthetic.holes import hole_masks
from ..synthetic.pictures import Picture, Pictures
from .beside import ALIKE, EXACT, LEAST, LEAST_MISSED, MISSED, MISSES, SOURCES, STRAYS, Beside, strayed
from .geometry import draw_geometry

HELD_OUT = ("canyon-wren", "lake-sherburne", "piazza-gae-aulenti", "roman-colosseum")
"""Photographs that nothing is trained on, so that they can be checked on."""
CELL = 4
"""Pixels of the network's input on a side of a cell."""

_REDUCED = (0.9, 3.0)
"""Photographs are reduced so many times."""
_LARGEST = 0.75
"""Largest hole, as a share of the sample's side."""
_DRAWN = 2
"""Holes and geometry are drawn this much finer than the cells, so that their edges are soft."""
_SMALLEST = 4.0
"""Cells of hole that a sample has at least."""


class Batch(NamedTuple):
    """Samples.

    Attributes:
        picture: (B, 3, h, w), B, G, R in 0..1.
        known: the share of each cell that is known, (B, 1, h, w).
    """

    picture: Tensor
    known: Tensor


def draw_batch(
    rng: np.random.Generator,
    pictures: Pictures,
    count: int,
    cells: int,
    *,
    geometry: float = 0.25,
    hard: float = 0.0,
) -> Batch:
    """Draw `count` samples of `cells` a side, a multiple of 4.

    `geometry`: the share of procedural ones; `hard`: of those whose hole is of whole cells.
    """
    shown, known = [], []
    for _ in range(count):
        drawn = rng.random() < geometry
        made = draw_geometry(rng, cells * _DRAWN) if drawn else _window(rng, pictures.choose(rng), cells)
        small = np.asarray(cv2.resize(made, (cells, cells), interpolation=cv2.INTER_AREA), np.float32)
        shown.append(_varied(rng, small).transpose(2, 0, 1))
        known.append(draw_known(rng, cells, hard)[None])
    return Batch(torch.from_numpy(np.stack(shown)), torch.from_numpy(np.stack(known)))


def _window(rng: np.random.Generator, pyramid: list[Picture], cells: int) -> NDArray[np.float32]:
    """A window of a photograph's pyramid, reduced and often turned a little, (side, side, 3) in 0..1."""
    height, width = pyramid[0].shape[:2]
    side = cells * CELL
    angle = float(rng.normal(0, 0.2)) if rng.random() < 0.5 else 0.0
    turned = abs(np.cos(angle)) + abs(np.sin(angle))
    reduced = float(np.exp(rng.uniform(*np.log(_REDUCED))))
    reduced = min(reduced, 0.999 * min(height, width) / (side * turned))
    half = reduced * side * turned / 2
    middle = np.array([rng.uniform(half, extent - half) for extent in (width, height)])
    level = min(len(pyramid) - 1, max(0, int(np.log2(reduced))))
    step = reduced / 2**level
    turn = step * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    # Pixel centres: of the window to those of the pyramid's level.
    begin = (middle / 2**level) - turn @ np.full(2, side / 2) + turn @ np.full(2, 0.5) - 0.5
    part = cv2.warpAffine(
        pyramid[level],
        np.hstack((turn, begin[:, None])),
        (side, side),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return np.asarray(part / np.float32(255), np.float32)


def _varied(rng: np.random.Generator, picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Flipped, transposed, recolored."""
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
    if rng.random() < 0.15:
        picture = picture[::-1]
    if rng.random() < 0.2:
        picture = picture.transpose(1, 0, 2)
    if rng.random() < 0.3:
        picture = picture[..., rng.permutation(3)]
    power, gain = np.exp(rng.normal(0, 0.25)), np.exp(rng.normal(0, 0.15))
    return np.ascontiguousarray((picture ** float(power) * float(gain)).clip(0, 1), np.float32)


def draw_known(rng: np.random.Generator, cells: int, hard: float = 0.0) -> NDArray[np.float32]:
    """The known share of each cell around a hole, (cells, cells); sometimes a part of it was found elsewhere.

    `hard`: how often the hole is of whole cells.
    """
    side, still = cells * _DRAWN, np.zeros((1, 2))
    whole = hard > 0 and rng.random() < hard  # with none, the numbers that follow stay as they were
    while True:
        hole = hole_masks(rng, side, 1, still, largest=_LARGEST)[0]
        if rng.random() < 0.25:
            other = hole_masks(rng, side, 1, still, largest=_LARGEST)[0]
            other = np.roll(other, rng.integers(-side // 4, side // 4, 2), axis=(0, 1))
            hole = hole & (other == 0)
        missing = hole.reshape(cells, _DRAWN, cells, _DRAWN).astype(np.float32).mean(axis=(1, 3))
        if whole:
            missing = np.ceil(missing)
        if missing.sum() >= _SMALLEST:
            return np.asarray(1 - missing, np.float32)


def draw_beside(rng: np.random.Generator, picture: Tensor, known: Tensor, share: float) -> Beside:
    """Draw a source for each frame of a batch; but for a `share` of them it shows what the frame shows."""
    count, cells = len(picture), picture.shape[-1]
    shown, theirs, trust = picture.clone(), known.clone(), torch.ones(count, 1, 1, 1)
    for number in range(count):
        if rng.random() >= share:
            continue
        if rng.random() >= ALIKE:
            theirs[number, 0] = torch.from_numpy(draw_known(rng, cells))
        if rng.random() >= EXACT:
            misses = rng.random() < MISSED
            most = MISSES if misses else STRAYS
            offs = rng.uniform(-most, most, (int(rng.integers(1, SOURCES + 1)), 2)).astype(np.float32)
            shown[number] = strayed(
                picture[number].expand(len(offs), -1, -1, -1), torch.from_numpy(offs)
            ).mean(dim=0)
            trust[number] = float(rng.uniform(LEAST_MISSED if misses else LEAST, 1))
    return Beside(shown, theirs, trust)
