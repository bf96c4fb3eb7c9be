"""Learn the interpolation's constants on stills.

python -m models.training.train_interpolation --out runs/i --pictures PHOTOS [MORE ...] --minutes 30

A sample is a picture of cells of 4 pixels with a hole, as the layers below s2 see it: the target, sources
whose holes or pictures have moved, and the fill of the frame before. It takes a CPU core some 40 ms. The loss
is the logarithm of each sample's mean squared error in its hole, which is what hole PSNR measures, and a
little for coverage that does not settle at 1. What s8 hands to s4 is held to the same: s4 fills most holes
by itself, and left alone it learns to shut out s8, without which nothing reaches the middle of a large hole.

A run is a folder: `interpolation.safetensors` (the running average, from which `--begin` goes on) and
`weights/`, the whole network's, for `models.onnx_export.bundle`. The same seed and `--steps` give the same
numbers on the same machine.
"""

from __future__ import annotations

import argparse
import logging
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..network.tensor_folder import write_folder
from ..network.vinet import SOURCE_OFFSETS
from ..synthetic.holes import hole_masks
from ..synthetic.pictures import Pictures
from ..wiring.interpolation import LAYERS, Filled, Interpolation, Seen, wire_interpolation
from ..wiring.masks import SHARPNESS, THRESHOLD
from ..wiring.start import STREAM_SHARES, lean_network

log = logging.getLogger("models.training.train_interpolation")

_FRAMES = SOURCE_OFFSETS[-1] - SOURCE_OFFSETS[0] + 1
_TARGET = -SOURCE_OFFSETS[0]
_LARGEST = 0.9
"""Largest hole, as a share of the sample's side: large ones need what comes from s8."""
_DRAWN = 2
"""Holes are drawn this much finer than the cells, so that their edges are soft."""
_EASY = 3e-4
"""Squared errors well below this are no longer worth much."""
_SETTLED = 0.3
"""Weight of coverage's distance from 1."""
_COARSE, _CROWDING = 0.25, 0.05
"""Weights of what s8 hands on, and of coverage far above 1."""
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
    made = [_sample(rng, pictures, size) for _ in range(count)]
    picture, known = (torch.from_numpy(np.stack(column)) for column in zip(*made, strict=True))
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
    error = (_unpremultiplied(color, coverage) - shown.picture[:, 0]).square().mean(dim=1, keepdim=True)
    return (error * missing).sum(dim=(1, 2, 3)) / missing.sum(dim=(1, 2, 3)).clamp(min=1)


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
    made = part.astype(np.float32) / 255
    if rng.random() < 0.5:
        made = made[:, ::-1]
    if rng.random() < 0.1:
        made = made[::-1]
    if rng.random() < 0.15:
        made = made.transpose(1, 0, 2)
    if rng.random() < 0.3:
        made = made[..., rng.permutation(3)]
    made = made ** float(np.exp(rng.normal(0, 0.25))) * float(np.exp(rng.normal(0, 0.15)))
    noise = rng.normal(0, 0.01 * rng.random(), made.shape)
    return np.ascontiguousarray(np.clip(made, 0, 1) + noise, np.float32)


def _composed(streams: Tensor, cell: int) -> tuple[Tensor, Tensor]:
    """Target and composition at a level, from the carriers of target, sources and previous output at s2."""
    batch, count = streams.shape[:2]
    small = torch.unflatten(F.avg_pool2d(streams.flatten(0, 1), cell), 0, (batch, count))
    target = small[:, 0]
    gathered = (small[:, 1:] * torch.tensor(STREAM_SHARES).view(1, -1, 1, 1, 1)).sum(dim=1)
    mask = torch.sigmoid(SHARPNESS * ((gathered - target)[:, 3:].abs() - THRESHOLD))
    return target, target + mask * (gathered - target)


def _missed(shown: Shown, color: Tensor, coverage: Tensor, settled: float) -> Tensor:
    """How far a fill is from the truth, and its coverage, by its weight, from 1."""
    wrong = torch.log(hole_errors(shown, color, coverage) + _EASY).mean()
    return wrong + settled * (coverage - 1).square().mean().sqrt()


def _halved(shown: Shown) -> Shown:
    """The target of frames at s2 as it is at s4."""
    picture, known = (F.avg_pool2d(part[:, 0], 2)[:, None] for part in shown)
    return Shown(picture, known)


def _shown_color(filled: Filled) -> Tensor:
    return _unpremultiplied(filled.color, filled.coverage)


def _unpremultiplied(color: Tensor, coverage: Tensor) -> Tensor:
    return color / coverage.clamp(min=0.05)


def _batch(rng: np.random.Generator, pictures: Pictures, usual: int, size: int) -> Shown:
    """Draw samples with about as many cells as a `usual` number of the usual side has."""
    return samples(rng, pictures, max(2, round(usual * (_USUAL / size) ** 2)), size)


def _held_out(pictures: Pictures, size: int, count: int) -> list[Shown]:
    """Draw `count` batches to check on, the same for every run."""
    random = np.random.default_rng(99)
    return [_batch(random, pictures, 32, size) for _ in range(count)]


