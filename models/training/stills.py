"""Stills with holes, as the layers below s2 see them: pictures of cells of 4 pixels."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..network.vinet import SOURCE_OFFSETS
from ..synthetic.holes import hole_masks
from ..synthetic.pictures import Pictures
from ..wiring.interpolation import Seen
from ..wiring.masks import SHARPNESS, THRESHOLD
from ..wiring.start import STREAM_SHARES

_FRAMES = SOURCE_OFFSETS[-1] - SOURCE_OFFSETS[0] + 1
_TARGET = -SOURCE_OFFSETS[0]
_LARGEST = 0.9
"""Largest hole, as a share of the sample's side: large ones need what comes from s8."""
_DRAWN = 2
"""Holes are drawn this much finer than the cells, so that their edges are soft."""
_USUAL = 96
"""Samples of this side come in batches of the size asked for; of larger ones there are fewer in a batch."""


class Shown(NamedTuple):
    """Frames at s2; the first is the target, the others are the network's sources.

    Attributes:
        picture: (B, n, 3, h, w), B G R in 0..1.
        known: the share of each cell that is known, (B, n, 1, h, w).
    """

    picture: Tensor
    known: Tensor


def samples(rng: np.random.Generator, pictures: Pictures, count: int, size: int) -> Shown:
    """Draw a batch of `count` samples of `size` cells a side, a multiple of 4."""
    singles = [_sample(rng, pictures, size) for _ in range(count)]
    picture, known = (torch.from_numpy(np.stack(column)) for column in zip(*singles, strict=True))
    return Shown(picture, known)


def seen_by(shown: Shown, before: Tensor | None) -> Seen:
    """What the layers below s2 see of frames at s2.

    Args:
        shown: the frames.
        before: the fill of the frame before, (B, 3, h, w); None for a shot's first frame.
    """
    carriers = torch.cat((shown.picture * shown.known, shown.known), dim=2)
    fed = carriers[:, 0]  # a first frame feeds its own known pixels back
    if before is not None:
        known = shown.known[:, 0]
        whole = shown.picture[:, 0] * known + before * (1 - known)
        fed = torch.cat((whole, torch.ones_like(known)), dim=1)
    streams = torch.cat((carriers, fed[:, None]), dim=1)
    return Seen(*_composed(streams, 4), _composed(streams, 2)[1])


def hole_errors(shown: Shown, color: Tensor, coverage: Tensor) -> Tensor:
    """Mean squared error of each sample's fill in its hole, (B,)."""
    missing = 1 - shown.known[:, 0]
    error = (unpremultiplied(color, coverage) - shown.picture[:, 0]).square().mean(dim=1, keepdim=True)
    return (error * missing).sum(dim=(1, 2, 3)) / missing.sum(dim=(1, 2, 3)).clamp(min=1)


def batch_of(rng: np.random.Generator, pictures: Pictures, usual: int, size: int) -> Shown:
    """Draw samples with about as many cells as a `usual` number of the usual side has."""
    return samples(rng, pictures, max(2, round(usual * (_USUAL / size) ** 2)), size)


def _sample(
    rng: np.random.Generator, pictures: Pictures, size: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """One sample's pictures (5, 3, size, size) and known shares (5, 1, size, size)."""
    kind = rng.random()  # a camera that pans; one that stands and a hole that does too; one that stands
    pan = rng.normal(0, 1.5, 2) if kind < 0.3 else np.zeros(2)
    masks = _holes(rng, size * _DRAWN, pan * _DRAWN, stands=0.3 < kind < 0.6 or rng.random() < 0.5)
    reach = int(np.ceil(_TARGET * np.abs(pan).max())) + 1
    wide = _cut(rng, pictures, size + 2 * reach)
    frames, known = [], []
    for offset in (0, *SOURCE_OFFSETS):
        x, y = (round(v) for v in (reach + offset * pan).tolist())
        frames.append(wide[y : y + size, x : x + size])
        seen = 1 - masks[_TARGET + offset].astype(np.float32)
        known.append(seen.reshape(size, _DRAWN, size, _DRAWN).mean(axis=(1, 3)))
    return np.ascontiguousarray(np.stack(frames).transpose(0, 3, 1, 2)), np.stack(known)[:, None]


def _holes(
    rng: np.random.Generator, side: int, pan: NDArray[np.float64], *, stands: bool
) -> NDArray[np.uint8]:
    """A hole's masks over the frames that a step looks at, (13, side, side)."""
    drift = np.arange(_FRAMES)[:, None] * pan
    masks = hole_masks(rng, side, _FRAMES, drift, largest=_LARGEST)
    if stands:
        masks[:] = masks[_TARGET]
    if rng.random() < 0.4:  # a part of it was found in other frames
        other = hole_masks(rng, side, _FRAMES, drift, largest=0.9)[_TARGET]
        left = masks & (np.roll(other, rng.integers(-side // 4, side // 4, 2), axis=(0, 1)) == 0)
        if np.count_nonzero(left[_TARGET]) > side / 3:
            masks = left
    return masks


def _cut(rng: np.random.Generator, pictures: Pictures, size: int) -> NDArray[np.float32]:
    """A random part of a random picture, reduced to (size, size, 3), B G R in 0..1 but for a little noise."""
    pyramid = pictures.choose(rng)
    side = min(pyramid[0].shape[:2]) * float(np.exp(rng.uniform(np.log(0.3), 0)))
    level = min(len(pyramid) - 1, max(0, int(np.log2(side / size)) if side > size else 0))
    picture = pyramid[level]
    side = min(round(side * picture.shape[0] / pyramid[0].shape[0]), *picture.shape[:2])
    y, x = (int(rng.integers(0, extent - side + 1)) for extent in picture.shape[:2])
    part = cv2.resize(picture[y : y + side, x : x + side], (size, size), interpolation=cv2.INTER_AREA)
    pixels = part.astype(np.float32) / 255
    if rng.random() < 0.5:
        pixels = pixels[:, ::-1]
    if rng.random() < 0.1:
        pixels = pixels[::-1]
    if rng.random() < 0.15:
        pixels = pixels.transpose(1, 0, 2)
    if rng.random() < 0.3:
        pixels = pixels[..., rng.permutation(3)]
    pixels = pixels ** float(np.exp(rng.normal(0, 0.25))) * float(np.exp(rng.normal(0, 0.15)))
    noise = rng.normal(0, 0.01 * rng.random(), pixels.shape)
    return np.ascontiguousarray(np.clip(pixels, 0, 1) + noise, np.float32)


def _composed(streams: Tensor, cell: int) -> tuple[Tensor, Tensor]:
    """Target and composition at a level, from the carriers of target, sources and previous output at s2."""
    batch, count = streams.shape[:2]
    small = torch.unflatten(F.avg_pool2d(streams.flatten(0, 1), cell), 0, (batch, count))
    target = small[:, 0]
    gathered = (small[:, 1:] * torch.tensor(STREAM_SHARES).view(1, -1, 1, 1, 1)).sum(dim=1)
    mask = torch.sigmoid(SHARPNESS * ((gathered - target)[:, 3:].abs() - THRESHOLD))
    return target, target + mask * (gathered - target)


def halved(shown: Shown) -> Shown:
    """The target of frames at s2 as it is at s4."""
    picture, known = (F.avg_pool2d(part[:, 0], 2)[:, None] for part in shown)
    return Shown(picture, known)


def unpremultiplied(color: Tensor, coverage: Tensor) -> Tensor:
    """A fill's color, from what is premultiplied by its coverage."""
    return color / coverage.clamp(min=0.05)
