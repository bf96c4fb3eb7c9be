"""The correction's kernel where the network has it: after enlarging, by least squares.

In cells the correction is 3x3 over the features of `dc3_2`; in the network it is 3x3 over those features
enlarged by two, so it spans half as much and can't be the same. What comes nearest in the mean is fitted to
what the cells' kernel says of some samples.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from ..network.vinet import upsample
from .hearing import Hearing
from .network import Painter, seen_by_painter
from .rows import Inside

_RIDGE = 1e-4


@torch.no_grad()
def fit_inside(
    painter: Painter, hearing: Hearing, samples: Iterable[tuple[Tensor, Tensor]]
) -> tuple[Inside, float]:
    """Return what the painter has in the network, and the share of the correction that its head misses.

    The share is the root mean square of the difference in holes over that of the correction.

    Args:
        samples: batches of pictures and of each cell's known share, as `draw_batch` gives them.
    """
    inside = Inside(painter)
    products: Tensor | None = None
    wanted: Tensor | None = None
    square = 0.0
    for picture, known in samples:
        features, target = _corrected(painter, hearing, picture, known)
        hole = F.interpolate(1 - known, scale_factor=2)
        seen = F.unfold(features, 3, padding=1)  # (B, 9 * s2, pixels)
        seen = torch.cat((seen, torch.ones_like(seen[:, :1])), dim=1).double()
        weighted = seen * hole.flatten(2)
        product = torch.einsum("bip,bjp->ij", weighted, seen)
        want = torch.einsum("bip,bjp->ij", weighted, target.flatten(2).double())
        products = product if products is None else products + product
        wanted = want if wanted is None else wanted + want
        square += float((target.square() * hole).sum())
    assert products is not None and wanted is not None
    ridge = _RIDGE * products.diagonal().mean() * torch.eye(len(products)).to(products)
    solved = torch.linalg.solve(products + ridge, wanted)
    missed = square - 2 * float((solved * wanted).sum()) + float((solved * (products @ solved)).sum())
    inside.to(painter.correction.weight.device)
    inside.head.weight.copy_(solved[:-1].T.reshape(inside.head.weight.shape))
    cast(Tensor, inside.head.bias).copy_(solved[-1])
    return inside, (max(missed, 0.0) / max(square, 1e-12)) ** 0.5


def _corrected(painter: Painter, hearing: Hearing, picture: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """The features of `dc3_2`, and the correction, both enlarged by two."""
    taken: list[Tensor] = []
    hook = painter.correction.register_forward_hook(lambda _conv, given, _made: taken.append(given[0]))
    correction = painter(seen_by_painter(picture, known), hearing(picture, known)).correction
    hook.remove()
    return upsample(taken[0], 2), upsample(correction, 2)
