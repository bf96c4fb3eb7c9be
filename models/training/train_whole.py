"""Train the painter in the network: `python -m models.training.train_whole --checkpoint FILE --out RUN`.

It begins from a painter that learned in cells (`models.painter.train`) and goes on as in use: whole frames of
moving shots, sources and their flows given, exact or a little wrong, its own output and memory fed back along
the background, some frames without gradients and then four with them (truncated back-propagation through
time). The wiring stays; the painter, its memory's recurrence and its correction's kernel learn.

A run is a folder: `checkpoint/` to go on exactly (`--resume`), and `whole.safetensors`, which
`models.painter.export --checkpoint` exports. What a step is shown depends on the seed and its number alone.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from plugin_core.errors import CleanplateError, InputError

from ..painter.checkpoint import read_checkpoint, write_checkpoint
from ..painter.export import CHECKPOINT
from ..painter.samples import HELD_OUT
from ..painter.whole import whole_of, whole_tensors
from ..synthetic.pictures import Pictures
from ..synthetic.shot import Shot, ShotSettings, make_shot
from .guided import guided_loss, hole_scores, roll_guided
from .pace import Limits, RunningAverage, Schedule, cosine
from .trainer import Trainer, run

_FRAMES, _WARM, _LEARN = 13, 4, 4
"""Of a shot; most that are run without gradients; those with them."""
_OFF = 0.5
"""Half of the steps have flows that are wrong by up to so many cells of s2."""
_SEED = 990_004
"""Of the shots that are scored; no run uses it."""
_SCORED, _SCORED_FRAMES = 4, 6


class ShotBatch:
    """Synthetic shots of one length, stacked; see `guided.MovingShots`."""

    def __init__(self, shots: Iterable[Shot]) -> None:
        self._shots = list(shots)
        self.seen, self.clean, self.masks = (
            torch.stack([getattr(shot, name) for shot in self._shots]) for name in ("seen", "clean", "masks")
        )

    def flow(self, target: int, source: int, stride: int) -> tuple[Tensor, Tensor]:
        """Exact flow from one frame to another, and where it is shown."""
        flows, visible = zip(*(shot.flow(target, source, stride) for shot in self._shots), strict=True)
        return torch.stack(flows), torch.stack(visible)


class WholeTrainer(Trainer[ShotBatch]):
    """The painter learning in the network."""

    def __init__(self, options: argparse.Namespace, pictures: Pictures) -> None:
        self.options, self._pictures = options, pictures
        tensors, self._state = read_checkpoint(options.checkpoint)
        sources = True if options.sources else None
        self.whole = whole_of(tensors, self._state, sources=sources)
        self._settings = ShotSettings(options.size, _FRAMES, largest_hole=0.6)
        super().__init__(
            self.whole,
            torch.optim.Adam(self.whole.parameters(), options.lr, (0.9, 0.98), 1e-6),
            Limits(options.minutes, options.steps or None, options.schedule or None),
            Schedule(options.lr, warm=50, fall=cosine(0.02)),
            RunningAverage(self.whole.state_dict(), options.average, early=10),
            3.0,
            options.out,
        )
        if options.resume:
            self.resume()

    def batch(self, step: int) -> ShotBatch:
        """The shots of one step."""
        first = step * self.options.batch
        return self._shots(self.options.seed, range(first, first + self.options.batch))

    def _shots(self, seed: int, numbers: range) -> ShotBatch:
        return ShotBatch(make_shot(self._pictures, self._settings, seed, number) for number in numbers)

    def loss(self, shown: ShotBatch) -> tuple[Tensor, dict[str, float]]:
        """The loss of a rollout."""
        rng = np.random.default_rng([self.options.seed, self.step, 2])
        warm, begin = int(rng.integers(_WARM + 1)), int(rng.integers(_FRAMES))
        off = _OFF if rng.random() < 0.5 else 0.0
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        rolled = self.whole.run(
            lambda network: roll_guided(network, shown, begin, warm, _LEARN, off=off, generator=generator)
        )
        return guided_loss(shown, rolled)

    @torch.no_grad()
    def check(self) -> str:
        """Score shots that no step is shown: the averaged painter, and the network without one."""
        shots = self._shots(_SEED, range(_SCORED))
        now = {key: value.clone() for key, value in self.whole.state_dict().items()}
        told = []
        for name in ("without", "painter"):
            self.whole.load_state_dict(self.average.tensors)
            if name == "without":
                for parameter in self.whole.painter.correction.parameters():
                    parameter.zero_()
            rolled = self.whole.run(lambda network: roll_guided(network, shots, 0, 0, _SCORED_FRAMES))
            psnr, unsteady = hole_scores(shots, rolled)
            told.append(f"{name} {psnr:.2f} dB, unsteady {unsteady:.4f}")
        self.whole.load_state_dict(now)
        return "held out: " + "; ".join(told)

    def write(self) -> None:
        """Write what `models.painter.export` takes."""
        state: dict[str, Any] = dict(self._state) | {
            "sources": self.whole.sources,
            "taken": 0,
            "whole_steps": self.step,
        }
        path = self.options.out / "whole.safetensors"
        write_checkpoint(path, whole_tensors(self.whole, self.average.tensors), json.loads(json.dumps(state)))


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m models.training.train_whole",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--checkpoint", type=Path, default=CHECKPOINT, help="the painter that it begins from")
    add("--out", type=Path, required=True, help="folder of the run")
    add("--pictures", type=Path, nargs="*", default=[], help="folders of photographs; none: procedural only")
    add("--sources", action="store_true", help="the painter sees the frames beside, too; slower")
    add("--minutes", type=float, default=30.0, help="stop after this much wall-clock time, over all resumes")
    add("--steps", type=int, default=0, help="stop after this many steps, over all resumes; 0: no limit")
    add("--schedule", type=int, default=0, help="steps over which the rate decays; 0: over --minutes")
    add("--size", type=int, default=128, help="side of the frames in pixels, a multiple of 32")
    add("--batch", type=int, default=2)
    add("--lr", type=float, default=1e-4)
    add("--average", type=float, default=0.99, help="decay of the running average, which is what is kept")
    add("--resume", action="store_true", help="go on with the run in --out exactly where it stopped")
    add("--seed", type=int, default=1)
    add("--threads", type=int, default=1)
    add("--log-every", type=int, default=10)
    add("--check-minutes", type=float, default=5.0, help="between checkpoints, each with scores; 0: none")
    options = parser.parse_args(arguments)
    if options.size % 32:
        parser.error(f"--size must be a multiple of 32, got {options.size}")
    if options.resume and not (options.out / "checkpoint").is_dir():
        parser.error(f"--resume: there is no checkpoint in {options.out}")
    return options


def train(options: argparse.Namespace) -> WholeTrainer:
    """Run until the steps or the minutes are used up; returns the trainer as it is then."""
    options.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    try:
        pictures = Pictures(*options.pictures, seed=options.seed, without=HELD_OUT)
    except ValueError as error:
        raise InputError(str(error)) from error
    trainer = WholeTrainer(options, pictures)
    run(trainer, log_every=options.log_every, check_minutes=options.check_minutes)
    return trainer


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    options = parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        train(options)
    except CleanplateError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
