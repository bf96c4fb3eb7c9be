"""Frames beside, in cells: composed as the network composes them."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

from models.painter.beside import Beside, compositions
from models.painter.network import Painter, Widths, seen_by_painter
from models.painter.samples import draw_batch, draw_beside
from models.painter.start import begin


def drawn(pictures, count: int = 4):
    return draw_batch(np.random.default_rng(3), pictures, count, 32, hard=1)


def test_what_a_source_covers_is_taken_and_what_the_frame_knows_stays():
    known, theirs = torch.ones(1, 1, 16, 16), torch.ones(1, 1, 16, 16)
    known[..., 4:12] = 0
    theirs[..., 8:] = 0
    beside = Beside(torch.zeros(1, 3, 16, 16), theirs, torch.ones(1, 1, 1, 1))
    for level, cells in (("s2", 1), ("s4", 2), ("s8", 4)):
        own, source = compositions(known, beside)[level]
        taken = own * F.avg_pool2d(known, cells) + source * F.avg_pool2d(theirs, cells)
        across = taken[0, 0, 0].repeat_interleave(cells)
        assert (across[4:8] > 0.99).all(), "hidden here and shown there"
        assert (across[8:12] == 0).all(), "hidden in both"
        assert (across[:4] - 1).abs().max() < 0.01, "shown in both"
        assert (own[0, 0, 0, :1] - (1 - 1 / (1 + np.exp(2.3)))).abs().max() < 1e-4


def test_a_source_that_shows_what_the_frame_shows_changes_nothing(pictures, hearing):
    batch = drawn(pictures)
    alike = Beside(*batch, torch.ones(4, 1, 1, 1))
    painter = Painter(Widths(6, 8, 10), carriers=2)
    begin(painter, seen_by_painter(*batch), hearing(*batch), seed=5)
    heard = [hearing(*batch), hearing(*batch, alike)]
    for ours, theirs in zip(*heard, strict=True):
        torch.testing.assert_close(ours, theirs, atol=0.02, rtol=0)
    with torch.no_grad():
        alone, composed = (
            painter(seen_by_painter(*batch), each, beside=beside).whole
            for each, beside in zip(heard, (None, alike), strict=True)
        )
    torch.testing.assert_close(alone, composed, atol=0.05, rtol=0)


def test_a_source_shows_the_hole(pictures, hearing):
    batch = drawn(pictures)
    whole = Beside(batch.picture, torch.ones_like(batch.known), torch.ones(4, 1, 1, 1))
    hole = (batch.known == 0).expand_as(batch.picture)
    missed = [
        (heard.fill - batch.picture)[hole].abs().mean() for heard in (hearing(*batch), hearing(*batch, whole))
    ]
    assert missed[1] < 0.3 * missed[0]


def test_sources_are_drawn_with_the_generator(pictures):
    batch = drawn(pictures, 16)
    first, again = (draw_beside(np.random.default_rng(5), *batch, 0.5) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    other = (first.known != batch.known).flatten(1).any(dim=1)
    assert 0 < int(other.sum()) < 16
    assert float(first.trust.min()) < 1
    none = draw_beside(np.random.default_rng(5), *batch, 0.0)
    assert torch.equal(none.picture, batch.picture) and torch.equal(none.known, batch.known)
