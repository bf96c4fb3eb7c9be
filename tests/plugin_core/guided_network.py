"""A network that takes flows: its fill is its sources, moved and weighted as told, and what it remembers."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from plugin_core.network.contract import Carry, Features, Guide, Mask, Picture, StepOutput

from .local_network import LocalNetwork

FEEDBACK = 0.5


class GuidedNetwork(LocalNetwork):
    """Implements `plugin_core.network.contract.Network`; keeps what it was given."""

    model_id = "guided"
    guide_scales = (2, 4, 8)

    def __init__(self) -> None:
        self.guides: list[Guide] = []
        self.before: list[np.ndarray] = []

    def step(
        self,
        frame: Picture,
        mask: Mask,
        sources: Sequence[Features],
        carry: Carry,
        *,
        guide: Guide | None = None,
    ) -> StepOutput:
        assert guide is not None
        height, width = mask.shape[-2:]
        shapes = [(len(sources), 3, height // scale, width // scale) for scale in self.guide_scales]
        assert [given.shape for given in guide] == shapes
        self.guides.append(guide)
        self.before.append(np.array(carry.tensors["output"]))
        plain = super().step(frame, mask, sources, carry).carry.tensors
        seen = sum(_moved(source.tensors[0], given) for source, given in zip(sources, guide[0], strict=True))
        levels = zip(guide, self.guide_scales, strict=True)
        coarse = sum(np.kron(given[:, 2].sum(axis=0), np.ones((s, s))) for given, s in levels)
        fill = (1 - FEEDBACK) * seen + FEEDBACK * carry.tensors["output"] + 0.01 * coarse
        fill = fill.astype(np.float32)
        return StepOutput(fill, Carry({**plain, "output": fill}))


def _moved(picture: np.ndarray, given: np.ndarray) -> np.ndarray:
    """A source (3, H, W) sampled along a flow at half its size, and weighted."""
    height, width = picture.shape[1:]
    flow_x, flow_y, weight = (
        cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR) for part in given
    )
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    shown = np.ascontiguousarray(picture.transpose(1, 2, 0))
    moved = cv2.remap(shown, x + 2 * flow_x, y + 2 * flow_y, cv2.INTER_LINEAR)
    return moved.transpose(2, 0, 1) * weight
