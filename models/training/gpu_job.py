"""Train on a card that is lent for a quarter of an hour: `python -m models.training.gpu_job`.

It needs PyTorch and this repository, and nothing else. On any machine first, pack the photographs:

    python -m models.training.pack_crops --data PHOTOS [MORE ...] --out crops

Then, on the card, one command; it takes 11 minutes and leaves files of at most 16 MB:

    python -m models.training.gpu_job --crops crops --out painted

Half of the time belongs to the painter in cells, a fifth to flow, the rest to the painter in the network with
sources, state and what is fed back. All data lies on the device: crops as bytes; holes, geometry and motion
are drawn there.

- `checkpoint.safetensors`: the painter, begun from the committed checkpoint's averaged weights and Adam's
  moments; `models.painter.train` goes on from it.
- `flow.safetensors`: votes for flow at s4; a later job in the same folder goes on from them.
- `whole.safetensors`: the painter in the network, begun from this painter, or from `--whole`;
  `models.painter.export` exports it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from ..painter.kept import IN_CELLS, kept_painter, part
from ..painter.losses import cell_losses, learned_from
from ..painter.measures import Scores
from ..painter.network import Painter, Widths, seen_by_painter
from .card_parts import LARGEST_FILE, FlowPart, WholePart, read_painter
from .device_samples import DeviceSamples
from .plain_tensors import write_tensors

_WARM = 50
_AVERAGE = 0.998
_CLIP = 3.0


@dataclass(frozen=True)
class Plan:
    """How a run goes.

    Attributes:
        minutes: all of it, checks and files too.
        batch: samples a step of 32 cells a side; of larger ones there are as many fewer.
        rate: Adam's, at its highest: it is flat for half of the time and falls to a hundredth.
        sides: cells a side, by turns.
        steps: stop each part there, however much time is left; None for never.
        shots: moving shots a step of the flow; there are a quarter as many in the network.
        size: their side in pixels.
        parts: what is done, of `SHARES`.
    """

    minutes: float = 11.0
    batch: int = 512
    rate: float = 1e-3
    sides: tuple[int, ...] = (32, 64, 32, 96)
    steps: int | None = None
    shots: int = 64
    size: int = 192
    parts: tuple[str, ...] = ("painter", "flow", "whole")


SHARES = {"painter": 0.5, "flow": 0.2, "whole": 0.3}
"""Of the time, where all is done."""


class Part(Protocol):
    """What the job spends its time on."""

    steps: int
    seen: int

    def learn(self, share: float) -> Tensor:
        """Take a step; `share` of the part's time has gone. Returns its loss, on the device."""
        ...

    def scores(self) -> dict[str, str]:
        """Scores of what is never trained on."""
        ...

    def save(self, out: Path) -> Path:
        """Write the part's file."""
        ...


class Job:
    """The painter on a device, and how far it is.

    Args:
        checkpoint: of `models.painter`, gone on with.
        crops: folder of packed crops.
        plan: how it goes.
        device: where; bf16 on a card.
    """

    def __init__(self, checkpoint: Path, crops: Path, plan: Plan, device: torch.device) -> None:
        self.plan, self.device = plan, device
        self._kept, self._told = read_painter(checkpoint)
        self._state: dict[str, Any] = json.loads(self._told["painter"])
        painter, hearing = kept_painter(self._kept, self._state)
        self.painter, self.hearing = painter.to(device), hearing.to(device)
        for conv in self.painter.modules():  # quicker so, on a card and on a CPU
            if isinstance(conv, torch.nn.Conv2d):
                conv.weight.data = conv.weight.data.contiguous(memory_format=torch.channels_last)
        self.samples = DeviceSamples(crops, device, seed=int(self._state["step"]))
        self.average = {key: value.clone() for key, value in self.painter.state_dict().items()}
        fused = device.type == "cuda"
        self.adam = torch.optim.Adam(self.painter.parameters(), plan.rate, (0.9, 0.98), 1e-6, fused=fused)
        self._take_moments()
        self.steps, self.seen, self._began = 0, 0, time.monotonic()

    def _take_moments(self) -> None:
        moments = {name: part(self._kept, name) for name in ("exp_avg", "exp_avg_sq")}
        for key, parameter in self.painter.named_parameters():
            if key in moments["exp_avg"]:
                kept = {name: torch.empty_like(parameter).copy_(of[key]) for name, of in moments.items()}
                taken = torch.tensor(float(self._state["taken"]), device=self.device)
                self.adam.state[parameter] = {"step": taken} | kept

    def learn(self, share: float) -> Tensor:
        """Take a step; `share` of the time has gone. Returns the correction's loss, on the device."""
        plan = self.plan
        side = plan.sides[self.steps % len(plan.sides)]
        count = max(2, round(plan.batch * (32 / side) ** 2))
        told = self._state["settings"]
        picture, known = self.samples.draw(count, side, told["hard"])
        beside = self.samples.beside(picture, known, told["beside"]) if told["beside"] else None
        rate = plan.rate * min(1.0, (self.steps + 1) / _WARM) * min(1.0, max(0.01, 2 * (1 - share)))
        for group in self.adam.param_groups:
            group["lr"] = rate
        self.adam.zero_grad(set_to_none=True)
        half = self.device.type == "cuda"
        losses = cell_losses(self.painter, self.hearing, picture, known, beside, deaf=told["deaf"], half=half)
        torch.autograd.backward(learned_from(losses))
        norm = torch.nn.utils.clip_grad_norm_(self.painter.parameters(), _CLIP)
        if bool(torch.isfinite(norm)):
            self.adam.step()
        self._follow()
        self.steps += 1
        self.seen += count
        return losses["correction"].detach()

    @torch.no_grad()
    def _follow(self) -> None:
        decay = min(_AVERAGE, self.steps / (self.steps + 10))
        for key, value in self.painter.state_dict().items():
            self.average[key].lerp_(value, 1 - decay)

    @torch.no_grad()
    def scores(self) -> dict[str, str]:
        """Hole scores on crops that are never trained on: the heard fill's, and the painter's."""
        painter = Painter(Widths(*self._state["settings"]["widths"]), self.hearing.carriers)
        painter.load_state_dict(self.average)
        painter.to(self.device).eval()
        heard_scores, own = Scores(), Scores()
        for picture, known in self.samples.held_out():
            heard = self.hearing(picture, known)
            fill = heard.fill + painter(seen_by_painter(picture, known), heard).correction
            heard_scores.add(heard.fill, picture, 1 - known)
            own.add(fill, picture, 1 - known)
        return {"heard": str(heard_scores.result()), "painter": str(own.result())}

    def save(self, out: Path) -> Path:
        """Write a checkpoint that the painter's training goes on from."""
        names = [name for name, _ in self.painter.named_parameters()]
        state = self.adam.state_dict()["state"]
        tensors = {f"painter.{key}": value for key, value in self.painter.state_dict().items()}
        tensors |= {f"average.{key}": value for key, value in self.average.items()}
        for number, kept in state.items():
            for name in ("exp_avg", "exp_avg_sq"):
                tensors[f"{name}.{names[number]}"] = kept[name].bfloat16()
        tensors |= {key: value for key, value in self._kept.items() if key.startswith("interpolation.")}
        grid = int(self._state["settings"]["grid"])
        told = self._state | {
            # Training goes on at multiples of the grid alone.
            "step": (int(self._state["step"]) + self.steps) // grid * grid,
            "taken": int(state[0]["step"]) if state else 0,
            "samples": int(self._state["samples"]) + self.seen,
            "seconds": float(self._state["seconds"]) + time.monotonic() - self._began,
        }
        about = self._told | {"painter": json.dumps(told)}
        return write_tensors(out / "checkpoint.safetensors", tensors, about, LARGEST_FILE)


