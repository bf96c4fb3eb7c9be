"""Samples for the painter that are cut and drawn on the device itself: crops as bytes, holes and geometry.

What `painter.samples` draws on the host, one by one, is here a few operations over a whole batch, so that a
card does not wait: windows of packed crops, a quarter of them edges, bands and stripes, under holes that are
ellipses and boxes with wavy outlines, and sources beside.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ..painter.beside import (
    ALIKE,
    EXACT,
    LEAST,
    LEAST_MISSED,
    MISSED,
    MISSES,
    SOURCES,
    STRAYS,
    Beside,
    strayed,
)
from .plain_tensors import read_tensors

_GEOMETRY = 0.25
_FINE = 2
"""Geometry and holes are drawn this much finer than the cells, so that their edges are soft."""
_LARGEST = 0.75
"""Largest hole, as a share of the side."""
_WAVES = 4


class DeviceSamples:
    """Draws samples on a device.

    Args:
        crops: folder of packed crops: `crops.*.safetensors` to train on, `held_out.*` to check on.
        device: where.
        seed: of everything drawn; the same seed gives the same samples on one device.

    Raises:
        OSError, ValueError: there are none, or a file is damaged.
    """

    def __init__(self, crops: Path, device: torch.device, seed: int) -> None:
        self._device = device
        self._crops = packed(crops, "crops").to(device)
        self._kept = packed(crops, "held_out").to(device)
        self._random = torch.Generator(device).manual_seed(seed)

    def draw(self, count: int, side: int, hard: float = 0.0) -> tuple[Tensor, Tensor]:
        """Return pictures (count, 3, side, side), B, G, R in 0..1, and the known share of each cell.

        `hard`: the share of samples whose hole is of whole cells.
        """
        drawn = int(_GEOMETRY * count)
        shown = torch.cat((self._geometry(drawn, side), self._windows(self._crops, count - drawn, side)))
        known = self._known(count, side)
        whole = self._uniform(count, 1, 1, 1) < hard
        return self._varied(shown), torch.where(whole, known.floor(), known)

    def beside(self, picture: Tensor, known: Tensor, share: float) -> Beside:
        """Return a source for each frame; but for a `share` of them it shows what the frame shows.

        It is drawn as `painter.samples.draw_beside` does.
        """
        count, side = len(picture), picture.shape[-1]

        def often(chance: float) -> Tensor:
            return self._uniform(count, 1, 1, 1) < chance

        chosen, misses = often(share), often(MISSED)
        strays = chosen & ~often(EXACT)
        theirs = torch.where(chosen & ~often(ALIKE), self._known(count, side), known)
        most = torch.where(misses, MISSES, STRAYS).flatten()
        sources = torch.randint(SOURCES, (count,), generator=self._random, device=self._device) + 1
        total = torch.zeros_like(picture)
        for number in range(SOURCES):
            off = self._uniform(count, 2, low=-1) * most[:, None]
            total = total + strayed(picture, off) * (number < sources).view(-1, 1, 1, 1)
        shown = torch.where(strays, total / sources.view(-1, 1, 1, 1), picture)
        least = torch.where(misses, LEAST_MISSED, LEAST)
        trust = torch.where(strays, least + (1 - least) * self._uniform(count, 1, 1, 1), 1.0)
        return Beside(shown, theirs, trust)

    def held_out(self, count: int = 96, side: int = 32) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the same batches every time, of crops that are never trained on."""
        random, self._random = self._random, torch.Generator(self._device).manual_seed(0)
        for larger in (side, 2 * side):
            yield self._windows(self._kept, count, larger), self._known(count, larger)
        self._random = random

    def _uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        drawn = torch.rand(shape, generator=self._random, device=self._device)
        return low + (high - low) * drawn

    def _windows(self, crops: Tensor, count: int, side: int) -> Tensor:
        """Windows of random crops, each mirrored or turned by a right angle; smaller crops are repeated."""
        size = crops.shape[-1]
        chosen = torch.randint(len(crops), (count,), generator=self._random, device=self._device)
        if side > size:
            raise ValueError(f"crops are {size} cells a side, samples {side}: pack larger ones")
        at = torch.randint(size - side + 1, (2, count, 1), generator=self._random, device=self._device)
        along = torch.arange(side, device=self._device)
        rows, columns = (at[0] + along)[:, None, :, None], (at[1] + along)[:, None, None, :]
        planes = torch.arange(3, device=self._device)[None, :, None, None]
        windows = crops[chosen[:, None, None, None], planes, rows, columns].float() / 255
        flips = self._uniform(3, count, 1, 1, 1) < 0.5
        windows = torch.where(flips[0], windows.flip(3), windows)
        windows = torch.where(flips[1], windows.flip(2), windows)
        return torch.where(flips[2], windows.transpose(2, 3), windows)

    def _varied(self, shown: Tensor) -> Tensor:
        count = len(shown)
        gamma = torch.exp(0.25 * (2 * self._uniform(count, 1, 1, 1) - 1))
        light = torch.exp(0.15 * (2 * self._uniform(count, 1, 1, 1) - 1))
        swapped = torch.where(self._uniform(count, 1, 1, 1) < 0.3, shown.flip(1), shown)
        return (swapped.clamp(min=1e-4) ** gamma * light).clamp(0, 1)

    def _geometry(self, count: int, side: int) -> Tensor:
        """A ground and three layers over it: half planes, bands or stripes, in straight or curved lines."""
        x, y = self._grid(side)
        picture = self._uniform(count, 3, 1, 1) + 0.3 * (self._uniform(count, 1, 1, 1) - 0.5) * x
        for _ in range(3):
            angle = self._uniform(count, 1, 1, 1, high=math.pi)
            bend = 0.6 * (self._uniform(count, 1, 1, 1) - 0.5)
            across = x * torch.cos(angle) + y * torch.sin(angle)
            along = y * torch.cos(angle) - x * torch.sin(angle)
            place = across + bend * along**2 - self._uniform(count, 1, 1, 1, low=-0.6, high=0.6)
            width = self._uniform(count, 1, 1, 1, low=0.05, high=0.5)
            period = self._uniform(count, 1, 1, 1, low=10 / side, high=0.8)
            kinds = torch.stack(
                (place > 0, place.abs() < width, torch.remainder(place, period) < period / 2)
            ).float()
            kind = torch.randint(3, (count,), generator=self._random, device=self._device)
            share = kinds[kind, torch.arange(count, device=self._device)]
            picture = picture + share * (self._uniform(count, 3, 1, 1) - picture)
        return F.avg_pool2d(picture.clamp(0, 1), _FINE)

    def _known(self, count: int, side: int) -> Tensor:
        x, y = self._grid(side)
        angle = self._uniform(count, 1, 1, 1, high=math.pi)
        middle = self._uniform(2, count, 1, 1, 1, low=-0.6, high=0.6)
        x, y = x - middle[0], y - middle[1]
        across = x * torch.cos(angle) + y * torch.sin(angle)
        along = y * torch.cos(angle) - x * torch.sin(angle)
        radii = torch.exp(self._uniform(2, count, 1, 1, 1, low=math.log(0.12), high=math.log(_LARGEST)))
        across, along = across / radii[0], along / radii[1]
        # Between an ellipse and a box, its outline waved.
        power = torch.exp2(self._uniform(count, 1, 1, 1, low=1, high=3))
        around = torch.atan2(along, across)
        waves = torch.zeros_like(around)
        for number in range(2, 2 + _WAVES):
            phase = self._uniform(count, 1, 1, 1, high=2 * math.pi)
            waves = waves + self._uniform(count, 1, 1, 1, high=0.1) * torch.sin(number * around + phase)
        distance = (across.abs() ** power + along.abs() ** power) ** (1 / power)
        return F.avg_pool2d((distance > 1 + waves).float(), _FINE)

    def _grid(self, side: int) -> tuple[Tensor, Tensor]:
        """Coordinates in -1..1, (1, 1, 1, n) and (1, 1, n, 1)."""
        fine = side * _FINE
        line = (torch.arange(fine, device=self._device) + 0.5) * (2 / fine) - 1
        return line.view(1, 1, 1, -1), line.view(1, 1, -1, 1)


def packed(folder: Path, name: str) -> Tensor:
    """The crops of one name, (n, 3, side, side) bytes. Raises OSError, ValueError."""
    files = sorted(folder.glob(f"{name}.*.safetensors"))
    if not files:
        raise ValueError(f"{folder} has no {name}.*.safetensors: make them with models.training.pack_crops")
    return torch.cat([read_tensors(file)[0]["crops"] for file in files])
