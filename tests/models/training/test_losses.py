"""Losses count what they should and nothing else."""

from __future__ import annotations

import pytest
import torch

from models.training.losses import flow_loss, gradient, low_frequency, masked_l1, picture_loss, ring, ssim


@pytest.fixture
def hole() -> torch.Tensor:
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 8:24, 8:24] = 1
    return mask


def _picture(seed: int = 0) -> torch.Tensor:
    return torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_equal_pictures_cost_nothing(hole: torch.Tensor) -> None:
    picture = _picture()
    assert float(picture_loss(picture, picture, hole)) == pytest.approx(0, abs=1e-5)
    assert float(ssim(picture, picture)) == pytest.approx(1, abs=1e-5)


def test_masked_l1_counts_the_hole_only(hole: torch.Tensor) -> None:
    picture = _picture()
    assert float(masked_l1(picture, picture + 0.5 * (1 - hole), hole)) == 0
    assert float(masked_l1(picture, picture + 0.5 * hole, hole)) == pytest.approx(0.5, abs=1e-5)
    assert float(masked_l1(picture, picture + 1, torch.zeros_like(hole))) == 0


def test_the_ring_surrounds_the_hole(hole: torch.Tensor) -> None:
    band = ring(hole, 2)
    assert not (band * hole).any()
    assert int(band.sum()) == 20 * 20 - 16 * 16


def test_a_wrong_hole_costs_more_than_a_wrong_surrounding(hole: torch.Tensor) -> None:
    picture = _picture()
    inside = float(picture_loss(picture + 0.2 * hole, picture, hole))
    outside = float(picture_loss(picture + 0.2 * (1 - hole), picture, hole))
    assert inside > 1.5 * outside


def test_low_frequency_sees_color_but_no_detail(hole: torch.Tensor) -> None:
    picture = torch.zeros(1, 3, 32, 32)
    checker = (torch.arange(32).view(-1, 1) + torch.arange(32)) % 2 * 2.0 - 1
    assert float(low_frequency(picture, picture + checker, hole)) == pytest.approx(0, abs=1e-6)
    assert float(low_frequency(picture, picture + 0.3, hole)) == pytest.approx(0.3, abs=1e-5)


def test_gradient_sees_a_grid_but_no_offset(hole: torch.Tensor) -> None:
    picture = torch.zeros(1, 3, 32, 32)
    grid = ((torch.arange(32) % 4) == 0).float() * 0.2
    assert float(gradient(picture, picture + 0.3, hole)) == pytest.approx(0, abs=1e-6)
    assert float(gradient(picture, picture + grid, hole)) > 0.05


def test_ssim_falls_with_noise() -> None:
    smooth = torch.linspace(-1, 1, 32).expand(1, 3, 32, 32)
    noise = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    assert 1 > float(ssim(smooth, smooth + 0.05 * noise)) > float(ssim(smooth, smooth + 0.5 * noise))


def test_flow_loss_is_the_end_point_error_and_gentle_on_large_misses() -> None:
    exact = torch.zeros(2, 2, 4, 4)
    weight = torch.ones(2, 1, 4, 4)
    small = exact.clone()
    small[:, 0] = 3
    assert float(flow_loss(small, exact, weight)) == pytest.approx(3, abs=0.01)
    assert 4 < float(flow_loss(small * 100, exact, weight)) < 30
    assert float(flow_loss(exact, exact, weight)) < 0.02


def test_every_loss_has_a_gradient(hole: torch.Tensor) -> None:
    picture = _picture().requires_grad_()
    picture_loss(picture, _picture(1), hole).backward()
    assert picture.grad is not None and torch.isfinite(picture.grad).all() and picture.grad.abs().sum() > 0
