"""A network with silent channels, for what prunes them and for tests that want a quick network."""

from __future__ import annotations

import torch

from models.network.generated import generated_network
from models.network.vinet import Variant, VINet


@torch.no_grad()
def thinned(variant: Variant, share: float) -> VINet:
    """A generated network in which a random share of every layer's channels is silent."""
    network, generator = generated_network(variant), torch.Generator().manual_seed(2)
    parameters = dict(network.named_parameters())
    for key, weight in parameters.items():
        if weight.dim() == 1:
            continue
        parts = 4 if "Gates" in key else 1 if key.startswith(("flownet", "masknet")) or "dc6" in key else 2
        rows = weight.shape[0] // parts
        if rows > 3:
            silent = (torch.rand(rows, generator=generator) < share).repeat(parts)
            weight[silent] = 0
            bias = parameters.get(key.removesuffix("weight") + "bias")
            if bias is not None:
                bias[silent] = 0
    return network


@torch.no_grad()
def still(network: VINet) -> VINet:
    """The network with flow nets that move nothing, which the export leaves out of the graphs."""
    for name, parameter in network.named_parameters():
        if ".flow_estimator.conv1." in name or "convs_fine.convs.6.0." in name:
            parameter.zero_()
    return network
