"""A network that is not run: where what no frame shows stays as the plate has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .contract import Carry, Features, Guide, Mask, Picture, StepOutput
from .wrapped import Wrapped


class Idle(Wrapped):
    """Another network as far as anyone asks, but what it would fill is left black.

    Args:
        network: which is not run.
    """

    @property
    def guide_scales(self) -> tuple[int, ...]:
        """None: what is not run needs no flows."""
        return ()

    def encode(self, frame: Picture, mask: Mask) -> Features:
        """Return nothing."""
        return Features(())

    def start(self, frame: Picture, mask: Mask) -> Carry:
        """Return a carry that says nothing; a saved state has to hold something of each crop."""
        cells = tuple(side // self.size_multiple for side in mask.shape[1:])
        return Carry({"idle": np.zeros((1, 1, *cells), np.float32)})

    def step(
        self,
        frame: Picture,
        mask: Mask,
        sources: Sequence[Features],
        carry: Carry,
        *,
        guide: Guide | None = None,
        debug: bool = False,
    ) -> StepOutput:
        """Return black."""
        return StepOutput(np.zeros_like(frame), carry)

    def fetch(self, carry: Carry) -> dict[str, NDArray[np.float32]]:
        """Return it."""
        return dict(carry.tensors)

    def put(self, arrays: Mapping[str, NDArray[np.float32]]) -> Carry:
        """Bring it back."""
        return Carry(dict(arrays))
