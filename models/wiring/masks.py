"""Composition masks wired by hand: sources where the target has a hole, the target where it has none.

A masknet sees how target and sources differ. Of that it needs the coverage alone: what the target lacks and
the sources have. Between the decoder's picture and the warped previous output (s1) it sees the hole itself,
because the target's hole channels are 1 there and those of a fed-back picture are 0.
"""

from __future__ import annotations

from torch import Tensor

from .carriers import HOLE, W, tap

SHARPNESS, THRESHOLD = 10.0, 0.3
"""Sources are taken where they cover more than this much more of a cell than the target does.

The previous output alone covers less than that: it is let in softly beside the fill from the surroundings, or
what it holds in the wrong place under a moving camera would be carried on for ever.
"""


_ANY = 0.25
"""Between decoder and previous output a cell of which the hole takes this share counts as hole.

Else it is taken for less along the border, just where a moving hole comes to cover what was seen.
"""


def wire_masks(state: dict[str, Tensor], feedback: float, outside: float = -7.0) -> None:
    """Write the masks into weights of zeros.

    Args:
        state: the network's weights.
        feedback: logit of the previous output's share in the hole.
        outside: logit of its share where the plate is known.
    """
    for name in ("masknet", "masknet_64", "masknet_128"):
        _chain(state, name)
        tap(state[f"{name}.convs.0.0.weight"], 0, W, 1.0)
        tap(state[f"{name}.convs.2.weight"], 0, 0, SHARPNESS)
        state[f"{name}.convs.2.bias"][0] = -SHARPNESS * THRESHOLD
    _chain(state, "masknet_256")
    for pixel in range(4):
        # Their gates are half open. The second channel takes off the first what it has above the limit.
        for channel in (0, 1):
            tap(state["masknet_256.convs.0.0.weight"], channel, HOLE + pixel, 0.5)
    state["masknet_256.convs.0.0.bias"][1] = -_ANY
    tap(state["masknet_256.convs.1.0.weight"], 0, 1, -1.0)
    tap(state["masknet_256.convs.2.weight"], 0, 0, (feedback - outside) / _ANY)
    state["masknet_256.convs.2.bias"][0] = outside


def _chain(state: dict[str, Tensor], name: str) -> None:
    """One channel through the three layers, and silence beside it."""
    for layer in ("convs.0.0", "convs.1.0", "convs.2"):
        state[f"{name}.{layer}.weight"].zero_()
        state[f"{name}.{layer}.bias"].zero_()
    tap(state[f"{name}.convs.1.0.weight"], 0, 0, 1.0)
