"""What a fill is held against in training.

Pictures are (B, 3, H, W) in -1..1, masks (B, 1, H, W) with 1 in the hole. Every loss is a scalar mean, in the
pictures' own units (so 0.02 is one per cent of the range).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def masked_l1(a: Tensor, b: Tensor, weight: Tensor) -> Tensor:
    """Mean absolute difference where `weight` (B, 1, H, W) is not zero; 0 where it is zero everywhere."""
    difference = (a - b).abs().mean(dim=1, keepdim=True)
    return (difference * weight).sum() / weight.sum().clamp(min=1)


def ring(mask: Tensor, width: int = 4) -> Tensor:
    """The band of `width` pixels around the hole, (B, 1, H, W)."""
    return F.max_pool2d(mask, 2 * width + 1, 1, width) - mask


def ssim(a: Tensor, b: Tensor, window: int = 7) -> Tensor:
    """Mean structural similarity (Wang et al. 2004) with a box window, for pictures whose range is 2."""

    def mean(of: Tensor) -> Tensor:
        return F.avg_pool2d(F.avg_pool2d(of, (window, 1), 1), (1, window), 1)

    c1, c2 = (0.01 * 2) ** 2, (0.03 * 2) ** 2
    mean_a, mean_b = mean(a), mean(b)
    var_a = mean(a * a) - mean_a**2
    var_b = mean(b * b) - mean_b**2
    covariance = mean(a * b) - mean_a * mean_b
    score = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return (score / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))).mean()


def low_frequency(a: Tensor, b: Tensor, mask: Tensor, cells: tuple[int, ...] = (4, 8, 16)) -> Tensor:
    """L1 between means over cells of several sizes, cells weighed by how much of them is hole.

    It is what makes the middle of a large hole have the right color before it has any detail.
    """
    total = a.new_zeros(())
    for cell in cells:
        share = F.avg_pool2d(mask, cell)
        total = total + masked_l1(F.avg_pool2d(a, cell), F.avg_pool2d(b, cell), share)
    return total / len(cells)


def gradient(a: Tensor, b: Tensor, weight: Tensor) -> Tensor:
    """L1 between horizontal and vertical differences where `weight` is set: seams and grids show here."""
    difference = a - b
    across = difference[..., :, 1:] - difference[..., :, :-1]
    down = difference[..., 1:, :] - difference[..., :-1, :]
    zero = torch.zeros(())
    return masked_l1(across, zero, weight[..., :, 1:]) + masked_l1(down, zero, weight[..., 1:, :])


def picture_loss(picture: Tensor, clean: Tensor, mask: Tensor) -> Tensor:
    """The published loss (L1 minus SSIM on the frame, 5 * L1 in the hole), and three terms of ours.

    Ours: the ring around the hole, the hole's low frequencies, and gradients in both.
    """
    band = ring(mask)
    frame = (picture - clean).abs().mean() + 0.5 * (1 - ssim(picture, clean))
    hole = 5 * masked_l1(picture, clean, mask) + 2 * low_frequency(picture, clean, mask)
    return frame + hole + masked_l1(picture, clean, band) + gradient(picture, clean, mask + band)


def flow_loss(flow: Tensor, exact: Tensor, weight: Tensor) -> Tensor:
    """Mean end-point error (flows (N, 2, h, w) in pixels of their level), large misses counted gently."""
    error = ((flow - exact) ** 2).sum(dim=1, keepdim=True).add(1e-4).sqrt()
    gentle = torch.where(error < 4, error, 4 + (error / 4).clamp(min=1).log() * 4)
    return (gentle * weight).sum() / weight.sum().clamp(min=1)
