"""Where training starts: a network that already passes signals through and moves nothing.

Gains keep activations at their size from layer to layer, the two encoders start equal (so that comparing and
correlating their features means something from the first step), aggregators start as the mean of the five
sources, and every flow net ends in zeros, so a flow net that has not been trained yet moves nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .golden import generated_weight
from .vinet import Variant, VINet

_FLOW_ENDS = ("flow_estimator.conv1.weight", "convs_fine.convs.6.0.weight")


def initial_network(variant: Variant, seed: int) -> VINet:
    """A VINet ready to be trained; the same numbers for the same seed on every machine."""
    network = VINet(variant)
    state = network.state_dict()
    for key, value in state.items():
        drawn = torch.from_numpy(
            generated_weight(key.replace("encoder2.", "encoder1."), tuple(value.shape), seed)
        )
        value.copy_(_initial(key, drawn))
    network.load_state_dict(state)
    return network


def _initial(key: str, drawn: Tensor) -> Tensor:
    if key.endswith(_FLOW_ENDS):
        return torch.zeros_like(drawn)
    if key.startswith("st_agg"):
        return _mean_of_sources(drawn)
    if key == "convlstm.Gates.bias":  # open the input and output gates, keep half of the memory
        return torch.tensor([1.0, 0.0, 1.0, 0.0]).repeat_interleave(128)
    if key == "masknet_256.convs.2.bias":  # begin by trusting the decoder, not the previous output
        return torch.full_like(drawn, -2.0)
    return torch.zeros_like(drawn) if key.endswith(".bias") else drawn


def _mean_of_sources(drawn: Tensor) -> Tensor:
    """Gate half open, value the mean of the five sources (doubled for the gate), and a little noise."""
    weight = 0.2 * drawn
    channels = weight.shape[1]
    index = torch.arange(channels)
    weight[index, index, :, 1, 1] += 2 / 5
    return weight
