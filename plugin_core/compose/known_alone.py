"""Fill a hole with what was found alone: the plate stays where nothing is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..patch import Patch
from ..regions.hole import Hole


def known_alone(hole: Hole, patch: Patch | None) -> tuple[Hole, Patch]:
    """Return a hole with the weights of what was found, and the patch for it, which leaves nothing over.

    Args:
        hole: what would be filled.
        patch: what was found for it; None for nothing.
    """
    if patch is None:
        nothing = np.zeros_like(hole.alpha)
        black = np.zeros((*nothing.shape, 3), np.float32)
        return Hole(hole.box, nothing), Patch(hole.box, black, nothing, nothing)
    whole = (patch.confidence > 0).astype(np.float32)
    return replace(hole, alpha=hole.alpha * patch.confidence), replace(patch, confidence=whole)
