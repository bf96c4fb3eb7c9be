"""Train the painter: `python -m models.painter.train --data PHOTOS --checkpoint FILE --minutes 60`.

What there is of the run in FILE is gone on with, exactly: the numbers of step n depend on the seed and n
alone, never on when the run was broken off. It stops after `--minutes` or at `--until-steps`, or when it is
told to (SIGTERM, Ctrl-C); it then goes on to the next step that a checkpoint can keep, a few seconds.

The rate is flat up to half of `--steps` and falls to a hundredth at its end. A run whose length is not known
begins with many; to end it well, name a few more than it has done: it then cools down over those.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

from plugin_core.errors import CleanplateError, InputError

from ..synthetic.pictures import Pictures
from .held_out import HeldOut
from .measures import Score
from .samples import HELD_OUT
from .stopping import listening
from .trainer import Settings, Trainer, open_trainer

log = logging.getLogger("models.painter.train")


class _Pace:
    """Means of the losses, and samples a second, since it was last told."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self._restart()

    def _restart(self) -> None:
        self._losses: list[Mapping[str, float]] = []
        self._samples = self._trainer.samples
        self._wall, self._cpu = time.monotonic(), time.process_time()

    def add(self, losses: Mapping[str, float]) -> None:
        self._losses.append(losses)

    def tell(self) -> None:
        trainer = self._trainer
        keys = dict.fromkeys(key for each in self._losses for key in each)  # a small batch may have none deaf
        means = " ".join(
            f"{key} {np.mean([each[key] for each in self._losses if key in each]):.4f}" for key in keys
        )
        made = trainer.samples - self._samples
        log.info(
            "step %d, %d samples, %.2f CPU hours: %s; %.1f samples/s, %.1f a CPU second; rate %.2e",
            trainer.step,
            trainer.samples,
            trainer.seconds / 3600,
            means,
            made / (time.monotonic() - self._wall),
            made / (time.process_time() - self._cpu),
            trainer.rate(),
        )
        self._restart()


def _listed(scores: Mapping[str, Score]) -> str:
    return ", ".join(f"{name} {score}" for name, score in scores.items())


def _check(trainer: Trainer, held_out: HeldOut) -> None:
    painter = trainer.averaged()
    log.info("held out at step %d: %s", trainer.step, _listed(held_out.painter(painter)))
    log.info("held out at step %d, deaf: %s", trainer.step, _listed(held_out.deaf(painter)))
    log.info("silent channels at step %d: %s", trainer.step, held_out.silent(trainer.painter) or "none")


def run(trainer: Trainer, held_out: HeldOut | None, options: argparse.Namespace) -> None:
    """Train until the steps or the minutes are used up, or a signal asks to stop; writes the checkpoint."""
    began = saved = time.monotonic()
    cpu_before, spent_before = time.process_time(), trainer.seconds
    checked = cpu_before
    pace = _Pace(trainer)
    with listening() as asked:
        while True:
            now = time.monotonic()
            trainer.seconds = spent_before + time.process_time() - cpu_before
            over = asked.to_stop or now - began > 60 * options.minutes or trainer.step >= options.until_steps
            if trainer.may_save():
                if over:
                    break
                if now - saved > 60 * options.save_minutes:
                    saved = now
                    trainer.save(options.checkpoint)
                if held_out and time.process_time() - checked > 60 * options.check_minutes:
                    checked = time.process_time()
                    _check(trainer, held_out)
            pace.add(trainer.learn())
            if trainer.step % options.log_every == 0:
                pace.tell()
    trainer.save(options.checkpoint)
    log.info("kept step %d in %s", trainer.step, options.checkpoint)
    if held_out and not asked.to_stop:
        _check(trainer, held_out)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m models.painter.train",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--data", type=Path, nargs="+", required=True, metavar="FOLDER", help="folders of photographs")
    add("--checkpoint", type=Path, required=True, help="the run's file; gone on with if it is there")
    add(
        "--steps",
        type=int,
        help="at whose end the rate has fallen to a hundredth; the run's own if not given",
    )
    add("--deaf", type=float, help="share of samples that hear no fill; the run's own if not given")
    add("--hard", type=float, help="share of samples with a hole of whole cells; the run's own if not given")
    add("--beside", type=float, help="share of samples with a source beside; the run's own if not given")
    add(
        "--half",
        action=argparse.BooleanOptionalAction,
        help="compute in bfloat16: quicker on a CPU that has it; the run's own if not given",
    )
    add(
        "--from-whole",
        action="store_true",
        help="first begin the correction anew, as the whole picture less the heard fill; not at a resume",
    )
    add("--until-steps", type=int, default=sys.maxsize, help="stop at this step, over all runs")
    add("--minutes", type=float, default=float("inf"), help="stop after so many minutes of this run")
    add("--seed", type=int, default=Settings().seed, help="of a new run")
    add("--rate", type=float, default=Settings().rate, help="Adam's highest, of a new run")
    add(
        "--average", type=float, default=Settings().average, help="decay of the running average, of a new run"
    )
    add("--side", type=int, choices=(32, 64, 96), help="only samples of so many cells, in a new run")
    add("--save-minutes", type=float, default=5, help="between checkpoints")
    add(
        "--check-minutes", type=float, default=30, help="CPU time between scores on what is held out; 0: none"
    )
    add("--log-every", type=int, default=200, metavar="STEPS")
    add("--threads", type=int, default=1)
    return parser


def _settings(options: argparse.Namespace) -> Settings:
    shares = {options.side: 1.0} if options.side else Settings().shares
    batch = {side: count for side, count in Settings().batch.items() if side in shares}
    return Settings(seed=options.seed, rate=options.rate, average=options.average, shares=shares, batch=batch)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train from the command line; the exit code."""
    options = _arguments().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%m-%d %H:%M:%S")
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    try:
        try:
            pictures = Pictures(*options.data, procedural=0, without=HELD_OUT)
        except ValueError as error:
            raise InputError(str(error)) from error
        changeable = ("steps", "deaf", "hard", "beside", "half")
        changed = {name: value for name in changeable if (value := getattr(options, name)) is not None}
        trainer = open_trainer(options.checkpoint, pictures, _settings(options), **changed)
        if options.from_whole:
            trainer.correct_by_whole()
        held_out = HeldOut(tuple(options.data), trainer.hearing) if options.check_minutes else None
        log.info("%d photographs; from step %d: %s", pictures.photographs, trainer.step, trainer.settings)
        if held_out and trainer.step == 0:
            for method, scores in held_out.baselines().items():
                log.info("held out, %s: %s", method, _listed(scores))
        run(trainer, held_out, options)
    except CleanplateError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
