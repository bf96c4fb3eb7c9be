"""What a network that takes flows is given: where its sources show a frame's pixels, and how far to trust it.

The flows are the background's motion, the one that real pixels travel along. A source gets no weight where
the point has left what is looked at; little where the two leads behind a hole part by a cell or more, and
where the known pixels near by come out wrong along that motion. Weights are shared among the sources that
show a cell, those nearer in time first, so that together they come to how far the best of them is trusted,
or to 1 where the frame's own plate is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..network.contract import Guide, Mask, Picture
from .flow import each
from .ways import Ways

Floats = NDArray[np.float32]

_WRONG = np.float32(0.12)
"""A mean difference of known pixels, in the network's -1..1, at which a source is trusted by 1/e."""

_AROUND_CELLS = 3.0
"""Differences count so far around, in cells of twice the finest level."""

_EVERYWHERE = np.float32(0.02)
"""Where nothing near is known the whole picture's mean difference stands, as this much of a cell."""

_KNOWN = 0.95
"""Cells that show less than this of the plate are not compared."""


@dataclass(frozen=True)
class Cells:
    """A frame in cells, as far as its plate is known: made once, whether it is filled or a source.

    Attributes:
        shown: (h, w, 3) float32, means of cells twice as wide as the finest level's, 0 for what is hidden.
        shown_known: (h, w) float32, how much of each of these is known, 0..1.
        known: the same at each level, finest first.
    """

    shown: Floats
    shown_known: Floats
    known: tuple[Floats, ...]

    @classmethod
    def of(cls, picture: Picture, mask: Mask, scales: Sequence[int]) -> Cells:
        """Bring a frame, as the network sees it through a crop, to cells of the levels."""
        cell = 2 * scales[0]
        known = np.ascontiguousarray(1 - mask[0])
        shown = np.ascontiguousarray(picture.transpose(1, 2, 0)) * each(known, 3)
        levels = tuple(_reduced(known, scale) for scale in scales)
        return cls(_reduced(shown, cell), _reduced(known, cell), levels)


@dataclass(frozen=True)
class Beside:
    """A source of a frame.

    Attributes:
        cells: as seen through the frame's crop.
        ways: where the centers of the frame's cells, of the finest level, lie in it, in the network's pixels;
            None for a source that is the frame itself.
        share: how much it counts beside others that are trusted alike.
    """

    cells: Cells
    ways: Ways | None
    share: float


def guide_of(target: Cells, sources: Sequence[Beside], scales: Sequence[int]) -> Guide:
    """Make what a step is given.

    Args:
        target: the frame to fill.
        sources: in the network's order.
        scales: network pixels a cell of each level, finest first, each twice the one before.

    Returns:
        For each level (sources, 3, H / scale, W / scale) float32: x, y in cells, and weight.
    """
    errors = [_error(target, source, scales[0]) for source in sources]
    return tuple(_level(target, sources, errors, level, scales) for level in range(len(scales)))


def cell_centers(height: int, width: int, scale: int) -> tuple[Floats, Floats]:
    """Return columns and rows (H / scale, W / scale) of the middles of a level's cells, in network pixels."""
    half = (scale - 1) / 2
    x = np.arange(width // scale, dtype=np.float32) * scale + np.float32(half)
    y = np.arange(height // scale, dtype=np.float32) * scale + np.float32(half)
    columns, rows = np.meshgrid(x, y)
    return columns, rows


def _level(
    target: Cells, sources: Sequence[Beside], errors: Sequence[Floats], level: int, scales: Sequence[int]
) -> Floats:
    """One level's flows and weights."""
    scale, finest = scales[level], scales[0]
    height, width = sources[0].cells.known[level].shape
    given = np.zeros((len(sources), 3, height, width), np.float32)
    trusts, shown = np.zeros((2, len(sources), height, width), np.float32)
    x, y = cell_centers(height * scale, width * scale, scale)
    for number, (source, error) in enumerate(zip(sources, errors, strict=True)):
        if source.ways is None:
            continue
        there_x, there_y, apart, lost = (
            _reduced(np.asarray(part, np.float32), scale // finest)
            for part in (source.ways.x, source.ways.y, source.ways.apart, source.ways.lost)
        )
        given[number, 0], given[number, 1] = (there_x - x) / scale, (there_y - y) / scale
        wrong = cv2.resize(error, (width, height), interpolation=cv2.INTER_LINEAR) / _WRONG
        trust = np.exp(-(wrong**2) - (apart / scale) ** 2)
        trusts[number] = np.where(lost > 0, 0, trust)
        at = _in_cells(there_x, scale), _in_cells(there_y, scale)
        shown[number] = _sampled(source.cells.known[level], *at)
    shares = np.array([source.share for source in sources], np.float32)[:, None, None] * trusts
    together = np.maximum((shares * shown).sum(axis=0), np.float32(1e-4))
    best = 1 - np.prod(1 - np.clip(trusts * shown, 0, 1), axis=0)
    given[:, 2] = shares / together * best
    _keep_plate(given, sources, target.known[level])
    return given


def _keep_plate(given: Floats, sources: Sequence[Beside], known: Floats) -> None:
    """Let a source stand in where none shows what is known of the frame: itself, else the nearest.

    A network composes by how far coverage differs, whichever has more: where nothing beside covers a cell, it
    would leave out the plate there. What stands in hardly shows, since the plate covers the cell.
    """
    itself = [number for number, source in enumerate(sources) if source.ways is None]
    standing = itself or [int(np.argmax([source.share for source in sources]))]
    lacking = np.clip(known - given[:, 2].sum(axis=0), 0, None)
    given[standing, 2] += lacking / np.float32(len(standing))


def _error(target: Cells, source: Beside, finest: int) -> Floats:
    """How wrong known pixels come out along a source's motion, smoothly continued everywhere: (h, w)."""
    if source.ways is None:
        return np.zeros_like(target.shown_known)
    cell = 2 * finest
    at = _in_cells(_reduced(source.ways.x, 2), cell), _in_cells(_reduced(source.ways.y, 2), cell)
    moved, moved_known = _sampled(source.cells.shown, *at), _sampled(source.cells.shown_known, *at)
    both = ((target.shown_known > _KNOWN) & (moved_known > _KNOWN)).astype(np.float32)
    apart = np.abs(moved / each(np.maximum(moved_known, np.float32(0.05)), 3) - target.shown)
    off = apart.mean(axis=2) * both
    everywhere = off.sum() / max(float(both.sum()), 1.0)
    near, count = (_blurred(np.asarray(part, np.float32)) for part in (off, both))
    return np.asarray((near + _EVERYWHERE * everywhere) / (count + _EVERYWHERE), np.float32)


def _reduced(values: Floats, by: int) -> Floats:
    """Return the means of cells of `by` x `by`."""
    if by == 1:
        return values
    size = values.shape[1] // by, values.shape[0] // by
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)


def _in_cells(place: Floats, scale: int) -> Floats:
    """Return places in network pixels as places in cells."""
    half = np.float32(0.5)
    return np.asarray((place + half) / np.float32(scale) - half, np.float32)


def _sampled(values: Floats, x: Floats, y: Floats) -> Floats:
    """Return values at columns x and rows y; 0 outside, as the network samples its features."""
    sampled = cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(sampled, np.float32)


def _blurred(values: Floats) -> Floats:
    blurred = cv2.GaussianBlur(values, (0, 0), _AROUND_CELLS, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, np.float32)
