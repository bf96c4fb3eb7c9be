"""What the painter is checked on: photographs that nothing is trained on, and geometry of another seed.

Four sets, as fixed samples in cells: photographs of 128 and of 256 pixels, geometry of 128, and photographs
of 128 with holes of whole cells.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from plugin_core.errors import InputError

from ..synthetic.pictures import Pictures
from .hearing import Heard, Hearing
from .measures import Score, Scores
from .network import Painter, seen_by_painter, silent_channels
from .samples import HELD_OUT, Batch, draw_batch

_SEED = 990_002
"""Of the samples; no training run uses it."""
_SETS = (
    ("photographs 128", 32, 0.0, 0.0, 192),
    ("geometry 128", 32, 1.0, 0.0, 192),
    ("photographs 256", 64, 0.0, 0.0, 96),
    ("whole cells 128", 32, 0.0, 1.0, 192),
)
"""Name, cells a side, share of geometry, share of holes of whole cells, samples."""
_IN_BATCH = 16
_MEANS = 400
"""Rounds of the harmonic fill on its finest level."""


Fill = Callable[[Batch, Heard], Tensor]


class HeldOut:
    """The sets, with what the interpolation makes of them.

    Args:
        folders: of photographs, as for training; only those held out are used.
        hearing: the frozen interpolation.
        share: how much of each set is used, so that a test is quick.

    Raises:
        InputError: none of them is there.
    """

    def __init__(self, folders: tuple[Path, ...], hearing: Hearing, share: float = 1.0) -> None:
        try:
            pictures = Pictures(*folders, procedural=0, only=HELD_OUT)
        except ValueError:
            raise InputError(
                f"None of the photographs to check on ({', '.join(HELD_OUT)}) is in "
                f"{', '.join(map(str, folders))}: put one there, or check on none with --check-minutes 0."
            ) from None
        self._sets: dict[str, list[tuple[Batch, Heard]]] = {}
        for number, (name, cells, geometry, hard, most) in enumerate(_SETS):
            count = max(2, round(most * share))
            self._sets[name] = []
            for first in range(0, count, _IN_BATCH):
                rng = np.random.default_rng([_SEED, number, first])
                drawn = min(_IN_BATCH, count - first)
                batch = draw_batch(rng, pictures, drawn, cells, geometry=geometry, hard=hard)
                self._sets[name].append((batch, hearing(*batch)))

    def batches(self, name: str) -> list[tuple[Batch, Heard]]:
        """A set's samples, with what is heard of them. Raises InputError if there is no such set."""
        if name not in self._sets:
            raise InputError(f"There is no set {name!r} to check on; there are {', '.join(self._sets)}.")
        return self._sets[name]

    @torch.no_grad()
    def painter(self, painter: Painter) -> dict[str, Score]:
        """Scores of the fill with the painter's correction."""

        def fill(batch: Batch, heard: Heard) -> Tensor:
            correction: Tensor = painter(seen_by_painter(*batch), heard).correction
            return heard.fill + correction

        return {name: _scored(batches, fill) for name, batches in self._sets.items()}

    @torch.no_grad()
    def deaf(self, painter: Painter) -> dict[str, Score]:
        """Scores of the whole picture where nothing is heard: what the painter knows by itself."""

        def fill(batch: Batch, heard: Heard) -> Tensor:
            whole: Tensor = painter(seen_by_painter(*batch), heard.deafened(len(batch.picture))).whole
            return whole

        return {name: _scored(batches, fill) for name, batches in self._sets.items()}

    def silent(self, painter: Painter) -> dict[str, int]:
        """How many channels of each layer are silent on the first samples of the first set, where any are."""
        batch, heard = next(iter(self._sets.values()))[0]
        return silent_channels(painter, seen_by_painter(*batch), heard)

    def baselines(self) -> dict[str, dict[str, Score]]:
        """Scores of what needs no painter, by method: the heard fill, the harmonic one, and OpenCV's two."""
        methods: dict[str, Fill] = {
            "interpolation": lambda _batch, heard: heard.fill,
            "harmonic": lambda batch, _heard: harmonic_fill(*batch),
            "Telea": lambda batch, _heard: _opencv(batch, cv2.INPAINT_TELEA),
            "Navier-Stokes": lambda batch, _heard: _opencv(batch, cv2.INPAINT_NS),
        }
        return {
            method: {name: _scored(batches, fill) for name, batches in self._sets.items()}
            for method, fill in methods.items()
        }


def _scored(batches: list[tuple[Batch, Heard]], fill: Fill) -> Score:
    scores = Scores()
    for batch, heard in batches:
        scores.add(fill(batch, heard), batch.picture, 1 - batch.known)
    return scores.result()


def harmonic_fill(picture: Tensor, known: Tensor) -> Tensor:
    """The membrane through the known cells: repeated means of four neighbors, coarse to fine."""
    weighted = torch.cat((picture * known, known), dim=1)
    filled: Tensor | None = None
    for cells in (16, 8, 4, 2, 1):
        if cells > 1 and min(picture.shape[-2:]) < 4 * cells:
            continue
        small = F.avg_pool2d(weighted, cells)
        color, share = small[:, :3], small[:, 3:]
        color = color / share.clamp(min=1e-6)
        fixed = (share > (0.5 if cells == 1 else 1e-6)).float()
        if filled is None:
            filled = (color * fixed).sum(dim=(2, 3), keepdim=True) / fixed.sum(dim=(2, 3), keepdim=True)
            filled = filled.expand_as(color)
        else:
            filled = F.interpolate(filled, scale_factor=2, mode="bilinear")
        for _ in range(_MEANS if cells == 1 else 60):
            filled = filled * (1 - fixed) + color * fixed
            around = F.pad(filled, (1, 1, 1, 1), mode="replicate")
            filled = 0.25 * (
                around[..., 1:-1, :-2]
                + around[..., 1:-1, 2:]
                + around[..., :-2, 1:-1]
                + around[..., 2:, 1:-1]
            )
        filled = filled * (1 - fixed) + color * fixed
    assert filled is not None
    return filled


def _opencv(batch: Batch, method: int) -> Tensor:
    """OpenCV's fill of the cells, in 8 bits."""
    made = []
    for picture, known in zip(*batch, strict=True):
        shown: NDArray[np.uint8] = (255 * picture.permute(1, 2, 0).numpy()).round().astype(np.uint8)
        hole: NDArray[np.uint8] = (known[0].numpy() < 1).astype(np.uint8)
        filled = cv2.inpaint(shown, hole, 3, method)
        made.append(torch.from_numpy(np.asarray(filled)).permute(2, 0, 1).float() / 255)
    return torch.stack(made)
