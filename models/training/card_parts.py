"""What a card's job does after the painter in cells: learned flow, and the painter in the network."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..painter.kept import FORMAT
from ..painter.whole import whole_of
from ..painter.whole_run import WholeProgress, bring_back, kept_of, progress_of
from .device_samples import packed
from .device_shots import draw_shots
from .flow_votes import CELL, VoteNet, begin, flow_of, vote_loss
from .guided import guided_loss, hole_scores, roll_guided
from .plain_tensors import read_tensors, write_tensors

LARGEST_FILE = 16_000_000
_FRAMES, _WARM, _LEARN = 13, 4, 4
_KEPT_SEED = 990_005
"""Of the shots that are scored."""
_APART = (-6, -3, 3, 6)
_CLIP = 3.0


def read_painter(checkpoint: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return a painter's tensors, in cells or in the network, and its metadata.

    Raises:
        OSError: it can't be read.
        ValueError: it is no such file, or one of before.
    """
    tensors, about = read_tensors(checkpoint)
    if (found := about.get("format")) != FORMAT:
        raise ValueError(
            f"{checkpoint} is no checkpoint of the painter: expected the format {FORMAT}, got {found}."
        )
    return tensors, about


class _Part:
    """Adam, a rate that is flat for half of the time and falls, and a running average.

    Args:
        network: what learns.
        crops: folder of packed crops.
        rate: Adam's, at its highest.
    """

    def __init__(
        self, network: nn.Module, crops: Path, rate: float, decay: float, device: torch.device
    ) -> None:
        self.network, self.device = network.to(device), device
        self._crops, self._kept = packed(crops, "crops").to(device), packed(crops, "held_out").to(device)
        self._random = torch.Generator(device).manual_seed(7)
        self._rate, self._decay = rate, decay
        fused = device.type == "cuda"
        self._adam = torch.optim.Adam(network.parameters(), rate, (0.9, 0.98), 1e-6, fused=fused)
        self.average = {key: value.clone() for key, value in network.state_dict().items()}
        self.steps, self.seen = 0, 0

    def _take(self, loss: Tensor, share: float, count: int) -> Tensor:
        rate = self._rate * min(1.0, (self.steps + 1) / 50) * min(1.0, max(0.01, 2 * (1 - share)))
        for group in self._adam.param_groups:
            group["lr"] = rate
        self._adam.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), _CLIP)
        if bool(torch.isfinite(norm)):
            self._adam.step()
        self.steps += 1
        self.seen += count
        decay = min(self._decay, self.steps / (self.steps + 10))
        with torch.no_grad():
            for key, value in self.network.state_dict().items():
                self.average[key].lerp_(value, 1 - decay)
        return loss.detach()