def run(
    checkpoint: Path, crops: Path, out: Path, plan: Plan, device: torch.device, whole: Path | None = None
) -> dict[str, dict[str, object]]:
    """Train, check and write; returns what was printed of each part at its end."""
    out.mkdir(parents=True, exist_ok=True)
    together = sum(SHARES[name] for name in plan.parts)
    said = {}
    for name in plan.parts:
        seconds = 60 * plan.minutes * SHARES[name] / together
        began = time.monotonic()
        said[name] = _spend(
            _opened(name, checkpoint, crops, out, plan, device, whole), out, plan, began, seconds
        )
        print(json.dumps({"part": name, "device": str(device)} | said[name]), flush=True)
    return said


def _opened(
    name: str, checkpoint: Path, crops: Path, out: Path, plan: Plan, device: torch.device, whole: Path | None
) -> Part:
    if name == "painter":
        return Job(checkpoint, crops, plan, device)
    if name == "flow":
        before = out / "flow.safetensors"
        return FlowPart(crops, before if before.is_file() else None, plan.shots, plan.size, device)
    painted = out / "checkpoint.safetensors"
    begun = whole or (painted if painted.is_file() else checkpoint)
    return WholePart(begun, crops, max(1, plan.shots // 4), plan.size, device)


def _spend(part: Part, out: Path, plan: Plan, began: float, seconds: float) -> dict[str, object]:
    """Spend a part's time on it; its last seconds belong to the check and the file."""
    print(f"before: {part.scores()}", flush=True)
    told, losses, spare = time.monotonic(), [], min(15.0, seconds / 4)
    while (gone := time.monotonic() - began) < seconds - spare and part.steps != plan.steps:
        share = gone / (seconds - spare) if plan.steps is None else part.steps / plan.steps
        losses.append(part.learn(share))
        if time.monotonic() - told > 20:
            mean = float(torch.stack(losses).mean())
            print(
                f"{gone:.0f} s, step {part.steps}, {part.seen / gone:.0f} samples/s, loss {mean:.4f}",
                flush=True,
            )
            told, losses = time.monotonic(), []
    said: dict[str, object] = {"steps": part.steps, "samples": part.seen}
    said |= {"seconds": round(time.monotonic() - began, 1), "scores": part.scores()}
    return said | {"file": str(part.save(out))}


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m models.training.gpu_job", description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=IN_CELLS, help="of the painter, gone on with")
    parser.add_argument("--crops", type=Path, required=True, help="folder that pack_crops wrote")
    parser.add_argument("--out", type=Path, required=True, help="folder for the new checkpoint")
    parser.add_argument("--minutes", type=float, default=Plan.minutes, help="all of it (11)")
    parser.add_argument("--batch", type=int, default=Plan.batch, help="samples of 32 cells a step (512)")
    parser.add_argument("--rate", type=float, default=Plan.rate, help="Adam's (1e-3)")
    parser.add_argument(
        "--parts", nargs="+", choices=tuple(SHARES), default=list(SHARES), help="not all of it"
    )
    parser.add_argument("--whole", type=Path, help="of an earlier job or train_whole, gone on with")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args(arguments)
    plan = Plan(options.minutes, options.batch, options.rate, parts=tuple(options.parts))
    torch.set_float32_matmul_precision("high")
    try:
        run(options.checkpoint, options.crops, options.out, plan, torch.device(options.device), options.whole)
    except (OSError, ValueError) as error:
        print(f"gpu_job: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
