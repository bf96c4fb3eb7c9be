from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from models.network.prune import pruned
from models.painter.hearing import SHIPPED, Hearing, interpolation_of
from models.wiring.interpolation import wire_interpolation
from models.wiring.start import lean_network
from plugin_core.errors import ModelError


@pytest.fixture(scope="module")
def shipped() -> Hearing:
    return Hearing(interpolation_of())


def test_what_is_read_back_from_the_bundle_makes_the_bundle_again(shipped):
    network = lean_network(512)
    wire_interpolation(network.state_dict(), shipped.interpolation)
    stored = {
        tensor.name: numpy_helper.to_array(tensor)
        for tensor in onnx.load(SHIPPED / "step.onnx").graph.initializer
        if tensor.name.startswith("weight_")
    }
    kernels = {k.tobytes() for k in stored.values()}
    for name, weight in pruned(network).named_parameters():
        if not name.startswith(("bottleneck", "decoder")) or name.endswith("dc6.weight"):
            continue
        for half in weight.detach().flatten(0, 0).reshape(len(weight), -1, 3, 3).chunk(2):
            around = half.clone()
            around[:, :, 1, 1] = 0
            own = half if around.any() else half[:, :, 1, 1]  # the rest of such kernels is left out
            if half.any():
                assert (own.numpy().astype(np.float16) + 0).tobytes() in {
                    (np.frombuffer(k, np.float16) + 0).tobytes() for k in kernels
                }, name


def test_a_flat_color_is_heard_at_every_level(shipped):
    color = torch.tensor([0.7, 0.3, 0.2]).view(1, 3, 1, 1)
    picture = color.expand(1, 3, 64, 64).contiguous()
    known = torch.ones(1, 1, 64, 64)
    known[..., 20:44, 20:44] = 0
    heard = shipped(picture, known)
    assert (heard.fill - picture).abs().max() < 0.05
    assert heard.s8.shape == (1, 24, 16, 16)
    assert heard.s4.shape == (1, 24, 32, 32)
    assert heard.s2.shape == (1, 4, 64, 64)
    covered, shown = heard.s2[:, 3:], heard.s2[:, :3]
    assert ((shown / covered + 1) / 2 - heard.fill).abs().max() < 0.05
    assert heard.last.shape == (1, 5, 64, 64)
    assert float(heard.fill.std(dim=(2, 3)).max()) < 0.05


def test_every_level_is_heard_as_loud(shipped):
    white = torch.ones(1, 3, 32, 32)
    for level in shipped(white, torch.ones(1, 1, 32, 32))[:3]:
        assert float(level.mean(dim=(0, 2, 3)).abs().max()) == pytest.approx(1, abs=1e-5)


def test_what_it_hides_is_not_heard(shipped):
    known = torch.ones(1, 1, 32, 32)
    known[..., 10:20, 10:20] = 0
    picture = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    other = torch.where(known > 0, picture, torch.rand_like(picture))
    assert all(torch.equal(a, b) for a, b in zip(shipped(picture, known), shipped(other, known), strict=True))


def test_it_is_frozen(shipped):
    assert not any(parameter.requires_grad for parameter in shipped.parameters())


def test_a_bundle_that_is_something_else_is_refused(tmp_path):
    graph = onnx.helper.make_graph([], "none", [], [])
    onnx.save(onnx.helper.make_model(graph), tmp_path / "step.onnx")
    with pytest.raises(ModelError, match="can't hear it"):
        interpolation_of(tmp_path)
