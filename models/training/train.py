"""Train VINet on synthetic shots: `python -m models.training.train --out runs/a --stage 1 --minutes 20`.

Stages build on one another (`--resume` goes on with a run, `--weights` starts one from another's weights):

1. moving shots without flow nets: encoders, aggregators, masks, bottleneck, memory and decoder learn to fill,
   and to leave alone what other frames show in the wrong place;
2. the flow nets alone, held against the exact flows of moving shots;
3. everything together on moving shots, sources warped by the exact flows half of the time;
4. recurrence: longer rollouts on the network's own flows and its own output, the first frames without
   gradients, then several with them, the memory carried through (truncated back-propagation through time).

The published three stages are 1 to 3 of one source, of four, and of recurrence; ours teach the flow apart,
because exact flows are known here.

A run is a folder: `checkpoint/` (everything needed to go on exactly) and `weights/` (the running average of
the weights, which is what ships), both in files of at most 16 MB, `log.txt` and sample sheets. The same seed
and steps give the same numbers on the same machine. `--minutes` stops a run at any step and never changes
what a step does, but for the learning rate, which decays over `--schedule` steps when that is given and over
the minutes when not. `--measure` trains nothing: it says what share of the device's rate a step reaches.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..network.tensor_folder import read_tensors, write_folder
from ..network.vinet import VINet
from ..synthetic.pictures import Pictures
from ..synthetic.shot import ShotSettings, make_shot
from ..wiring.start import initial_network, lean_start, wired
from .measure import counted, device_rate, now
from .pace import Limits, RunningAverage, Schedule, cosine
from .rollout import Batch, estimate_flows, roll
from .rollout_loss import flow_errors, guess_loss, rollout_loss
from .samples import write_sheet
from .trainer import FolderTrainer, Recipe, run

log = logging.getLogger("models.training.train")


@dataclass(frozen=True)
class Stage:
    """What changes from stage to stage.

    Attributes:
        frames: length of the shots.
        warm: largest number of frames run without gradients first.
        learn: frames with gradients; 0 trains the flow nets alone.
        flows: whether the flow nets run (those of `--scales`).
        teach: share of steps that warp by the exact flows.
        flow_weight: weight of the flow loss.
    """

    frames: int
    warm: int
    learn: int
    flows: bool
    teach: float
    flow_weight: float


STAGES = {
    1: Stage(frames=13, warm=2, learn=1, flows=False, teach=1.0, flow_weight=0.0),
    2: Stage(frames=13, warm=0, learn=0, flows=True, teach=0.0, flow_weight=1.0),
    3: Stage(frames=13, warm=1, learn=2, flows=True, teach=0.5, flow_weight=0.2),
    4: Stage(frames=15, warm=8, learn=4, flows=True, teach=0.0, flow_weight=0.2),
}


class RolloutTrainer(FolderTrainer[Batch]):
    """VINet learning from rollouts over synthetic shots."""

    def __init__(self, options: argparse.Namespace, pictures: Pictures) -> None:
        self.options, self.pictures = options, pictures
        self.stage = STAGES[options.stage]
        self.device = torch.device(options.device)
        self.scales = frozenset(options.scales) if self.stage.flows else frozenset()
        self.shot = ShotSettings(options.size, self.stage.frames, largest_hole=options.largest_hole)
        start = lean_start if options.lean else initial_network
        self.network = start(512, options.seed)
        if options.weights:
            self.network.load_state_dict(read_tensors(options.weights))
        self.network.to(self.device)
        masks = wired(512) if options.wired_only else {}
        self.mask = {key: value.to(self.device) for key, value in masks.items()}
        super().__init__(
            self.network,
            Recipe(
                self._adam(),
                Limits(options.minutes, options.steps or None, options.schedule or None),
                Schedule(options.lr, warm=100, fall=cosine(0.02)),
                RunningAverage(self.network.state_dict(), options.average, early=10),
                options.clip,
            ),
            options.out,
        )
        if options.resume:
            self.resume()

    def _adam(self) -> torch.optim.Optimizer:
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
        return Batch.of(
            make_shot(self.pictures, self.shot, self.options.seed, index, self.device) for index in indices
        )

    def loss(self, shown: Batch) -> tuple[Tensor, dict[str, float]]:
        """The loss of a rollout over the shots, or that of their flows alone."""
        stage = self.stage
        rng = np.random.default_rng([self.options.seed, self.step, 1])
        warm = int(rng.integers(stage.warm + 1))
        begin = int(rng.integers(stage.frames))
        teach = rng.random() < stage.teach
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.options.bf16):
            if not stage.learn:
                teacher = estimate_flows(self.network, shown, begin, self.scales)
                with torch.autocast(self.device.type, enabled=False):
                    loss = stage.flow_weight * guess_loss(teacher, shown.masks[:, begin])
                return loss, flow_errors(teacher, shown.masks[:, begin])
            steps = roll(self.network, shown, begin, warm, stage.learn, estimated=self.scales, teach=teach)
            with torch.autocast(self.device.type, enabled=False):
                return rollout_loss(shown, steps, stage.flow_weight)

    def edit_gradients(self) -> None:
        """Keep those of the hand-wired weights alone, where only they are to learn."""
        for name, parameter in self.network.named_parameters():
            if name in self.mask and parameter.grad is not None:
                parameter.grad *= self.mask[name]

    def averaged(self) -> VINet:
        """A copy of the network with the averaged weights."""
        network = VINet(512)
        network.load_state_dict(self.average.tensors)
        return network.eval()

    def check(self) -> str:
        """Write a sample sheet, and score it."""
        sheet = self.options.out / f"sample_{self.step:06d}.png"
        score = write_sheet(self.averaged(), self.pictures, self.options.size, sheet)
        return f"sample sheet: hole {score:.2f} dB"

    def write(self) -> None:
        """Write the averaged weights."""
        write_folder(self.options.out / "weights", self.average.tensors, {"step": self.step})

    def measure(self, steps: int) -> dict[str, float]:
        """Run steps, data and all, and say what they reach of the device's rate; see `measure`."""
        element = torch.bfloat16 if self.options.bf16 else torch.float32
        peak = device_rate(self.device, element)
        operations = counted(lambda: self.learn(self.batch(self.step)))
        before = now(self.device)
        waited = 0.0
        for _ in range(steps):
            asked = now(self.device)
            batch = self.batch(self.step)
            waited += now(self.device) - asked
            self.learn(batch)
        spent = now(self.device) - before
        return {
            "device_gflops": peak / 1e9,
            "step_gflop": operations / 1e9,
            "step_seconds": spent / steps,
            "reached": operations * steps / spent / peak,
            "data_share": waited / spent,
        }


