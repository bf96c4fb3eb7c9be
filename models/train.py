"""Train VINet on synthetic shots: `python -m models.train --out runs/a --stage 1 --minutes 20`.

Stages build on one another (`--resume` goes on with a run, `--weights` starts one from another's weights):

1. moving shots without flow nets: encoders, aggregators, masks, bottleneck, memory and decoder learn to fill,
   and to leave alone what other frames show in the wrong place;
2. the flow nets alone, held against the exact flows of moving shots;
3. everything together on moving shots, sources warped by the exact flows half of the time;
4. longer rollouts on the network's own flows, its own output fed back, the first frames without gradients.

A run is a folder: `checkpoint.pt` (everything needed to go on exactly), `weights.safetensors` (the running
average of the weights, which is what ships), `log.txt` and sample sheets. The same seed and steps give the
same numbers on the same machine. `--minutes` stops a run at any step and never changes what a step does, but
for the learning rate, which decays over `--schedule` steps when that is given and over the minutes when not.
"""

from __future__ import annotations

import argparse
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from .losses import flow_loss, masked_l1, picture_loss
from .synthetic import ShotSettings, make_shot
from .synthetic_pictures import Pictures
from .train_init import initial_network, wired
from .train_rollout import Batch, Stepped, Teacher, estimate_flows, roll
from .train_samples import write_sheet
from .vinet import VINet, warp

log = logging.getLogger("models.train")


@dataclass(frozen=True)
class Stage:
    """What changes from stage to stage.

    Attributes:
        frames: length of the shots.
        warm: largest number of frames run without gradients first.
        learn: frames with gradients; 0 trains the flow nets alone.
        estimated: scales whose flow nets run.
        teach: share of steps that warp by the exact flows.
        flow_weight: weight of the flow loss.
    """

    frames: int
    warm: int
    learn: int
    estimated: frozenset[int]
    teach: float
    flow_weight: float


STAGES = {
    1: Stage(frames=13, warm=2, learn=1, estimated=frozenset(), teach=1.0, flow_weight=0.0),
    2: Stage(frames=13, warm=0, learn=0, estimated=frozenset({8, 4}), teach=0.0, flow_weight=1.0),
    3: Stage(frames=13, warm=1, learn=1, estimated=frozenset({8, 4}), teach=0.5, flow_weight=0.2),
    4: Stage(frames=15, warm=8, learn=2, estimated=frozenset({8, 4}), teach=0.0, flow_weight=0.2),
}


def rollout_loss(batch: Batch, steps: list[Stepped], flow_weight: float) -> tuple[Tensor, dict[str, float]]:
    """The loss of a rollout, mean over its frames, and its parts for the log."""
    total = batch.seen.new_zeros(())
    parts: dict[str, float] = {}
    for n, step in enumerate(steps):
        clean, mask = batch.clean[:, step.frame], batch.masks[:, step.frame]
        output = step.result.output.float()
        losses = {"output": picture_loss(output, clean, mask)}
        if not step.first:
            losses["raw"] = 0.5 * picture_loss(step.result.raw.float(), clean, mask)
        if n > 0:
            losses["steady"] = steadiness(batch, steps[n - 1], step)
        if step.teacher.guess and flow_weight:
            losses["flow"] = flow_weight * guess_loss(step.teacher, mask)
        total = total + sum(losses.values(), torch.zeros(()))
        parts |= {name: float(value.detach()) for name, value in losses.items()}
        parts["hole"] = float(masked_l1(output.detach(), clean, mask))
    return total / len(steps), parts


def steadiness(batch: Batch, before: Stepped, now: Stepped) -> Tensor:
    """L1 between a fill and the previous output carried along the exact flow, in the hole."""
    pairs = [shot.flow(now.frame, before.frame) for shot in batch.shots]
    flow = torch.stack([flow for flow, _ in pairs])
    carried = warp(before.result.output.float(), flow, "border")
    exact = warp(batch.clean[:, before.frame], flow, "border")
    same = (exact - batch.clean[:, now.frame]).abs().mean(dim=1, keepdim=True) < 0.05
    return masked_l1(now.result.output.float(), carried, batch.masks[:, now.frame] * same)


def guess_loss(teacher: Teacher, mask: Tensor) -> Tensor:
    """End-point error at every estimated scale: everywhere, and twice more in the hole."""
    total = torch.zeros(())
    for level, guess in teacher.guess.items():
        hole = torch.nn.functional.avg_pool2d(mask, mask.shape[-1] // guess.shape[-1]).repeat_interleave(
            5, dim=0
        )
        total = total + level * flow_loss(guess, teacher.exact[level], 1 + 2 * hole)
    return total


