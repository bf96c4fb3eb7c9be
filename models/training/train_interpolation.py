"""Learn the interpolation's constants on stills.

python -m models.training.train_interpolation --out runs/i --pictures PHOTOS [MORE ...] --minutes 30

A sample is a picture of cells of 4 pixels with a hole, as the layers below s2 see it: the target, sources
whose holes or pictures have moved, and the fill of the frame before. It takes a CPU core some 40 ms. The loss
is the logarithm of each sample's mean squared error in its hole, which is what hole PSNR measures, and a
little for coverage that does not settle at 1. What s8 hands to s4 is held to the same: s4 fills most holes
by itself, and left alone it learns to shut out s8, without which nothing reaches the middle of a large hole.

A run is a folder: `checkpoint/` (from which `--resume` goes on exactly), `interpolation.safetensors` (the
running average, from which `--begin` starts another run) and `weights/`, the whole network's, for
`models.onnx_export.bundle`. The same seed and `--steps` give the same numbers on the same machine.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..network.tensor_folder import write_folder
from ..synthetic.pictures import Pictures
from ..wiring.interpolation import LAYERS, Filled, Interpolation, wire_interpolation
from ..wiring.start import lean_network
from .pace import Limits, RunningAverage, Schedule, cosine
from .stills import Shown, batch_of, halved, hole_errors, seen_by, unpremultiplied
from .trainer import FolderTrainer, Recipe, run

log = logging.getLogger("models.training.train_interpolation")

_EASY = 3e-4
"""Squared errors well below this are no longer worth much."""
_SETTLED = 0.3
"""Weight of coverage's distance from 1."""
_COARSE, _CROWDING = 0.25, 0.05
"""Weights of what s8 hands on, and of coverage far above 1."""


class Drawn(NamedTuple):
    """What a step is shown.

    Attributes:
        stills: the samples.
        fed_back: whether the fill of a frame before is seen too.
    """

    stills: Shown
    fed_back: bool


class InterpolationTrainer(FolderTrainer[Drawn]):
    """An interpolation learning from stills."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self._pictures = Pictures(*options.pictures, seed=options.seed)
        self.learned = Interpolation(options.carriers, options.carriers, options.seed)
        if options.begin is not None:
            prefixes = tuple(f"mix.{name}." for name in LAYERS if name.startswith(options.begin_layers))
            start = {
                key: value for key, value in load_file(options.begin).items() if key.startswith(prefixes)
            }
            self.learned.load_state_dict(self.learned.state_dict() | start)
        super().__init__(
            self.learned,
            Recipe(
                torch.optim.Adam(self.learned.parameters(), lr=options.lr, betas=(0.9, 0.99)),
                Limits(options.minutes, options.steps, options.schedule or options.steps),
                Schedule(options.lr, warm=50, fall=cosine(0.002)),
                RunningAverage(self.learned.state_dict(), 0.998, early=1),
                clip=1.0,
            ),
            options.out,
        )
        held = Pictures(*options.held_out, procedural=0) if options.held_out else self._pictures
        self._held = [_held_out(held, size, options.checks) for size in options.sizes]
        if options.resume:
            self.resume()

    def batch(self, step: int) -> Drawn:
        """Draw a step's samples; they depend on the seed and the step alone."""
        rng = np.random.default_rng([self.options.seed, step])
        size = int(rng.choice(self.options.sizes))
        return Drawn(batch_of(rng, self._pictures, self.options.batch, size), rng.random() < 0.6)

    def loss(self, shown: Drawn) -> tuple[Tensor, dict[str, float]]:
        """How far the fill is from the truth, what s8 hands on with it, and how crowded it is."""
        stills, before = shown.stills, None
        if shown.fed_back:
            with torch.no_grad():
                before = _color_of(self.learned(seen_by(stills, None)))
        filled = self.learned(seen_by(stills, before))
        fine = _missed(stills, filled.color, filled.coverage, _SETTLED)
        coarse = _missed(halved(stills), filled.coarse_color, filled.coarse_coverage, 1.0)
        loss = fine + _COARSE * coarse + _CROWDING * filled.crowding
        return loss, {"fine": float(fine.detach()), "coarse": float(coarse.detach())}

    def averaged(self) -> Interpolation:
        """An interpolation with the averaged weights."""
        average = Interpolation(self.options.carriers, self.options.carriers)
        average.load_state_dict(self.average.tensors)
        return average

    def check(self) -> str:
        """Return the held-out hole PSNR of first frames, and of such whose fill was fed back three times."""
        average, scores = self.averaged(), []
        for size, batches in zip(self.options.sizes, self._held, strict=True):
            pairs = [_scores(average, stills) for stills in batches]
            first, fed = (sum(column) / len(batches) for column in zip(*pairs, strict=True))
            scores.append(f"{size}: {first:.3f} dB, fed back {fed:.3f} dB")
        return "; ".join(scores)

    def write(self) -> None:
        """Write the running average, and a network that has it."""
        out: Path = self.options.out
        save_file(
            {key: value.contiguous() for key, value in self.average.tensors.items()},
            out / "interpolation.safetensors",
        )
        network = lean_network(512)
        state = network.state_dict()
        wire_interpolation(state, self.averaged())
        write_folder(out / "weights", state, {"steps": self.step, "batch": self.options.batch})


