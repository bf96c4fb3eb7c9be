"""A network around another one: what differs is said by who derives from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .channel_order import ChannelOrder
from .contract import Carry, Features, Guide, Mask, Network, Picture, StepOutput


class Wrapped:
    """Another network, in all that is asked of one. Implements `contract.Network`.

    Args:
        network: the other one.
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
        """The other one's."""
        return self._network.guide_scales

    @property
    def channel_order(self) -> ChannelOrder:
        """The other one's."""
        return self._network.channel_order

    @property
    def working_size(self) -> int:
        """The other one's."""
        return self._network.working_size

    def encode(self, frame: Picture, mask: Mask) -> Features:
        """Encode one frame as a source."""
        return self._network.encode(frame, mask)

    def start(self, frame: Picture, mask: Mask) -> Carry:
        """Return the carry before a shot's first frame."""
        return self._network.start(frame, mask)

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
        """Fill one frame."""
        more = {} if guide is None else {"guide": guide}
        return self._network.step(frame, mask, sources, carry, debug=debug, **more)

    def fetch(self, carry: Carry) -> dict[str, NDArray[np.float32]]:
        """Copy a carry to host memory."""
        return self._network.fetch(carry)

    def put(self, arrays: Mapping[str, NDArray[np.float32]]) -> Carry:
        """Bring a fetched carry back."""
        return self._network.put(arrays)
