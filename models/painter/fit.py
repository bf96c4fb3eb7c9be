"""The correction begun anew from the whole picture: by least squares, where the network makes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..network.vinet import upsample
from .hearing import Hearing
from .network import SHARE, Painter, enlarged, seen_by_painter

_RIDGE = 1e-4


@torch.no_grad()
def correct_by_whole(painter: Painter, hearing: Hearing, samples: Iterable[tuple[Tensor, Tensor]]) -> None:
    """Write the correction anew: the whole picture less the fill that is shown, its gate half open.

    Args:
        painter: changed in place.
        hearing: what it hears.
        samples: batches of pictures and of each cell's known share, as `draw_batch` gives them.
    """
    features: list[Tensor] = []
    hook = painter.whole.register_forward_pre_hook(lambda _conv, given: features.append(given[0]))
    products = wanted = torch.zeros(())
    for picture, known in samples:
        heard = hearing(picture, known)
        whole = painter(seen_by_painter(picture, known), heard).whole
        seen = F.unfold(enlarged(features.pop(), heard), 3, padding=1)  # (B, 9 * columns, pixels)
        seen = torch.cat((seen, torch.ones_like(seen[:, :1])), dim=1).double()
        weighted = seen * F.interpolate(1 - known, scale_factor=2).flatten(2)
        target = upsample(whole - heard.fill, 2).flatten(2).double()
        products = products + torch.einsum("bip,bjp->ij", weighted, seen)
        wanted = wanted + torch.einsum("bip,bjp->ij", weighted, target)
    hook.remove()
    ridge = _RIDGE * products.diagonal().mean() * torch.eye(len(products)).to(products)
    solved = torch.linalg.solve(products + ridge, wanted) / SHARE
    made = painter.correction
    made.weight.copy_(solved[:-1].T.reshape(made.weight.shape))
    cast(Tensor, made.bias).copy_(solved[-1])
    nn.init.zeros_(painter.gate.weight)
    nn.init.zeros_(cast(Tensor, painter.gate.bias))
