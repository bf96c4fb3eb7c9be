"""A network whose fill at a pixel depends on nothing far from it, so that any two crops must agree there.

It remembers at two scales: a memory of 8-pixel blocks, as the ConvLSTM's is coarser than the picture, and
its previous output and mask. What it remembers of a block it keeps as long as the block touches the hole;
elsewhere only the frame before counts. So a crop that moves and shifts all of it rightly gives in the hole
what a crop of the whole plate gives, and one that shifts it by a block too much, or forgets it, does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from plugin_core.network.contract import Carry, Features, Mask, Picture, StepOutput

_SHARES = (0.15, 0.1, 0.2, 0.05)
_BLOCK = 8


class LocalNetwork:
    """Implements `plugin_core.network.contract.Network`."""

    model_id = "local"
    source_offsets = (-6, -3, 3, 6)
    size_multiple = _BLOCK
    hole_reach = None
    guide_scales = ()
    channel_order = "RGB"
    working_size = 4096

    def encode(self, frame: Picture, mask: Mask) -> Features:
        return Features((frame * (1 - mask) + 0.05 * mask,))

    def start(self, frame: Picture, mask: Mask) -> Carry:
        height, width = mask.shape[-2:]
        blocks = np.zeros((1, height // _BLOCK, width // _BLOCK), np.float32)
        return Carry({"blocks": blocks, "output": frame * (1 - mask), "mask": mask, "count": np.float32(0)})

    def step(self, frame: Picture, mask: Mask, sources: Sequence[Features], carry: Carry) -> StepOutput:
        seen = sum(share * source.tensors[0] for share, source in zip(_SHARES, sources, strict=True))
        blocks = np.repeat(np.repeat(carry.tensors["blocks"], _BLOCK, axis=1), _BLOCK, axis=2)
        fill = seen + 0.3 * blocks + 0.2 * carry.tensors["output"] + 0.1 * carry.tensors["mask"]
        fill = (fill + 0.01 * carry.tensors["count"]).astype(np.float32)
        touched = _by_block(mask).max(axis=(2, 4))
        mean = _by_block(fill.mean(axis=0, keepdims=True)).mean(axis=(2, 4))
        kept = {
            "blocks": (touched * (0.7 * carry.tensors["blocks"] + 0.3 * mean)).astype(np.float32),
            "output": np.where(mask > 0, fill, frame),
            "mask": 0.5 * mask,
            "count": np.asarray(0.9 * carry.tensors["count"] + 0.1, np.float32),
        }
        return StepOutput(fill, Carry(kept))

    def fetch(self, carry: Carry) -> dict[str, NDArray[np.float32]]:
        return {name: np.array(value) for name, value in carry.tensors.items()}

    def put(self, arrays: Mapping[str, NDArray[np.float32]]) -> Carry:
        return Carry({name: np.array(value) for name, value in arrays.items()})


def _by_block(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    channels, height, width = picture.shape
    return picture.reshape(channels, height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK)
