"""Train the painter in the network: `python -m models.training.train_whole --checkpoint RUN.safetensors`.

It begins from a painter that learned in cells (`models.painter.train`) and goes on as in use: whole frames of
moving shots, sources and their flows given, exact or a little wrong, its own output and memory fed back along
the background, some frames without gradients and then four with them (truncated back-propagation through
time). The wiring stays; the painter, its memory's recurrence and its correction's kernel learn. Beside the
shots a step has a plain one, whose color must keep, and stills in cells, so that nothing is forgotten.

A run is one file, gone on with exactly if it is there; `models.painter.export --checkpoint` exports it. What
a step is shown depends on the seed and its number alone. SIGTERM or Ctrl-C ends it at the next step.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import torch
from torch import Tensor

from plugin_core.errors import CleanplateError, InputError

from ..painter.checkpoint import read_checkpoint, write_checkpoint
from ..painter.kept import IN_CELLS
from ..painter.samples import HELD_OUT
from ..painter.whole_run import WholeProgress, bring_back, kept_of, progress_of, round_moments
from ..synthetic.pictures import Pictures
from .guided import hole_scores, roll_guided
from .pace import Limits, RunningAverage, Schedule, cosine
from .trainer import Recipe, Trainer, run
from .whole_parts import Learner, MovingPart, Part, PlainPart, StillsPart, draw_shots

_SEED = 990_004
"""Of the shots that are scored; no run uses it."""
_SCORED, _SCORED_SIZE, _SCORED_FRAMES = 16, 128, 6


class WholeTrainer(Trainer[list[Part]]):
    """The painter learning in the network."""

    def __init__(self, options: argparse.Namespace, pictures: Pictures) -> None:
        self.options, self._pictures = options, pictures
        self._file: Path = options.checkpoint
        goes_on = self._file.exists()
        tensors, self._state = read_checkpoint(self._file if goes_on else options.begin)
        if goes_on and progress_of(self._state) is None:
            raise InputError(
                f"{self._file} is of a painter that was trained in cells: give it as --begin, and "
                "another file as --checkpoint."
            )
        sources = True if options.sources else None
        self.learner = Learner(tensors, self._state, sources)
        self._idle: SimpleQueue[Learner] = SimpleQueue()
        for _ in range(options.threads):
            self._idle.put(Learner(tensors, self._state, sources))
        self._workers = ThreadPoolExecutor(options.threads)
        before = progress_of(self._state) or WholeProgress()
        self.progress = WholeProgress(shots=before.shots, seconds=before.seconds, seed=options.seed)
        whole = self.learner.whole
        super().__init__(
            whole,
            Recipe(
                torch.optim.Adam(whole.parameters(), options.rate, (0.9, 0.98), 1e-6),
                Limits(options.minutes, options.steps or None, options.schedule),
                Schedule(options.rate, warm=50, fall=cosine(0.02)),
                RunningAverage(whole.state_dict(), options.average, early=10),
                clip=3.0,
            ),
        )
        if goes_on:
            self.progress = bring_back(tensors, self._state, whole, self.average.tensors, self._optimizer)
            self.step = self.progress.step
        self._cpu = time.process_time() - self.progress.seconds

    def batch(self, step: int) -> list[Part]:
        """The parts of one step, those that take longest first."""
        rng = np.random.default_rng([self.progress.seed, step, 2])
        parts: list[Part] = []
        for size, count in zip(self.options.sizes, self.options.batch, strict=True):
            # Numbers of one size are a run of their own: a shot is another at each size.
            shots = draw_shots(
                self._pictures, size, self.progress.seed, range(step * count, (step + 1) * count)
            )
            parts.append(MovingPart.drawn(rng, shots))
        return [*parts, PlainPart.drawn(rng), StillsPart.drawn(rng, self._pictures)]

    def backward(self, shown: list[Part]) -> dict[str, float]:
        """Learn from the parts side by side; gradients are summed in their order, whatever the threads."""
        now = self._network.state_dict()
        told: dict[str, float] = {}
        learned = list(self._workers.map(lambda part: self._gradients(part, now), shown))
        for gradients, parts in learned:
            for parameter, gradient in zip(self._network.parameters(), gradients, strict=True):
                if gradient is not None:
                    kept = parameter.grad
                    parameter.grad = gradient if kept is None else kept.add_(gradient)
            for name, value in parts.items():
                told[name] = told.get(name, 0.0) + value
        return told

    def _gradients(
        self, part: Part, now: dict[str, Tensor]
    ) -> tuple[Sequence[Tensor | None], dict[str, float]]:
        learner = self._idle.get()
        try:
            learner.whole.load_state_dict(now)
            with torch.autocast("cpu", torch.bfloat16, enabled=self.options.half):
                loss, parts = part.loss(learner)
            gradients = torch.autograd.grad(loss, list(learner.whole.parameters()), allow_unused=True)
        finally:
            self._idle.put(learner)
        return gradients, {"loss": float(loss.detach())} | parts

    def after_step(self) -> None:
        """Count, and round what a file holds rounded."""
        round_moments(self._optimizer)
        taken = next(iter(self._optimizer.state.values()), None)
        self.progress.step = self.step
        self.progress.taken = int(taken["step"]) if taken else 0
        self.progress.shots += sum(self.options.batch)
        self.progress.seconds = time.process_time() - self._cpu

    @torch.no_grad()
    def check(self) -> str:
        """Score shots that no step is shown: the averaged painter, and the network without one."""
        shots = draw_shots(self._pictures, _SCORED_SIZE, _SEED, range(_SCORED))
        scored, told = self._idle.get(), []
        for name in ("without", "painter"):
            scored.whole.load_state_dict(self.average.tensors)
            if name == "without":
                for parameter in scored.whole.painter.correction.parameters():
                    parameter.zero_()
            rolled = scored.whole.run(lambda network: roll_guided(network, shots, 0, 0, _SCORED_FRAMES))
            psnr, unsteady = hole_scores(shots, rolled)
            told.append(f"{name} {psnr:.2f} dB, unsteady {unsteady:.4f}")
        self._idle.put(scored)
        return "held out: " + "; ".join(told)

    def save(self) -> None:
        """Write the run's file, which is what others take, too."""
        average = self.average.tensors
        kept = kept_of(self.learner.whole, average, self._optimizer, self._state, self.progress)
        write_checkpoint(self._file, *kept)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m models.training.train_whole",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--checkpoint", type=Path, required=True, help="the run's file; gone on with if it is there")
    add(
        "--begin",
        type=Path,
        default=IN_CELLS,
        help="the painter that a new run begins from, in cells or whole",
    )
    add("--pictures", type=Path, nargs="*", default=[], help="folders of photographs; none: procedural only")
    add("--sources", action="store_true", help="the painter sees the frames beside, as one taught so does")
    add("--minutes", type=float, default=float("inf"), help="stop after so much wall-clock time of this run")
    add("--steps", type=int, default=0, help="stop after so many steps, over all runs; 0: no limit")
    add("--schedule", type=int, required=True, help="steps over which the rate falls to a fiftieth")
    add("--sizes", type=int, nargs="+", default=[256, 128], help="sides of the shots in pixels, of 32 each")
    add("--batch", type=int, nargs="+", default=[1, 4], help="shots a step of each size")
    add("--rate", type=float, default=3e-4, help="Adam's highest")
    add("--average", type=float, default=0.99, help="decay of the running average, which is what is exported")
    add("--seed", type=int, default=1, help="of a new run")
    add("--half", action="store_true", help="compute layers in bfloat16: quicker on a CPU that has it")
    add("--threads", type=int, default=1, help="parts of a step that are learned from side by side")
    add("--log-every", type=int, default=10, metavar="STEPS")
    add("--check-minutes", type=float, default=8.0, help="between checkpoints, each with scores; 0: none")
    options = parser.parse_args(arguments)
    if any(size % 32 for size in options.sizes):
        parser.error(f"--sizes must be multiples of 32, got {' '.join(map(str, options.sizes))}")
    if len(options.sizes) != len(options.batch):
        parser.error(f"--batch needs one number for each of the {len(options.sizes)} --sizes")
    return options


def train(options: argparse.Namespace) -> WholeTrainer:
    """Run until the steps or the minutes are used up; returns the trainer as it is then."""
    torch.set_num_threads(1)  # threads take parts of a step each: quicker than to share each layer
    try:
        pictures = Pictures(*options.pictures, without=HELD_OUT)
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