class Trainer:
    """An interpolation being learned, its running average, and what it is checked on."""

    def __init__(self, options: argparse.Namespace) -> None:
        torch.manual_seed(options.seed)
        self.options = options
        self.step = 0
        self._rng = np.random.default_rng(options.seed)
        self._pictures = Pictures(*options.pictures, seed=options.seed)
        self.learned = Interpolation(options.carriers, options.carriers, options.seed)
        if options.begin is not None:
            taken = tuple(f"mix.{name}." for name in LAYERS if name.startswith(options.begin_layers))
            begun = {key: value for key, value in load_file(options.begin).items() if key.startswith(taken)}
            self.learned.load_state_dict(self.learned.state_dict() | begun)
        self.average = Interpolation(options.carriers, options.carriers)
        self.average.load_state_dict(self.learned.state_dict())
        self._optimizer = torch.optim.Adam(self.learned.parameters(), lr=options.lr, betas=(0.9, 0.99))
        held = Pictures(*options.held_out, procedural=0) if options.held_out else self._pictures
        self._held = [_held_out(held, size, options.checks) for size in options.sizes]

    def train(self, done: float) -> float:
        """Take a step and return its loss. `done`: what share of the run is over; the rate falls with it."""
        options = self.options
        warm = min(1.0, (self.step + 1) / 50)
        for group in self._optimizer.param_groups:
            group["lr"] = options.lr * warm * 0.5 * (1 + math.cos(math.pi * done)) + 1e-5
        size = int(self._rng.choice(options.sizes))
        shown, before = _batch(self._rng, self._pictures, options.batch, size), None
        if self._rng.random() < 0.6:
            with torch.no_grad():
                before = _shown_color(self.learned(seen_by(shown, None)))
        filled = self.learned(seen_by(shown, before))
        loss = _missed(shown, filled.color, filled.coverage, _SETTLED)
        loss = loss + _COARSE * _missed(_halved(shown), filled.coarse_color, filled.coarse_coverage, 1.0)
        loss = loss + _CROWDING * filled.crowding
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.learned.parameters(), 1.0)
        self._optimizer.step()
        self.step += 1
        with torch.no_grad():
            for kept, value in zip(self.average.parameters(), self.learned.parameters(), strict=True):
                kept.lerp_(value, max(0.002, 1 / (self.step + 1)))
        return float(loss.detach())

    def checked(self) -> str:
        """Return the held-out hole PSNR of first frames, and of such whose fill was fed back three times."""
        told = []
        for size, batches in zip(self.options.sizes, self._held, strict=True):
            first, fed = (
                sum(column) / len(batches) for column in zip(*map(self._check, batches), strict=True)
            )
            told.append(f"{size}: {first:.3f} dB, fed back {fed:.3f} dB")
        return "; ".join(told)

    @torch.no_grad()
    def _check(self, shown: Shown) -> tuple[float, float]:
        errors, before = [], None
        for _ in range(4):
            filled = self.average(seen_by(shown, before))
            errors.append(hole_errors(shown, filled.color, filled.coverage))
            before = _shown_color(filled)
        first, fed = (float((-10 * torch.log10(error + 1e-5)).mean()) for error in (errors[0], errors[-1]))
        return first, fed

    def save(self) -> None:
        """Write the running average, and a network that has it."""
        out: Path = self.options.out
        kept = {key: value.contiguous() for key, value in self.average.state_dict().items()}
        save_file(kept, out / "interpolation.safetensors")
        network = lean_network(512)
        state = network.state_dict()
        wire_interpolation(state, self.average)
        write_folder(out / "weights", state, {"steps": self.step, "batch": self.options.batch})


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m models.training.train_interpolation", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--out", type=Path, required=True, help="the run's folder")
    parser.add_argument("--pictures", type=Path, nargs="*", default=[], help="folders of photographs")
    parser.add_argument("--held-out", type=Path, nargs="*", default=[], help="photographs to check on")
    parser.add_argument("--begin", type=Path, help="interpolation.safetensors to go on from")
    parser.add_argument(
        "--begin-layers", default="", help="take only layers named so from there, such as dc2 for those of s4"
    )
    parser.add_argument("--minutes", type=float, default=30, help="stop after so many (default: 30)")
    parser.add_argument("--steps", type=int, default=1_000_000, help="stop after so many")
    parser.add_argument("--batch", type=int, default=12, help="samples a step, where they are of 96 cells")
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[64, 96, 160], help="sides of samples, in cells of 4 pixels"
    )
    parser.add_argument("--lr", type=float, default=6e-3, help="rate at the start; it falls to nothing")
    parser.add_argument("--carriers", type=int, default=6, help="carriers in each layer, at least 2")
    parser.add_argument("--checks", type=int, default=6, help="batches of each size to check on")
    parser.add_argument("--seed", type=int, default=0)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Train from the command line."""
    options = _arguments().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    options.out.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(options)
    log.info("held out, at the start: %s", trainer.checked())
    began = told = time.monotonic()
    losses: list[float] = []
    while trainer.step < options.steps:
        done = (time.monotonic() - began) / (60 * options.minutes)
        if done >= 1:
            break
        losses.append(trainer.train(max(done, trainer.step / options.steps)))
        if time.monotonic() - told > 120:
            told = time.monotonic()
            log.info("step %d, loss %.3f, held out %s", trainer.step, np.mean(losses), trainer.checked())
            losses.clear()
            trainer.save()
    trainer.save()
    log.info("%d steps; held out, at the end: %s", trainer.step, trainer.checked())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
