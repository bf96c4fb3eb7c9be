from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from models.network.vinet import VINet
from models.painter.lessen import leave_out_quiet, show_in_part
from models.painter.network import LAYERS, Painter, Widths, loudness, seen_by_painter, silent_channels
from models.painter.samples import draw_batch
from models.painter.start import begin
from models.synthetic.pictures import Pictures

WIDTHS = Widths(6, 8, 10)


@pytest.fixture
def drawn(pictures, hearing):
    batch = draw_batch(np.random.default_rng(3), pictures, 8, 32)
    return batch, seen_by_painter(*batch), hearing(*batch)


@pytest.fixture
def painter(drawn) -> Painter:
    made = Painter(WIDTHS, carriers=2)
    begin(made, drawn[1], drawn[2], seed=5)
    return made


def test_its_layers_are_the_networks():
    network = VINet(512)
    convs = {name: module for name, module in Painter().convs.items() if name != "memory"}
    for layer in LAYERS:
        if layer.kind == "memory":
            continue
        ours = convs[layer.name]
        assert isinstance(ours, nn.Conv2d)
        [theirs] = [
            module
            for name, module in network.named_modules()
            if f".{layer.name}.conv" in f".{name}" and not name.startswith("encoder2")
            if hasattr(module, "weight")
        ]
        assert ours.kernel_size == tuple(theirs.weight.shape[-2:])
        stride, dilation = getattr(theirs, "stride", 1), theirs.dilation
        assert ours.stride == (stride if isinstance(stride, tuple) else (stride,) * 2)
        assert ours.dilation == (dilation if isinstance(dilation, tuple) else (dilation,) * 2)
        assert ours.padding == ours.dilation


def test_as_published_it_has_two_thirds_of_a_million_weights():
    assert 0.6e6 < sum(p.numel() for p in Painter().parameters()) < 0.7e6


def test_it_begins_by_correcting_nothing(painter, drawn):
    _, seen, heard = drawn
    painted = painter(seen, heard)
    assert painted.correction.shape == painted.whole.shape == heard.fill.shape
    assert not painted.correction.any()
    assert painted.whole.any()


def test_it_begins_with_values_of_deviation_one(painter, drawn):
    _, seen, heard = drawn
    looked = []

    def look(layer, conv, taken):
        rows = conv.out_channels // layer.parts
        made = conv(taken)[:, layer.value * rows : (layer.value + 1) * rows]
        looked.append(layer.name)
        deviation, mean = torch.std_mean(made, dim=(0, 2, 3))
        wanted = (0.7, 0.0) if layer.kind == "memory" else (1.0, 0.3)
        assert torch.allclose(deviation, torch.tensor(wanted[0]), atol=0.01), layer.name
        assert torch.allclose(mean, torch.tensor(wanted[1]), atol=0.01), layer.name

    painter(seen, heard, settle=look)
    assert looked == [layer.name for layer in LAYERS]


def test_pictures_differ_and_gradients_arrive(painter, drawn):
    _, seen, heard = drawn
    remembered = []

    def look(layer, _conv, taken):
        if layer.name == "dc0":
            remembered.append(taken[:, : WIDTHS.s8].flatten(1))

    painted = painter(seen, heard, settle=look)
    likeness = torch.corrcoef(remembered[0].detach())
    assert float(likeness[~torch.eye(len(seen), dtype=torch.bool)].abs().mean()) < 0.6
    torch.autograd.backward(painted.whole.square().mean())
    for name, conv in painter.convs.items():
        assert float(conv.weight.grad.norm() / conv.weight.detach().norm()) > 1e-4, name


def test_the_same_seed_gives_the_same_start(painter, drawn):
    _, seen, heard = drawn
    other = Painter(WIDTHS, carriers=2)
    begin(other, seen, heard, seed=5)
    assert all(torch.equal(a, b) for a, b in zip(painter.parameters(), other.parameters(), strict=True))


def test_it_does_not_see_what_is_hidden(drawn):
    batch, seen, _ = drawn
    other = torch.where(batch.known > 0, batch.picture, 1 - batch.picture)
    assert torch.equal(seen_by_painter(other, batch.known), seen)


def test_silent_channels_are_counted(painter, drawn):
    _, seen, heard = drawn
    assert silent_channels(painter, seen, heard) == {}
    painter.convs["bt2"].weight.data[:3] = 0
    painter.convs["bt2"].bias.data[:3] = 0
    assert silent_channels(painter, seen, heard)["bt2"] == 3


def test_quiet_channels_are_left_out(painter, hearing):
    """What is left out gives nothing any more, whatever it hears; the others give what they gave."""
    conv = painter.convs["bt2"]
    with torch.no_grad():
        for parameter in conv.parameters():
            parameter[:2] *= 1e-3
    drawn = draw_batch(np.random.default_rng(1), Pictures(procedural=1), 2, 16)
    heard, seen = hearing(*drawn), seen_by_painter(*drawn)
    before = loudness(painter, seen, heard)["bt2"]
    assert leave_out_quiet(painter, hearing) == {"bt2": 2}
    after = loudness(painter, seen, heard)["bt2"]
    assert (before[:2] > 0).all() and (after[:2] == 0).all()
    assert torch.equal(after[2:], before[2:])


def test_a_correction_is_shown_in_part(painter, drawn):
    _, seen, heard = drawn
    with torch.no_grad():
        painter.correction.weight.normal_(0, 0.1)
        whole = painter(seen, heard)
        show_in_part(painter, 0.25)
        part = painter(seen, heard)
    assert float(whole.correction.abs().max()) > 0.01
    assert torch.allclose(part.correction, 0.25 * whole.correction, atol=1e-7)
    assert torch.equal(part.whole, whole.whole)