@torch.no_grad()
def _scores(interpolation: Interpolation, stills: Shown) -> tuple[float, float]:
    """Hole PSNR in dB of a first fill, and of the fourth, each fed the one before."""
    errors, before = [], None
    for _ in range(4):
        filled = interpolation(seen_by(stills, before))
        errors.append(hole_errors(stills, filled.color, filled.coverage))
        before = _color_of(filled)
    first, fed = (float((-10 * torch.log10(error + 1e-5)).mean()) for error in (errors[0], errors[-1]))
    return first, fed


def _missed(stills: Shown, color: Tensor, coverage: Tensor, settled: float) -> Tensor:
    """How far a fill is from the truth, and its coverage, by its weight, from 1."""
    wrong = torch.log(hole_errors(stills, color, coverage) + _EASY).mean()
    return wrong + settled * (coverage - 1).square().mean().sqrt()


def _color_of(filled: Filled) -> Tensor:
    return unpremultiplied(filled.color, filled.coverage)


def _held_out(pictures: Pictures, size: int, count: int) -> list[Shown]:
    """Draw `count` batches to check on, the same for every run."""
    random = np.random.default_rng(99)
    return [batch_of(random, pictures, 32, size) for _ in range(count)]


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m models.training.train_interpolation", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--out", type=Path, required=True, help="the run's folder")
    parser.add_argument("--pictures", type=Path, nargs="*", default=[], help="folders of photographs")
    parser.add_argument("--held-out", type=Path, nargs="*", default=[], help="photographs to check on")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out exactly")
    parser.add_argument("--begin", type=Path, help="interpolation.safetensors to go on from")
    parser.add_argument(
        "--begin-layers", default="", help="take only layers named so from there, such as dc2 for those of s4"
    )
    parser.add_argument("--minutes", type=float, default=30, help="stop after so many, over all resumes")
    parser.add_argument("--steps", type=int, help="stop after so many, over all resumes")
    parser.add_argument("--schedule", type=int, help="steps over which the rate falls; default: --steps")
    parser.add_argument("--log-every", type=int, default=200, help="steps between lines of the log")
    parser.add_argument(
        "--check-minutes", type=float, default=2, help="minutes between checkpoints, each with a check"
    )
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
    parser = _arguments()
    options = parser.parse_args(arguments)
    if options.resume and options.begin:
        parser.error("--resume goes on with its own constants; leave --begin out")
    if options.resume and not (options.out / "checkpoint").is_dir():
        parser.error(f"--resume: there is no checkpoint in {options.out}")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    options.out.mkdir(parents=True, exist_ok=True)
    trainer = InterpolationTrainer(options)
    log.info("held out, at the start: %s", trainer.check())
    run(trainer, log_every=options.log_every, check_minutes=options.check_minutes)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