def flow_errors(teacher: Teacher, mask: Tensor) -> dict[str, float]:
    """Mean end-point error in the hole in pixels of the 512 variant's picture, and that of no flow at all."""
    finest = min(teacher.guess)
    hole = torch.nn.functional.avg_pool2d(mask, 2 * finest).repeat_interleave(5, dim=0)
    exact = teacher.exact[finest]
    missed = ((teacher.guess[finest].detach() - exact) ** 2).sum(dim=1, keepdim=True).sqrt()
    moved = (exact**2).sum(dim=1, keepdim=True).sqrt()
    return {
        name: 2 * finest * float((error * hole).sum() / hole.sum().clamp(min=1))
        for name, error in (("missed", missed), ("moved", moved))
    }


class Trainer:
    """Network, optimizer, running average and counters of one run."""

    def __init__(self, options: argparse.Namespace, pictures: Pictures) -> None:
        self.options, self.pictures = options, pictures
        self.stage = STAGES[options.stage]
        self.shot = ShotSettings(options.size, self.stage.frames, largest_hole=options.largest_hole)
        self.network = initial_network(512, options.seed)
        if options.weights:
            self.network.load_state_dict(load_file(options.weights))
        self.average = {key: value.clone() for key, value in self.network.state_dict().items()}
        self.optimizer = self._optimizer()
        self.mask = wired(512) if options.wired_only else {}
        self.step, self.minutes = 0, 0.0
        self.checkpoint = options.out / "checkpoint.pt"
        if options.resume:
            self._restore()

    def _optimizer(self) -> torch.optim.Optimizer:
        """Adam, slow for the hand-wired part and faster for the flow nets, which start from nothing."""
        groups: dict[bool, list[torch.nn.Parameter]] = {False: [], True: []}
        for name, parameter in self.network.named_parameters():
            groups[name.startswith("flownet")].append(parameter)
        return torch.optim.Adam(
            [
                {"params": groups[False], "share": 1.0},
                {"params": groups[True], "share": self.options.flow_lr},
            ],
            lr=self.options.lr,
            betas=(0.9, 0.99),
        )

    def batch(self, step: int) -> Batch:
        """The shots of one step; they depend on the seed and the step alone."""
        first = step * self.options.batch
        indices = range(first, first + self.options.batch)
        return Batch.of(make_shot(self.pictures, self.shot, self.options.seed, i) for i in indices)

    def learn(self, batch: Batch) -> tuple[float, dict[str, float]]:
        """One step of the optimizer; returns the loss and its parts."""
        rng = np.random.default_rng([self.options.seed, self.step, 1])
        warm = int(rng.integers(self.stage.warm + 1))
        begin = int(rng.integers(self.stage.frames))
        teach = rng.random() < self.stage.teach
        with torch.autocast("cpu", torch.bfloat16, enabled=self.options.bf16):
            loss, parts = self._loss(batch, begin, warm, teach)
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        for name, parameter in self.network.named_parameters():
            if name in self.mask and parameter.grad is not None:
                parameter.grad *= self.mask[name]
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.options.clip)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate() * group["share"]
        if bool(torch.isfinite(norm)):
            self.optimizer.step()
        self.step += 1
        self._update_average()
        return float(loss.detach()), parts | {"norm": float(norm)}

    def _loss(self, batch: Batch, begin: int, warm: int, teach: bool) -> tuple[Tensor, dict[str, float]]:
        stage = self.stage
        if not stage.learn:
            teacher = estimate_flows(self.network, batch, begin, stage.estimated)
            with torch.autocast("cpu", enabled=False):
                loss = stage.flow_weight * guess_loss(teacher, batch.masks[:, begin])
            return loss, flow_errors(teacher, batch.masks[:, begin])
        steps = roll(self.network, batch, begin, warm, stage.learn, estimated=stage.estimated, teach=teach)
        with torch.autocast("cpu", enabled=False):
            return rollout_loss(batch, steps, stage.flow_weight)

    def rate(self) -> float:
        """Learning rate: a short rise, then half a cosine down to a fiftieth."""
        done = (
            self.step / self.options.schedule
            if self.options.schedule
            else self.minutes / self.options.minutes
        )
        cosine = 0.5 * (1 + np.cos(np.pi * min(done, 1.0)))
        return float(self.options.lr * min(1.0, (self.step + 1) / 100) * (0.02 + 0.98 * cosine))

    @torch.no_grad()
    def _update_average(self) -> None:
        decay = min(self.options.average, (1 + self.step) / (10 + self.step))
        for key, value in self.network.state_dict().items():
            self.average[key].lerp_(value, 1 - decay)

    def averaged(self) -> VINet:
        """A copy of the network with the averaged weights."""
        network = VINet(512)
        network.load_state_dict(self.average)
        return network.eval()

    def save(self) -> None:
        """Write checkpoint and averaged weights; a reader never sees half a file."""
        state: dict[str, Any] = {
            "network": self.network.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "minutes": self.minutes,
        }
        partial = self.checkpoint.with_suffix(".part")
        torch.save(state, partial)
        partial.replace(self.checkpoint)
        write_weights(self.average, self.options.out / "weights.safetensors")

    def _restore(self) -> None:
        state = torch.load(self.checkpoint, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average = state["average"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.minutes = state["step"], state["minutes"]


def write_weights(weights: dict[str, Tensor], path: Path) -> None:
    """Write weights as safetensors, whole or not at all."""
    partial = path.with_suffix(".part")
    save_file({key: value.contiguous() for key, value in weights.items()}, partial)
    partial.replace(path)


def train(options: argparse.Namespace) -> Trainer:
    """Run until the steps or the minutes are used up; returns the trainer as it stands then."""
    options.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    pictures = Pictures(*options.pictures, seed=options.seed)
    trainer = Trainer(options, pictures)
    log.info("%d photographs; %s", pictures.photographs, vars(options))
    begun, before = time.monotonic(), trainer.minutes
    noted, sampled, waited = begun, begun, 0.0
    with ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(trainer.batch, trainer.step)
        while not (options.steps and trainer.step >= options.steps) and trainer.minutes < options.minutes:
            asked = time.monotonic()
            batch = coming.result()
            waited += time.monotonic() - asked
            coming = ahead.submit(trainer.batch, trainer.step + 1)
            loss, parts = trainer.learn(batch)
            now = time.monotonic()
            trainer.minutes = before + (now - begun) / 60
            if trainer.step % options.log_every == 0:
                detail = " ".join(f"{name} {value:.3f}" for name, value in parts.items())
                pace = options.log_every / (now - noted)
                log.info(
                    "step %d  min %.1f  loss %.3f  %s  %.2f steps/s  waited %.0f%%  lr %.1e",
                    trainer.step,
                    trainer.minutes,
                    loss,
                    detail,
                    pace,
                    100 * waited / (now - noted),
                    trainer.rate(),
                )
                noted, waited = now, 0.0
            if options.sample_minutes and now - sampled > 60 * options.sample_minutes:
                sampled = now
                trainer.save()
                _sample(trainer, pictures)
    trainer.save()
    if options.sample_minutes:
        _sample(trainer, pictures)
    return trainer


def _sample(trainer: Trainer, pictures: Pictures) -> None:
    options = trainer.options
    score = write_sheet(
        trainer.averaged(), pictures, options.size, options.out / f"sample_{trainer.step:06d}.png"
    )
    log.info("step %d  sample sheet: hole %.2f dB", trainer.step, score)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--out", type=Path, required=True, help="folder of the run")
    add("--pictures", type=Path, nargs="*", default=[], help="folders of photographs; none: procedural only")
    add("--stage", type=int, choices=sorted(STAGES), default=1)
    add("--minutes", type=float, default=30.0, help="stop after this much wall-clock time, over all resumes")
    add("--steps", type=int, default=0, help="stop after this many steps, over all resumes; 0: no limit")
    add("--schedule", type=int, default=0, help="steps over which the rate decays; 0: over --minutes")
    add("--size", type=int, default=128, help="side of the frames in pixels, a multiple of 32")
    add("--batch", type=int, default=8)
    add("--lr", type=float, default=3e-4, help="right for --wired-only; everything at once wants far less")
    add("--flow-lr", type=float, default=6.0, help="the flow nets' learning rate as a multiple of --lr")
    add("--clip", type=float, default=5.0, help="largest norm of the gradient")
    add("--average", type=float, default=0.998, help="decay of the running average of the weights")
    add("--largest-hole", type=float, default=0.6, help="largest side of a hole as a fraction of the frame's")
    add("--wired-only", action="store_true", help="train the hand-wired weights and composition masks only")
    add("--weights", type=Path, help="start from these weights (safetensors)")
    add("--resume", action="store_true", help="go on with the run in --out exactly where it stopped")
    add("--seed", type=int, default=1)
    add("--threads", type=int, default=2)
    add("--bf16", action=argparse.BooleanOptionalAction, default=True, help="convolve in bfloat16")
    add("--log-every", type=int, default=20)
    add("--sample-minutes", type=float, default=4.0, help="minutes between checkpoints and sheets; 0: none")
    options = parser.parse_args(arguments)
    if options.size % 32:
        parser.error(f"--size must be a multiple of 32, got {options.size}")
    if options.resume and options.weights:
        parser.error("--resume goes on with its own weights; leave --weights out")
    return options


def main() -> None:
    """The command."""
    options = parse()
    options.out.mkdir(parents=True, exist_ok=True)
    handlers: list[logging.Handler] = [logging.StreamHandler(), logging.FileHandler(options.out / "log.txt")]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", handlers=handlers)
    train(options)


if __name__ == "__main__":
    main()
