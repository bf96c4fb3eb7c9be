"""The look of synthetic shots: what is added is seen, stays within bounds, and moves nothing."""

from __future__ import annotations

import numpy as np
import torch

from models.synthetic.look import add_grain, compress, grade, shaded, soften
from models.synthetic.motion import homographies, shutter_samples, walk


def checks(size: int = 32) -> torch.Tensor:
    ys, xs = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    return ((ys // 4 + xs // 4) % 2).float().expand(2, 3, -1, -1)


def test_softening_keeps_the_mean_and_lowers_contrast() -> None:
    soft = soften(checks(), 2.0)
    assert soft.shape == (2, 3, 32, 32)
    assert abs(float(soft.mean()) - 0.5) < 0.02
    assert soft.std() < 0.5 * checks().std()


def test_a_shadow_falls_beside_its_object_and_only_darkens() -> None:
    alpha = torch.zeros(1, 1, 32, 32)
    alpha[..., 10:16, 10:16] = 1
    frame = torch.full((1, 3, 32, 32), 0.8)
    dark = shaded(frame, alpha, (6, -4), 1.0, 0.5)
    assert (dark <= frame + 1e-6).all()
    assert dark[0, 0, 19, 9] < 0.5 < dark[0, 0, 5, 25]
    edge = torch.zeros(1, 1, 32, 32)
    edge[..., 28:, :] = 1
    assert torch.allclose(shaded(frame, edge, (8, 0), 1.0, 0.5), frame)  # it does not come round the edge


def test_a_grade_is_in_range_and_drifts_slowly() -> None:
    graded = grade(np.random.default_rng(3), torch.full((9, 3, 4, 4), 0.4))
    levels = graded.mean(dim=(1, 2, 3))
    assert graded.min() >= -1 and graded.max() <= 1
    assert 0 < (levels.max() - levels.min()) < 0.3
    assert (levels.diff().abs() < 0.06).all()


def test_grain_is_the_same_again_and_changes_from_frame_to_frame() -> None:
    clean = torch.zeros(3, 3, 16, 16)
    seen = next(s for s in (add_grain(np.random.default_rng(k), clean) for k in range(9)) if s.any())
    assert not clean.any()
    assert not torch.equal(seen[0], seen[1]) and 0.004 < float(seen.std()) < 0.05
    large = torch.zeros(1, 3, 640, 640)
    assert add_grain(np.random.default_rng(1), large).shape == large.shape


def test_compression_rounds_detail_and_keeps_flat_color() -> None:
    seed = next(k for k in range(20) if np.random.default_rng(k).random() <= 0.25)
    picture = 2 * checks() - 1
    back = compress(np.random.default_rng(seed), picture)
    assert back.shape == picture.shape
    assert 0 < float((back - picture).abs().mean()) < 0.3
    flat = torch.full((1, 3, 16, 16), 0.25) * torch.tensor([1.0, 0.5, -1.0]).view(1, 3, 1, 1)
    assert (compress(np.random.default_rng(seed), flat) - flat).abs().max() < 0.1


def test_an_open_shutter_samples_evenly_about_the_frame() -> None:
    rng = np.random.default_rng(0)
    path = np.array([[0.0, 0], [6, 2], [12, 4]])
    matrices = homographies(path, np.ones(3), np.zeros(3), np.zeros((3, 2)), 64)
    samples = shutter_samples(matrices, 1, 0.5, 64)
    assert len(samples) == 3
    assert np.allclose(samples.mean(axis=0), matrices[1])
    assert np.allclose(shutter_samples(matrices, 1, 0.0, 64), matrices[1:2])
    assert np.array_equal(walk(rng, 4, 0.0), np.zeros((4, 2)))
