"""Flow that is learned at s4: gated features, their correlation, and 81 votes for where a cell went.

The published flow nets start at zero and stay there: the correlation of features that are all positive has
one large common level, leaky layers fade, and an end-point error likes 0. So rows start as zero-sum noise
beside their own channel, settled on a batch, the raw correlation is held to the right place by cross-entropy,
and so is a head of 81 votes on the estimator's last layer, in every cell, hole too. Layers have the network's
names; the votes are beside them. Nothing of this is exported: it first has to beat no flow on real clips.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..network.vinet import CORRELATION_RADIUS, correlation

CELL = 8
"""Pixels of a cell of s4."""
_SIDE = 2 * CORRELATION_RADIUS + 1
_FEATURES = (
    ("ec0", 5, 16, 2),
    ("ec1", 16, 24, 2),
    ("ec2", 24, 24, 1),
    ("ec3_1", 24, 32, 2),
    ("ec3_2", 32, 32, 1),
)
_ESTIMATOR = (64, 64, 48, 32, 32)
_OWN, _OPEN = 0.7, 2.0

Look = Callable[[nn.Conv2d, Tensor, int], None]


class VoteNet(nn.Module):
    """Where each cell of s4 went, as 81 votes, in rows of 9 from (-4, -4)."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.ModuleDict(
            {name: nn.Conv2d(taken, 2 * given, 3, stride, 1) for name, taken, given, stride in _FEATURES}
        )
        taken = _FEATURES[-1][2] + _SIDE**2
        self.convs = nn.ModuleList()
        for given in _ESTIMATOR:
            self.convs.append(nn.Conv2d(taken, given, 3, 1, 1))
            taken = given
        self.votes = nn.Conv2d(taken, _SIDE**2, 3, 1, 1)
        self.sharp = nn.Parameter(torch.zeros(()))

    def encode(self, picture: Tensor, mask: Tensor, look: Look | None = None) -> Tensor:
        """Features at s4 of pictures (B, 3, H, W) in -1..1 and masks (B, 1, H, W)."""
        x = torch.cat((picture * (1 - mask), torch.ones_like(mask), mask), dim=1)
        for module in self.features.values():
            conv = cast(nn.Conv2d, module)
            if look is not None:
                look(conv, x, 2)
            value, gate = conv(x).chunk(2, dim=1)
            x = torch.sigmoid(gate) * F.relu(value)
        return x

    def forward(self, target: Tensor, source: Tensor, look: Look | None = None) -> tuple[Tensor, Tensor]:
        """From two frames' features: the correlation's own votes, and the head's, (B, 81, h, w)."""
        volume = correlation(target, source) * target.shape[1] * torch.exp(self.sharp)
        level = volume - volume.mean(dim=1, keepdim=True)
        x = torch.cat((target, level), dim=1)
        for module in self.convs:
            conv = cast(nn.Conv2d, module)
            if look is not None:
                look(conv, x, 1)
            x = F.leaky_relu(conv(x), 0.1)
        return volume, self.votes(x)


@torch.no_grad()
def begin(
    net: VoteNet, first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor], random: torch.Generator
) -> None:
    """Write the start into a net, settled on frames and their masks."""
    for module in (*net.features.values(), *net.convs):
        conv = cast(nn.Conv2d, module)
        gated = any(module is each for each in net.features.values())
        _draw(conv, 2 if gated else 1, random)
    nn.init.zeros_(net.votes.weight)
    nn.init.zeros_(cast(Tensor, net.votes.bias))
    target = net.encode(*first, look=_settle)
    net(target, net.encode(*second), look=_settle)


def _draw(conv: nn.Conv2d, parts: int, random: torch.Generator) -> None:
    weight, bias = conv.weight, cast(Tensor, conv.bias)
    noise = torch.randn(weight.shape, generator=random, device=random.device).to(weight)
    weight.copy_(noise / math.sqrt(weight[0].numel()))
    weight -= weight.mean(dim=(1, 2, 3), keepdim=True)
    weight *= math.sqrt(1 - _OWN**2)
    rows = len(weight) // parts
    own = torch.arange(min(rows, weight.shape[1]))
    weight[own, own, 1, 1] += _OWN
    bias.zero_()
    if parts == 2:
        weight[rows:] *= 0.5
        bias[rows:] = _OPEN


def _settle(conv: nn.Conv2d, taken: Tensor, parts: int) -> None:
    rows = len(conv.weight) // parts
    spread, middle = torch.std_mean(conv(taken)[:, :rows], dim=(0, 2, 3))
    scale = 1 / spread.clamp(min=1e-4)
    conv.weight[:rows] *= scale[:, None, None, None]
    bias = cast(Tensor, conv.bias)
    bias[:rows] = 0.3 + (bias[:rows] - middle) * scale


def vote_loss(volume: Tensor, votes: Tensor, flow: Tensor, visible: Tensor) -> Tensor:
    """Cross-entropy of both over the places; of the correlation where the source shows it.

    Args:
        flow: exact, (B, 2, h, w), in cells of s4; what is out of reach counts nowhere.
        visible: (B, 1, h, w).
    """
    reached = (flow.abs() < CORRELATION_RADIUS + 0.5).all(dim=1).float()
    nearest = flow.round().clamp(-CORRELATION_RADIUS, CORRELATION_RADIUS).long() + CORRELATION_RADIUS
    place = nearest[:, 1] * _SIDE + nearest[:, 0]
    own = F.cross_entropy(volume.float(), place, reduction="none")
    said = F.cross_entropy(votes.float(), place, reduction="none")
    shown = reached * visible[:, 0]
    return (said * reached).sum() / reached.sum().clamp(min=1) + (own * shown).sum() / shown.sum().clamp(
        min=1
    )


def flow_of(votes: Tensor) -> Tensor:
    """The flow (B, 2, h, w), in cells, that votes come to: their mean."""
    line = torch.arange(_SIDE, device=votes.device, dtype=torch.float32) - CORRELATION_RADIUS
    shares = torch.unflatten(votes.float().softmax(dim=1), 1, (_SIDE, _SIDE))
    x = (shares.sum(dim=1) * line.view(1, -1, 1, 1)).sum(dim=1)
    y = (shares.sum(dim=2) * line.view(1, -1, 1, 1)).sum(dim=1)
    return torch.stack((x, y), dim=1)
