"""The correction's kernel where the network has it: after enlarging, by least squares.

In cells the correction is 3x3 over the features of `dc3_2`; in the network it is 3x3 over those features
enlarged by two, so it spans half as much and can't be the same. What comes nearest in the mean is fitted to
what the cells' kernel says of procedural samples: no photograph is needed.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..network.vinet import upsample
from ..synthetic.pictures import Pictures
from .hearing import Hearing
from .network import Painter, seen_by_painter
from .rows import Inside
from .samples import draw_batch

_SEED = 990_003
_CELLS, _BATCH, _BATCHES = 32, 8, 12
_RIDGE = 1e-4


@torch.no_grad()
def fit_inside(painter: Painter, hearing: Hearing, batches: int = _BATCHES) -> tuple[Inside, float]:
    """Return what the painter has in the network, and the share of the correction that its head misses.

    The share is the root mean square of the difference in holes over that of the correction.
    """
    inside, pictures = Inside(painter), Pictures(procedural=8)
    products: Tensor | float = 0.0
    wanted: Tensor | float = 0.0
    square = 0.0
    for number in range(batches):
        features, target, hole = _sample(painter, hearing, pictures, number)
        seen = F.unfold(features, 3, padding=1)  # (B, 9 * s2, pixels)
        seen = torch.cat((seen, torch.ones_like(seen[:, :1])), dim=1).double()
        weighted = seen * hole.flatten(2)
        products = products + torch.einsum("bip,bjp->ij", weighted, seen)
        wanted = wanted + torch.einsum("bip,bjp->ij", weighted, target.flatten(2).double())
        square += float((target.square() * hole).sum())
    assert isinstance(products, Tensor) and isinstance(wanted, Tensor)
    ridge = _RIDGE * products.diagonal().mean() * torch.eye(len(products), dtype=torch.float64)
    solved = torch.linalg.solve(products + ridge, wanted)
    missed = square - 2 * float((solved * wanted).sum()) + float((solved * (products @ solved)).sum())
    inside.head.weight.copy_(solved[:-1].T.reshape(inside.head.weight.shape))
    cast(Tensor, inside.head.bias).copy_(solved[-1])
    return inside, (max(missed, 0.0) / max(square, 1e-12)) ** 0.5


def _sample(
    painter: Painter, hearing: Hearing, pictures: Pictures, number: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Features and correction enlarged by two, and the hole's share there, of one batch."""
    batch = draw_batch(np.random.default_rng([_SEED, number]), pictures, _BATCH, _CELLS)
    heard = hearing(*batch)
    taken: list[Tensor] = []
    hook = painter.correction.register_forward_hook(lambda _conv, given, _made: taken.append(given[0]))
    correction = painter(seen_by_painter(*batch), heard).correction
    hook.remove()
    hole = F.interpolate(1 - batch.known, scale_factor=2)
    return upsample(taken[0], 2), upsample(correction, 2), hole