class FlowPart(_Part):
    """Votes at s4, from a file of an earlier job if there is one."""

    def __init__(self, crops: Path, before: Path | None, batch: int, size: int, device: torch.device) -> None:
        super().__init__(VoteNet(), crops, 1.5e-3, 0.995, device)
        self._batch, self._size = batch, size
        if before is not None:
            self.network.load_state_dict(read_tensors(before)[0])
        else:
            shots = draw_shots(self._crops, min(16, batch), size, 2, self._random)
            first, second = ((shots.seen[:, n], shots.masks[:, n]) for n in (0, 1))
            begin(self._votes(), first, second, self._random)
        self.average = {key: value.clone() for key, value in self.network.state_dict().items()}

    def _votes(self) -> VoteNet:
        assert isinstance(self.network, VoteNet)
        return self.network

    def learn(self, share: float) -> Tensor:
        """Take a step on pairs 3 and 6 frames apart."""
        shots = draw_shots(self._crops, self._batch, self._size, _FRAMES, self._random)
        apart = _APART[self.steps % len(_APART)]
        volume, votes, flow, visible = self._pair(shots, 6, 6 + apart)
        return self._take(vote_loss(volume, votes, flow, visible), share, self._batch)

    def _pair(self, shots: Any, target: int, source: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        net = self._votes()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            encoded = [net.encode(shots.seen[:, n], shots.masks[:, n]) for n in (target, source)]
            volume, votes = net(*encoded)
        return volume, votes, *shots.flow(target, source, CELL)

    @torch.no_grad()
    def scores(self) -> dict[str, str]:
        """Mean end-point error in pixels, in holes and elsewhere: the votes', and that of no flow at all."""
        now = {key: value.clone() for key, value in self.network.state_dict().items()}
        self.network.load_state_dict(self.average)
        random = torch.Generator(self.device).manual_seed(_KEPT_SEED)
        shots = draw_shots(self._kept, min(32, 2 * self._batch), self._size, _FRAMES, random)
        missed: dict[str, list[Tensor]] = {"votes": [], "none": []}
        hole = F.avg_pool2d(shots.masks[:, 6], CELL)
        for apart in _APART:
            _, votes, flow, _ = self._pair(shots, 6, 6 + apart)
            for name, guess in (("votes", flow_of(votes)), ("none", torch.zeros_like(flow))):
                missed[name].append(CELL * (guess - flow).norm(dim=1, keepdim=True))
        self.network.load_state_dict(now)
        told = {}
        for name, errors in missed.items():
            error = torch.stack(errors).mean(dim=0)
            inside, outside = (
                float((error * where).sum() / where.sum().clamp(min=1)) for where in (hole, 1 - hole)
            )
            told[name] = f"{inside:.2f} px in holes, {outside:.2f} elsewhere"
        return told

    def save(self, out: Path) -> Path:
        """Write the averaged votes."""
        about = {"format": "cleanplate-flow-votes-1", "steps": str(self.steps)}
        return write_tensors(out / "flow.safetensors", self.average, about, LARGEST_FILE)


class WholePart(_Part):
    """The painter in the network with its state, from a painter's checkpoint in cells or a whole one."""

    def __init__(self, checkpoint: Path, crops: Path, batch: int, size: int, device: torch.device) -> None:
        tensors, about = read_painter(checkpoint)
        self._about, self._state = about, json.loads(about["painter"])
        self._batch, self._size = batch, size
        self.whole = whole_of(tensors, self._state, sources=True, device=device)
        super().__init__(self.whole, crops, 1e-4, 0.99, device)
        self._progress = progress_of(self._state) or WholeProgress()
        if self._progress.step:
            bring_back(tensors, self._state, self.whole, self.average, self._adam)
        self._began = time.monotonic()

    def learn(self, share: float) -> Tensor:
        """Take a step: up to four frames without gradients, then four with them."""
        shots = draw_shots(self._crops, self._batch, self._size, _FRAMES, self._random)
        warm = self.steps % (_WARM + 1)
        off = 0.5 if self.steps % 2 else 0.0
        rolled = self.whole.run(
            lambda network: roll_guided(network, shots, 2, warm, _LEARN, off=off, generator=self._random)
        )
        return self._take(guided_loss(shots, rolled)[0], share, self._batch)

    @torch.no_grad()
    def scores(self) -> dict[str, str]:
        """Hole PSNR and unsteadiness over six frames of shots that are never trained on."""
        now = {key: value.clone() for key, value in self.whole.state_dict().items()}
        self.whole.load_state_dict(self.average)
        random = torch.Generator(self.device).manual_seed(_KEPT_SEED)
        shots = draw_shots(self._kept, min(16, self._batch), self._size, _FRAMES, random)
        rolled = self.whole.run(lambda network: roll_guided(network, shots, 0, 0, 6))
        self.whole.load_state_dict(now)
        psnr, unsteady = hole_scores(shots, rolled)
        return {"whole": f"{psnr:.2f} dB, unsteady {unsteady:.4f}"}

    def save(self, out: Path) -> Path:
        """Write a run that `models.training.train_whole` goes on with, and `models.painter.export` takes."""
        before = self._progress
        taken = next(iter(self._adam.state.values()), None)
        progress = WholeProgress(
            before.step + self.steps,
            int(taken["step"]) if taken else before.taken,
            before.shots + self.seen,
            before.seconds + time.monotonic() - self._began,
            before.seed,
        )
        tensors, state = kept_of(self.whole, self.average, self._adam, self._state, progress)
        about = self._about | {"painter": json.dumps(state)}
        return write_tensors(out / "whole.safetensors", tensors, about, LARGEST_FILE)
