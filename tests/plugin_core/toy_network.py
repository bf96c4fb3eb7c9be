"""A network small enough to compute by hand, whose result shows every one of its inputs.

The fill depends on the frame, the mask, each source by its place, the order of the steps and the carry, with
weights that tell them apart. A step out of order, a wrong source, a forgotten or a foreign carry changes the
pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from plugin_core.errors import StateError
from plugin_core.network.contract import Carry, Features, Mask, Picture, StepOutput

_SHARES = (0.31, 0.17, 0.23, 0.11)


class ToyNetwork:
    """Implements `plugin_core.network.contract.Network`; counts its calls."""

    source_offsets = (-6, -3, 3, 6)
    size_multiple = 8
    hole_reach = None
    guide_scales = ()
    channel_order = "RGB"
    working_size = 64

    def __init__(self, model_id: str = "toy") -> None:
        self.model_id = model_id
        self.steps = 0
        self.encodes = 0

    def encode(self, frame: Picture, mask: Mask) -> Features:
        _check(frame, mask)
        self.encodes += 1
        return Features((frame * (1 - mask) + 0.05 * mask,))

    def start(self, frame: Picture, mask: Mask) -> Carry:
        _check(frame, mask)
        return Carry({"memory": (0.1 * mask).astype(np.float32), "count": np.zeros((), np.float32)})

    def step(
        self,
        frame: Picture,
        mask: Mask,
        sources: Sequence[Features],
        carry: Carry,
        *,
        debug: bool = False,
    ) -> StepOutput:
        _check(frame, mask)
        assert len(sources) == len(self.source_offsets)
        self.steps += 1
        seen = sum(share * source.tensors[0] for share, source in zip(_SHARES, sources, strict=True))
        memory = carry.tensors["memory"]
        around = (frame * (1 - mask)).mean()
        fill = np.tanh(seen + 0.4 * memory + 0.2 * around + 0.01 * carry.tensors["count"]).astype(np.float32)
        kept = {
            "memory": (0.8 * memory + 0.2 * fill.mean(axis=0, keepdims=True) + 0.05 * mask).astype(
                np.float32
            ),
            "count": np.asarray(carry.tensors["count"] * np.float32(0.9) + np.float32(0.1)),
        }
        return StepOutput(
            fill, Carry(kept), {"raw": fill[None], "flow_s2": self.flows(mask)} if debug else {}
        )

    def flows(self, mask: Mask) -> NDArray[np.float32]:
        """What it shows of its flows when asked: it has none."""
        return np.zeros((5, 2, mask.shape[1] // 4, mask.shape[2] // 4), np.float32)

    def fetch(self, carry: Carry) -> dict[str, NDArray[np.float32]]:
        return {name: np.array(value) for name, value in carry.tensors.items()}

    def put(self, arrays: Mapping[str, NDArray[np.float32]]) -> Carry:
        if set(arrays) != {"memory", "count"}:
            raise StateError(f"The state holds {sorted(arrays)}; the toy takes count and memory.")
        assert arrays["count"].shape == () and arrays["memory"].ndim == 3
        return Carry({name: np.array(value) for name, value in arrays.items()})


def _check(frame: Picture, mask: Mask) -> None:
    """Refuse what a real network would choke on."""
    assert frame.dtype == np.float32 and frame.shape[0] == 3 and np.isfinite(frame).all()
    assert mask.shape == (1, *frame.shape[1:]) and set(np.unique(mask)) <= {0.0, 1.0}
    assert frame.shape[1] % 8 == 0 and frame.shape[2] % 8 == 0