def train(options: argparse.Namespace) -> RolloutTrainer:
    """Run until the steps or the minutes are used up; returns the trainer as it is then."""
    options.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    pictures = Pictures(*options.pictures, seed=options.seed)
    trainer = RolloutTrainer(options, pictures)
    log.info("%d photographs; %s", pictures.photographs, vars(options))
    run(trainer, log_every=options.log_every, check_minutes=options.sample_minutes)
    return trainer


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
    add("--lean", action="store_true", help="start from the wiring with matching channels alone")
    add("--scales", type=int, nargs="*", choices=(8, 4, 2), default=[8, 4], help="flow nets that run")
    add("--weights", type=Path, help="start from these weights: a run's weights/ or a safetensors file")
    add("--resume", action="store_true", help="go on with the run in --out exactly where it stopped")
    add("--seed", type=int, default=1)
    add("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    add("--threads", type=int, default=2)
    add("--measure", type=int, default=0, metavar="STEPS", help="measure this many steps, and do no more")
    add("--bf16", action=argparse.BooleanOptionalAction, default=True, help="convolve in bfloat16")
    add("--log-every", type=int, default=20)
    add("--sample-minutes", type=float, default=4.0, help="minutes between checkpoints and sheets; 0: none")
    options = parser.parse_args(arguments)
    if options.size % 32:
        parser.error(f"--size must be a multiple of 32, got {options.size}")
    if options.resume and options.weights:
        parser.error("--resume goes on with its own weights; leave --weights out")
    if options.resume and not (options.out / "checkpoint").is_dir():
        parser.error(f"--resume: there is no checkpoint in {options.out}")
    return options


def main() -> None:
    """The command."""
    options = parse()
    options.out.mkdir(parents=True, exist_ok=True)
    handlers: list[logging.Handler] = [logging.StreamHandler(), logging.FileHandler(options.out / "log.txt")]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", handlers=handlers)
    if options.measure:
        torch.set_num_threads(options.threads)
        trainer = RolloutTrainer(options, Pictures(*options.pictures, seed=options.seed))
        figures = trainer.measure(options.measure)
        log.info(
            "%s: %s", options.device, "  ".join(f"{name} {value:.3g}" for name, value in figures.items())
        )
        return
    train(options)


if __name__ == "__main__":
    main()
