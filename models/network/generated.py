"""Weights made from a seed, so that a network can be compared number by number without a weights file.

The generator gives the same float32 numbers on every machine: it uses numpy's PCG64 seeded by the SHA-256 of
``"{seed}:{key}"``, so a weight depends on its own name only.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np
import torch
from numpy.typing import NDArray

from .vinet import Variant, VINet

_FIRST = ("encoder1.ec0.", "encoder2.ec0.", "decoder.dc0.")


def _gain(key: str) -> float:
    """Scale of a weight, by the kind of layer, chosen so that activations keep their size through the net."""
    if key.startswith(_FIRST):
        return 3.2
    if key.startswith(("encoder1.", "encoder2.", "st_agg")):
        return 2.4
    if key == "decoder.dc6.weight":
        return 0.25
    if key.startswith(("bottleneck.", "decoder.")):
        return 2.8
    if key == "convlstm.Gates.weight":
        return 3.0
    if key.endswith(("flow_estimator.conv1.weight", "convs_fine.convs.6.0.weight")):
        return 1.2
    if key.startswith("masknet") and key.endswith("convs.2.weight"):
        return 0.9
    return 1.45


def generated_weight(key: str, shape: tuple[int, ...], seed: int = 1) -> NDArray[np.float32]:
    """The weight called `key`, normal with a spread that suits the layer; biases have a spread of 0.05."""
    digest = hashlib.sha256(f"{seed}:{key}".encode()).digest()
    normal = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:8], "little"))).standard_normal(shape)
    if key.endswith(".bias"):
        return (0.05 * normal).astype(np.float32)
    return (_gain(key) / math.sqrt(math.prod(shape[1:])) * normal).astype(np.float32)


def generated_network(variant: Variant, seed: int = 1) -> VINet:
    """A VINet with generated weights, in evaluation mode."""
    network = VINet(variant)
    state = {
        key: torch.from_numpy(generated_weight(key, tuple(value.shape), seed))
        for key, value in network.state_dict().items()
    }
    network.load_state_dict(state)
    return network.eval()
