"""What a light, a camera and a codec do to a synthetic shot: shadow, grade, grain, compression.

Everything runs on the tensors' own device and draws its numbers from a NumPy generator on the host, so that a
shot's look is the same on every device. Pictures are float32, channels first.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


def soften(picture: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of (N, C, H, W), edges repeated."""
    radius = max(1, math.ceil(2.5 * sigma))
    taps = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, device=picture.device) / sigma) ** 2)
    taps = (taps / taps.sum()).to(picture.dtype)
    channels = picture.shape[1]
    padded = F.pad(picture, (radius,) * 4, mode="replicate")
    across = F.conv2d(padded, taps.view(1, 1, 1, -1).expand(channels, -1, -1, -1), groups=channels)
    return F.conv2d(across, taps.view(1, 1, -1, 1).expand(channels, -1, -1, -1), groups=channels)


def shaded(frames: Tensor, alpha: Tensor, offset: tuple[int, int], softness: float, depth: float) -> Tensor:
    """Darken frames (N, 3, H, W) where an object's alpha (N, 1, H, W), moved by `offset`, stops light."""
    moved = torch.roll(alpha, offset, dims=(2, 3))
    for axis, by in zip((2, 3), offset, strict=True):  # what rolled round the edge casts no shadow
        if by:
            moved.narrow(axis, 0 if by > 0 else moved.shape[axis] + by, abs(by)).zero_()
    return frames * (1 - depth * soften(moved, softness))


def grade(rng: np.random.Generator, frames: Tensor) -> Tensor:
    """0..1 to -1..1, (N, 3, H, W): one grade for the shot and a slow exposure drift over it."""
    power = float(np.exp(rng.normal(0, 0.25)))
    gain = np.exp(rng.normal(0, 0.1)) * np.exp(rng.normal(0, 0.06, 3))
    t = np.arange(len(frames))
    drift = np.exp(rng.normal(0, 0.004) * t + 0.01 * rng.random() * np.sin(0.5 * t))
    light = torch.from_numpy((drift[:, None] * gain).astype(np.float32)).to(frames.device)
    return 2 * (frames.clamp(min=0) ** power * light[..., None, None]).clamp(0, 1) - 1


_GRAIN = np.random.default_rng(7).standard_normal(1 << 20, dtype=np.float32)
"""One stretch of noise, read from random places: drawing it anew costs more than rendering the shot."""
_on_device: dict[torch.device, Tensor] = {}


def add_grain(rng: np.random.Generator, clean: Tensor) -> Tensor:
    """Grain of one strength over a shot (N, 3, H, W), or none; the shot given is left as it is."""
    if rng.random() < 0.4:
        return clean
    strength = float(rng.uniform(0.005, 0.04))
    noise = _on_device.setdefault(clean.device, torch.from_numpy(_GRAIN).to(clean.device))
    size = clean[0].numel()
    noise = noise.repeat(1 + 2 * size // len(noise)) if size >= len(noise) else noise
    begins = rng.integers(len(noise) - size, size=len(clean))
    grain = torch.stack([noise[begin : begin + size] for begin in begins.tolist()])
    return clean + strength * grain.view_as(clean)


_LUMA_STEPS = 10 + 6 * np.add.outer(np.arange(8), np.arange(8))
"""Quantization of an 8x8 block's frequencies, coarser where they are higher, in 8-bit levels."""


def compress(rng: np.random.Generator, seen: Tensor) -> Tensor:
    """One shot in four with a codec's loss: color at half size, 8x8 blocks with rounded frequencies.

    Height and width must be multiples of 8; others come back as they are.
    """
    if rng.random() > 0.25 or seen.shape[-1] % 8 or seen.shape[-2] % 8:
        return seen
    strength = float(np.exp(rng.uniform(np.log(0.15), np.log(1.5))))
    luma = seen.mean(dim=1, keepdim=True)
    color = F.interpolate(F.avg_pool2d(seen - luma, 2), scale_factor=2, mode="bilinear")
    return _rounded_blocks(luma, strength) + color


def _rounded_blocks(luma: Tensor, strength: float) -> Tensor:
    """Round the discrete cosine transform of every 8x8 block of (N, 1, H, W)."""
    count, _, height, width = luma.shape
    k, n = np.arange(8)[:, None], np.arange(8)[None]
    basis = np.cos(np.pi * (2 * n + 1) * k / 16) * np.where(k == 0, 8**-0.5, 0.5)
    dct = torch.from_numpy(basis.astype(np.float32)).to(luma.device)
    step = torch.from_numpy((strength * _LUMA_STEPS / 127.5).astype(np.float32)).to(luma.device)
    blocks = luma.view(count, height // 8, 8, width // 8, 8).transpose(2, 3)
    rounded = torch.round(dct @ blocks @ dct.T / step) * step
    return (dct.T @ rounded @ dct).transpose(2, 3).reshape(luma.shape)
