"""How deep a hole a network fills."""

from __future__ import annotations

import pytest
import torch

from models.network.prune import pruned
from models.network.reach import measured_reach
from models.wiring.start import lean_network

pytestmark = pytest.mark.slow


@torch.no_grad()
def test_the_wiring_fills_some_way_and_no_farther() -> None:
    network = pruned(lean_network(512).eval())
    reach = measured_reach(network)
    assert reach is not None and reach % 16 == 0
    side = 8 * reach
    frame = torch.full((1, 3, side, side), 0.5)
    mask = torch.zeros(1, 1, side, side)
    mask[..., 64:-64, 64:-64] = 1
    sources = [network.encode_source(frame, mask)] * 4
    row = network.step(frame, mask, sources, network.start(frame, mask)).output[0, :, side // 2]
    assert (row[:, : 64 + reach] - 0.5).abs().max() < 0.06
    assert (row[:, side // 2] - 0.5).abs().max() > 0.3


@torch.no_grad()
def test_a_network_that_keeps_no_flat_color_has_no_limit() -> None:
    network = pruned(lean_network(512).eval())
    network.decoder.dc6.weight *= 0.5
    assert measured_reach(network) is None
