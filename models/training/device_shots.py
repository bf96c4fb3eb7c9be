"""Moving shots that are drawn on the device itself, with exact flow: for a card's job, PyTorch alone.

A packed crop, whose cells are 4 pixels here, under a moving camera (pan, zoom, roll), an ellipse cut from
another crop that passes before it, and a hole that stands, walks or is glued to the background.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

_CELL = 4
_GRAIN = 0.02


@dataclass(frozen=True)
class DeviceShots:
    """A batch of shots; see `guided.MovingShots`.

    Attributes:
        seen, clean: (B, N, 3, S, S) in -1..1, with grain and without.
        masks: (B, N, 1, S, S), 1 in the hole.
        before: where the nearer object covers more than half of a pixel, (B, N, 1, S, S).
        camera: frame pixels about the middle to the far picture's, (B, N, 2, 3).
        paths: where the object's middle stands, (B, N, 2), pixels about the middle.
    """

    seen: Tensor
    clean: Tensor
    masks: Tensor
    before: Tensor
    camera: Tensor
    paths: Tensor

    def flow(self, target: int, source: int, stride: int) -> tuple[Tensor, Tensor]:
        """Exact flow (B, 2, S / stride, S / stride) in cells, and where the source shows it (B, 1, ...)."""
        size = self.seen.shape[-1]
        places = _places(size, stride, self.seen.device)  # (h, w, 2)
        near = _at(self.before[:, target].float(), places.expand(len(self.seen), -1, -1, -1)) > 0.5
        turn, shift = self.camera[:, target, :, :2], self.camera[:, target, :, 2]
        back, behind = self.camera[:, source, :, :2], self.camera[:, source, :, 2]
        far = torch.einsum("bij,hwj->bhwi", turn, places) + (shift - behind)[:, None, None]
        far = torch.einsum("bij,bhwj->bhwi", torch.linalg.inv(back), far)
        carried = places + (self.paths[:, source] - self.paths[:, target])[:, None, None]
        there = torch.where(near[:, 0, :, :, None], carried, far)
        inside = (there.abs() < size / 2).all(dim=-1)[:, None]
        shown = _at(self.masks[:, source], there) < 0.5
        same = (_at(self.before[:, source].float(), there) > 0.5) == near
        flow = ((there - places) / stride).permute(0, 3, 1, 2)
        return flow, (inside & shown & same).to(flow.dtype)


def draw_shots(crops: Tensor, count: int, size: int, frames: int, random: torch.Generator) -> DeviceShots:
    """Draw `count` shots of `frames` frames, `size` pixels a side, on the crops' device.

    Args:
        crops: (n, 3, side, side) bytes, as `pack_crops` cuts them.
        random: on the same device; it decides everything.
    """
    device = crops.device

    def uniform(*shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        return low + (high - low) * torch.rand(shape, generator=random, device=device)

    chosen = torch.randint(len(crops), (2, count), generator=random, device=device)
    far, near = (crops[each].float() / 127.5 - 1 for each in chosen)
    time = torch.linspace(-1, 1, frames, device=device)[None]
    moving = (uniform(count, 1) > 0.2).float()  # a fifth of the cameras stand
    angle = moving * uniform(count, 1, low=-0.06, high=0.06) * time
    zoom = torch.exp(moving * uniform(count, 1, low=-0.08, high=0.08) * time)
    pan = _way(uniform(count, 2, 2, low=-0.22, high=0.22), time, size) * moving[..., None]
    turn = torch.stack((torch.cos(angle), -torch.sin(angle), torch.sin(angle), torch.cos(angle)), dim=-1)
    turn = torch.unflatten(turn, -1, (2, 2)) * zoom[..., None, None]
    camera = torch.cat((turn, pan[..., None]), dim=-1)
    places = _places(size, 1, device)
    at = torch.einsum("bnij,hwj->bnhwi", turn, places) + pan[:, :, None, None]
    picture = _sampled(far, at)

    paths = _way(uniform(count, 2, 2, low=-0.4, high=0.4), time, size) + pan
    radii = size * uniform(count, 1, 1, 1, 2, low=0.06, high=0.22)
    radii = radii * (uniform(count, 1, 1, 1, 1) > 0.3) + 1e-3  # or there is none
    from_middle = places - paths[:, :, None, None]
    alpha = ((1.1 - (from_middle / radii).norm(dim=-1, keepdim=True)) / 0.2).clamp(0, 1)
    alpha = alpha.permute(0, 1, 4, 2, 3)
    clean = picture + alpha * (_sampled(near, from_middle) - picture)

    kind = torch.randint(3, (count, 1, 1), generator=random, device=device)  # stands, walks, is glued
    walk = _way(uniform(count, 2, 2, low=-0.25, high=0.25), time, size)
    middle = size * uniform(count, 1, 2, low=-0.2, high=0.2) + (kind == 1) * walk - (kind == 2) * pan
    sizes = size * torch.exp(uniform(count, 1, 1, 1, 2, low=math.log(0.08), high=math.log(0.3)))
    power = torch.exp2(uniform(count, 1, 1, 1, 1, low=1, high=3))
    across = ((places - middle[:, :, None, None]) / sizes).abs() ** power
    masks = (across.sum(dim=-1, keepdim=True) < 1).float().permute(0, 1, 4, 2, 3)
    grain = torch.randn(clean.shape, generator=random, device=device)
    return DeviceShots(clean + _GRAIN * grain, clean, masks, alpha > 0.5, camera, paths)


def _way(drawn: Tensor, time: Tensor, size: int) -> Tensor:
    """Ways (B, N, 2) in pixels from (B, 2, 2): even motion, and a swing."""
    even, swing = drawn[:, None, 0], drawn[:, None, 1]
    return size * (even * time[..., None] + 0.3 * swing * torch.sin(3 * time[..., None]))


def _places(size: int, stride: int, device: torch.device) -> Tensor:
    """Middles of cells in pixels about the picture's middle, (h, w, 2), x first."""
    line = (torch.arange(size // stride, device=device) + 0.5) * stride - size / 2
    y, x = torch.meshgrid(line, line, indexing="ij")
    return torch.stack((x, y), dim=-1)


def _at(values: Tensor, places: Tensor) -> Tensor:
    """Values (B, 1, S, S) at the nearest pixels of places (B, h, w, 2)."""
    grid = (places / (values.shape[-1] / 2)).to(values.dtype)
    return F.grid_sample(values, grid, mode="nearest", padding_mode="border", align_corners=False)


def _sampled(crops: Tensor, places: Tensor) -> Tensor:
    """Crops (B, 3, side, side) of cells at pixels (B, N, h, w, 2) about their middles; mirrored outside."""
    frames, height = places.shape[1:3]
    grid = places / (crops.shape[-1] * _CELL / 2)
    sampled = F.grid_sample(
        crops, grid.flatten(1, 2), mode="bicubic", padding_mode="reflection", align_corners=False
    )
    return torch.unflatten(sampled, 2, (frames, height)).transpose(1, 2).clamp(-1, 1)
