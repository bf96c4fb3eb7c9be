"""Pruning: fewer weights, the same numbers, in torch and in the exported graphs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from models.network.generated import generated_network
from models.network.prune import pruned
from models.network.vinet import Variant, VINet
from models.onnx_export.bundle import export_bundle
from models.wiring.start import lean_network
from plugin_core.network import graphs
from plugin_core.network.bundle import Bundle, Provenance
from tests.models.network.thin import thinned
from tests.models.network.vectors import moving_frames, tensors
from tests.models.onnx_export.test_bundle import agree

pytestmark = pytest.mark.slow


def size(network: VINet) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@torch.no_grad()
def run(network: VINet, count: int = 3) -> list[Tensor]:
    frames, masks = tensors(*moving_frames(count, 48, 64))
    carry, outputs = network.start(frames[:1], masks[:1]), []
    sources = [network.encode_source(frames[i % count, None], masks[i % count, None]) for i in range(4)]
    for t in range(count):
        step = network.step(frames[t, None], masks[t, None], sources, carry)
        carry = step.carry
        outputs += [step.output, step.flow_s2]
    return outputs


@pytest.mark.parametrize("variant", [256, 512])
def test_silent_channels_go_and_the_numbers_stay(variant: Variant) -> None:
    whole = thinned(variant, 0.5)
    smaller = pruned(whole)
    assert size(smaller) < 0.6 * size(whole)
    for before, after in zip(run(whole), run(smaller), strict=True):
        assert before.abs().max() > 0.01
        assert (before - after).abs().max() < 1e-5


def test_a_network_that_uses_everything_stays_whole() -> None:
    network = generated_network(512)
    smaller = pruned(network)
    assert size(smaller) == size(network)
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), smaller.parameters(), strict=True))


def test_channels_that_nothing_hears_go_too() -> None:
    network = generated_network(512)
    with torch.no_grad():
        network.decoder.dc6.weight[:, 4:] = 0
    smaller = pruned(network)
    assert smaller.decoder.dc5.conv.weight.shape[0] == 2 * 4
    assert all((a - b).abs().max() < 1e-5 for a, b in zip(run(network), run(smaller), strict=True))


def test_the_wiring_alone_is_a_small_part_of_the_published_network() -> None:
    lean = lean_network(512)
    smaller = pruned(lean)
    unused = sum(parameter.numel() for parameter in smaller.flownet_256.parameters())
    assert size(smaller) - unused < 0.02 * size(lean)
    for before, after in zip(run(lean), run(smaller), strict=True):
        assert (before - after).abs().max() < 1e-5


@pytest.mark.parametrize("x86", [True, False])
def test_graphs_of_a_pruned_network_agree_with_the_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, x86: bool
) -> None:
    monkeypatch.setattr(graphs, "is_x86", lambda: x86)
    network = thinned(512, 0.6)
    bundle = export_bundle(
        network,
        tmp_path / "thin",
        name="thin",
        provenance=Provenance(kind="generated", summary="Thinned for a test."),
        licence="Apache-2.0",
        weights="float32",
    )
    manifest = Bundle.open(bundle).manifest
    for feature, published in zip(manifest.features, (64, 96, 128), strict=True):
        assert 0 < feature.channels < published
    memory = next(tensor.channels for tensor in manifest.carry if tensor.name == "hidden")
    assert 0 < memory < 128
    # The pruned memory has fewer channels, so it is compared with the pruned network's.
    agree(pruned(network), bundle, 48, 80)
