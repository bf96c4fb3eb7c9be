"""The lean wiring: matches are found where they are, and masks take sources where the target has a hole."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.network.vinet import correlation
from models.synthetic.pictures import procedural_texture
from models.wiring.matching import COUNT, FIRST, LAYERS, comparisons
from models.wiring.start import lean_network

SIZE, SHIFT = 160, (16, 32)


@pytest.fixture(scope="module")
def pair() -> tuple[torch.Tensor, torch.Tensor]:
    """A textured picture and the same one moved: what is at (x, y) is at (x + 32, y + 16) in the second."""
    rng = np.random.default_rng(5)
    noise = sum(
        np.kron(rng.standard_normal((3, 512 // cell, 512 // cell)), np.ones((cell, cell))) / 4
        for cell in (4, 8, 16, 32)
    )
    picture = procedural_texture(rng, 512).transpose(2, 0, 1) / 127.5 - 1 + noise
    whole = torch.from_numpy(picture.clip(-1, 1).astype(np.float32))[None]
    first = whole[..., 100 : 100 + SIZE, 100 : 100 + SIZE]
    down, across = SHIFT
    return first, whole[..., 100 - down : 100 - down + SIZE, 100 - across : 100 - across + SIZE]


@torch.no_grad()
@pytest.mark.parametrize(("level", "cell"), [("s4", 8), ("s8", 16)])
def test_the_correlation_peaks_at_the_match(
    pair: tuple[torch.Tensor, torch.Tensor], level: str, cell: int
) -> None:
    network, none = lean_network(512), torch.zeros(1, 1, SIZE, SIZE)
    target = getattr(network.encoder1(pair[0], none), level)
    source = getattr(network.encoder2(pair[1], none), level)
    best = correlation(target, source).argmax(dim=1)[0]
    height, width = best.shape
    inner = best[1 : height - 1 - SHIFT[0] // cell, 1 : width - 1 - SHIFT[1] // cell]
    found = (inner % 9 - 4 == SHIFT[1] // cell) & (inner // 9 - 4 == SHIFT[0] // cell)
    assert found.float().mean() > 0.85


@torch.no_grad()
def test_a_hole_in_the_source_is_matched_no_better_than_chance(
    pair: tuple[torch.Tensor, torch.Tensor],
) -> None:
    network = lean_network(512)
    none, hole = torch.zeros(1, 1, SIZE, SIZE), torch.zeros(1, 1, SIZE, SIZE)
    hole[..., 32:128, 32:128] = 1
    target = network.encoder1(pair[0], none).s8[:, FIRST:]
    known, hidden = (
        correlation(target, network.encoder2(pair[1] * (1 - mask), mask).s8[:, FIRST:])[0, :, 5, 5]
        for mask in (none, hole)
    )
    inside = [(dy + 4) * 9 + dx + 4 for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    assert torch.allclose(hidden[inside], hidden[inside].mean().expand(9), rtol=1e-3)
    assert known.median() / 1.3 < hidden[inside].mean() < known.median() * 1.3


@torch.no_grad()
def test_cells_in_the_hole_match_nothing() -> None:
    network = lean_network(512)
    frame, mask = torch.rand(1, 3, 64, 64) * 2 - 1, torch.zeros(1, 1, 64, 64)
    mask[..., 16:48, 16:48] = 1
    for level, layer in LAYERS.items():
        features = getattr(network.encoder1(frame * (1 - mask), mask), level)
        cell = 64 // features.shape[-1]
        inside = features[
            :, FIRST : FIRST + COUNT, 16 // cell + 1 : 48 // cell - 1, 16 // cell + 1 : 48 // cell - 1
        ]
        assert not inside.any(), layer
        assert features[:, FIRST : FIRST + COUNT, 0].any()
    assert 2 * len(list(comparisons())) + 1 == COUNT


@torch.no_grad()
def test_masks_take_sources_in_the_hole_and_the_target_elsewhere() -> None:
    network = lean_network(512)
    frame, mask, none = torch.zeros(1, 3, 64, 64), torch.zeros(1, 1, 64, 64), torch.zeros(1, 1, 64, 64)
    mask[..., 16:48, 16:48] = 1
    carry, source = network.start(frame, mask), network.encode_source(frame, none)
    for _ in range(2):
        step = network.step(frame, mask, [source] * 4, carry)
        carry = step.carry
    for taken, cell in ((step.mask_s8, 16), (step.mask_s4, 8), (step.mask_s2, 4)):
        hole = torch.nn.functional.avg_pool2d(mask, cell)
        assert taken[hole == 1].min() > 0.9 and taken[hole == 0].max() < 0.1
    hole = torch.nn.functional.avg_pool2d(mask, 2)
    assert step.mask_s1[hole == 1].min() > 0.2 > 0.01 > step.mask_s1[hole == 0].max()
