"""A network that is not run: where what no frame shows stays as the plate has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .contract import Carry, ChannelOrder, Features, Guide, Mask, Network, Picture, StepOutput


class Idle:
    """Another network as far as anyone asks, but what it would fill is left black.

    Implements `contract.Network`.

    Args:
        network: which is not run.
    """

    def __init__(self, network: Network) -> None:
        self._network = network

    @property
    def model_id(self) -> str:
        """The other one's."""
        return self._network.model_id

    @property
    def source_offsets(self) -> tuple[int, ...]:
        """The other one's."""
        return self._network.source_offsets

    @property
    def size_multiple(self) -> int:
        """The other one's."""
        return self._network.size_multiple

    @property
    def hole_reach(self) -> int | None:
        """The other one's."""
        return self._network.hole_reach

    @property
    def guide_scales(self) -> tuple[int, ...]:
        """None: what is not run needs no flows."""
        return ()

    @property
    def channel_order(self) -> ChannelOrder:
        """The other one's."""
        return self._network.channel_order

    @property
    def working_size(self) -> int:
        """The other one's."""
        return self._network.working_size

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
