"""The correction's kernels where the network has them: after enlarging, by least squares.

In cells the correction and its gate are 3x3 over the features of `dc3_2` and the fill; in the network they
are 3x3 over those enlarged by two, so they span half as much and can't be the same. What comes nearest in the
mean is fitted to what the cells' kernels say of some samples, the correction's before it is gated.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from ..network.vinet import upsample
from .hearing import Hearing
from .network import SHARE, Painter, seen_by_painter
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
    shown = [_corrected(painter, hearing, *sample) for sample in samples]
    products: Tensor | None = None
    wanted: Tensor | None = None
    for features, value, gate, hole in shown:
        target = torch.cat((value, gate), dim=1)
        seen = F.unfold(features, 3, padding=1)  # (B, 9 * s2, pixels)
        seen = torch.cat((seen, torch.ones_like(seen[:, :1])), dim=1).double()
        weighted = seen * hole.flatten(2)
        product = torch.einsum("bip,bjp->ij", weighted, seen)
        want = torch.einsum("bip,bjp->ij", weighted, target.flatten(2).double())
        products = product if products is None else products + product
        wanted = want if wanted is None else wanted + want
    assert products is not None and wanted is not None
    ridge = _RIDGE * products.diagonal().mean() * torch.eye(len(products)).to(products)
    solved = torch.linalg.solve(products + ridge, wanted)
    inside.to(painter.correction.weight.device)
    for conv, part in ((inside.head, solved[:, :3]), (inside.gate, solved[:, 3:])):
        conv.weight.copy_(part[:-1].T.reshape(conv.weight.shape))
        cast(Tensor, conv.bias).copy_(part[-1])
    square, missed = 0.0, 0.0
    for features, value, gate, hole in shown:
        true = torch.sigmoid(gate) * value
        off = torch.sigmoid(inside.gate(features)) * inside.head(features) - true
        square += float((true.square() * hole).sum())
        missed += float((off.square() * hole).sum())
    return inside, (missed / max(square, 1e-12)) ** 0.5


def _corrected(painter: Painter, hearing: Hearing, picture: Tensor, known: Tensor) -> tuple[Tensor, ...]:
    """Enlarged by two: features of `dc3_2` and 2 * fill - 1, correction and gate not bent, the hole."""
    taken: list[Tensor] = []
    hook = painter.gate.register_forward_hook(lambda _conv, given, _made: taken.append(given[0]))
    heard = hearing(picture, known)
    painter(seen_by_painter(picture, known), heard)
    hook.remove()
    features = torch.cat((taken[0][:, : painter.widths.s2], 2 * heard.fill - 1), dim=1)
    parts = features, SHARE * painter.correction(taken[0]), painter.gate(taken[0])
    return *(upsample(part, 2) for part in parts), F.interpolate(1 - known, scale_factor=2)
