"""How deep a hole a network can fill: it sees no farther than its layers reach.

Deeper in a hole than that it paints mid grey, whatever surrounds the hole. The core shows such a hole reduced
(`hole_reach` of the manifest).
"""

from __future__ import annotations

import torch

from .vinet import SOURCE_OFFSETS, VINet

_LENGTH, _HEIGHT, _SHOWN = 1024, 384, 64
"""Input pixels: a strip whose beginning is shown, the rest is hole."""

_FLAT = (-0.6, 0.6)
_OFF = 0.06
"""Levels of a strip, in the network's -1..1, and by how much its fill may miss them."""

_FRAMES = 8
"""By then what is fed back has settled."""

_LEAST = 32
"""Who misses a flat color nearer to the border than this was not taught to keep it."""


@torch.no_grad()
def measured_reach(network: VINet) -> int | None:
    """Measure how far from what is shown a network still continues a flat color, in pixels of its input.

    Target and sources have the same hole: nothing helps but the strip's shown end.

    Returns:
        A multiple of the network's size multiple; None for a network that does not keep a flat color at all.
    """
    network = network.eval()
    reached = _LENGTH - _SHOWN
    for level in _FLAT:
        reached = min(reached, _reached(network, level))
        if reached < _LEAST:
            return None
    return reached // network.size_multiple * network.size_multiple


def _reached(network: VINet, level: float) -> int:
    frame = torch.full((1, 3, _HEIGHT, _LENGTH), level)
    mask = torch.ones(1, 1, _HEIGHT, _LENGTH)
    mask[..., :_SHOWN] = 0
    sources = [network.encode_source(frame, mask)] * len(SOURCE_OFFSETS)
    carry, wrong = network.start(frame, mask), torch.zeros(_LENGTH - _SHOWN)
    for _ in range(_FRAMES):
        result = network.step(frame, mask, sources, carry)
        carry = result.carry
        wrong = wrong.maximum((result.output[0, :, _HEIGHT // 2, _SHOWN:] - level).abs().amax(dim=0))
        off = wrong > _OFF
        reached = int(off.int().argmax()) if off.any() else wrong.numel()
        if reached < _LEAST:  # it can only get worse
            break
    return reached
