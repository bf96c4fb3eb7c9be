"""Sample sheets of a network in training: what it sees, what it fills, and the truth, side by side."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..network.vinet import VINet
from ..synthetic.pictures import Pictures
from ..synthetic.shot import ShotSettings, make_shot
from .rollout import Batch

_SEED = 990_001
"""Of the shots shown; no training run uses it."""


@torch.no_grad()
def fill_shot(network: VINet, batch: Batch, frames: range) -> list[tuple[Tensor, Tensor]]:
    """Step through `frames` in order, carrying everything; (output, raw) of each frame."""
    carry = network.start(batch.seen[:, frames[0]], batch.masks[:, frames[0]])
    filled = []
    for t in frames:
        sources = [network.encode_source(batch.seen[:, s], batch.masks[:, s]) for s in batch.sources_of(t)]
        result = network.step(batch.seen[:, t], batch.masks[:, t], sources, carry)
        carry = result.carry
        filled.append((result.output, result.raw))
    return filled


def hole_psnr(picture: Tensor, clean: Tensor, mask: Tensor) -> float:
    """PSNR in dB inside the hole, of pictures in -1..1 clamped to it."""
    error = ((picture.clamp(-1, 1) - clean) ** 2 * mask).sum() / (3 * mask.sum()).clamp(min=1)
    return float(10 * torch.log10(4 / error.clamp(min=1e-10)))


def write_sheet(network: VINet, pictures: Pictures, size: int, path: Path, rows: int = 8) -> float:
    """Write a sheet of `rows` shots and return the mean hole PSNR in dB of their last frames.

    Columns: masked frame, first frame filled, last frame filled, last frame's whole output, truth.
    """
    settings = ShotSettings(size, frames=5, largest_hole=0.6)
    batch = Batch.of(make_shot(pictures, settings, _SEED, i) for i in range(rows))
    filled = fill_shot(network, batch, range(batch.frames))
    clean, mask, seen = batch.clean[:, -1], batch.masks[:, -1], batch.seen[:, -1]
    first = _paste(filled[0][0], batch.seen[:, 0], batch.masks[:, 0])
    last = filled[-1][0]
    columns = (seen * (1 - mask), first, _paste(last, seen, mask), last, clean)
    sheet = np.vstack([np.hstack([_display(column[row]) for column in columns]) for row in range(rows)])
    cv2.imwrite(str(path), sheet)
    return float(np.mean([hole_psnr(last[i], clean[i], mask[i]) for i in range(rows)]))


def _paste(output: Tensor, seen: Tensor, mask: Tensor) -> Tensor:
    return seen * (1 - mask) + output * mask


def _display(picture: Tensor) -> NDArray[np.uint8]:
    image = (127.5 * (picture + 1)).clamp(0, 255).round().to(torch.uint8)
    return np.asarray(image.permute(1, 2, 0).numpy())
