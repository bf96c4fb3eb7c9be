from __future__ import annotations

import math

import pytest
import torch

from models.painter.measures import Scores, painting_loss, relative_loss


@pytest.fixture
def truth():
    return torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(1)) * 0.5 + 0.25


@pytest.fixture
def missing():
    share = torch.zeros(2, 1, 16, 16)
    share[0, :, 4:12, 4:12] = 1
    share[1, :, 6:10, 2:10] = 1
    return share


def test_the_loss_is_nothing_for_the_truth_and_for_what_is_known(truth, missing):
    fill = torch.where(missing > 0, truth, torch.zeros_like(truth))
    assert not painting_loss(fill, truth, missing).any()


def test_the_loss_of_a_constant_error(truth):
    everywhere = torch.ones(2, 1, 16, 16)
    rho = 0.1 + 4 * 0.1**2
    expected = torch.full((2,), 2 * rho)  # itself and half of each of the two means; no differences
    assert torch.allclose(painting_loss(truth + 0.1, truth, everywhere), expected, atol=1e-5)


def test_a_samples_loss_does_not_depend_on_the_others(truth, missing):
    fill = truth + 0.1 * torch.randn(truth.shape, generator=torch.Generator().manual_seed(2))
    both = painting_loss(fill, truth, missing)
    alone = torch.cat([painting_loss(*(t[n : n + 1] for t in (fill, truth, missing))) for n in (0, 1)])
    assert torch.allclose(both, alone)


def test_easy_samples_do_not_count_most():
    assert float(relative_loss(torch.tensor(0.02), torch.tensor(0.01))) < 0.1
    easy, hard = (float(relative_loss(loss, loss)) for loss in (torch.tensor(0.01), torch.tensor(1.0)))
    assert 10 * easy < hard < 1


def test_scores(truth, missing):
    scores = Scores()
    scores.add(truth + 0.1 * missing, truth, missing)
    told = scores.result()
    assert math.isclose(told.mean, 20, abs_tol=1e-3)
    assert math.isclose(told.pooled, 20, abs_tol=1e-3)
    assert math.isclose(told.likeness, 1, abs_tol=1e-3)  # a constant error has no gradient
    assert str(told) == "20.00/20.00 g1.000"


def test_scores_pool_by_area_and_know_a_flat_fill(truth, missing):
    scores = Scores()
    error = torch.tensor([0.1, 0.01]).view(2, 1, 1, 1)
    scores.add(truth + error, truth, missing)
    told = scores.result()
    assert math.isclose(told.mean, 30, abs_tol=0.01)
    assert math.isclose(told.pooled, -10 * math.log10((64 * 0.01 + 32 * 0.0001) / 96), abs_tol=0.01)
    flat = Scores()
    flat.add(torch.full_like(truth, 0.5), truth, missing)
    assert flat.result().likeness == 0
