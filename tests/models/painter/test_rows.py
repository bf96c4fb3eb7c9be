"""The painter in the network: what an exported step adds to a fill is what the painter corrects in cells."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from models.network.prune import pruned
from models.network.vinet import resting_guide
from models.onnx_export import graph_vinet
from models.onnx_export.bundle import export_bundle
from models.painter import export
from models.painter.beside import Beside
from models.painter.network import Painter, Widths, seen_by_painter
from models.painter.rows import Inside, wired_network
from models.painter.samples import draw_batch
from models.painter.start import begin
from models.painter.trainer import Settings, Trainer
from models.painter.whole import Whole
from models.wiring.interpolation import Interpolation
from plugin_core.network.bundle import Provenance
from plugin_core.network.session import Session
from tests.models.onnx_export.test_bundle import guides

pytestmark = pytest.mark.slow


@pytest.fixture
def painter(pictures, hearing) -> Painter:
    """One that corrects."""
    batch = draw_batch(np.random.default_rng(3), pictures, 8, 32)
    made = Painter(Widths(6, 8, 10), carriers=2)
    begin(made, seen_by_painter(*batch), hearing(*batch), seed=5)
    with torch.no_grad():
        generator = torch.Generator().manual_seed(1)
        made.correction.weight.normal_(0, 0.2, generator=generator)
        made.gate.weight.normal_(0, 0.1, generator=generator)
        made.correction.bias[:] = torch.tensor([0.2, -0.1, 0.1])
    return made.eval()


@pytest.fixture
def still(pictures):
    """A picture in cells with a hole of whole cells, and both as the network takes them."""
    picture = draw_batch(np.random.default_rng(8), pictures, 1, 32, geometry=0).picture
    known = torch.ones(1, 1, 32, 32)
    known[..., 8:22, 10:25] = 0
    frame = 2 * F.interpolate(picture, scale_factor=4) - 1
    return picture, known, frame[0].numpy(), F.interpolate(1 - known, scale_factor=4)[0].numpy()


def rolled(network, frame, mask, frames=4, beside=None, trust=1.0) -> tuple[torch.Tensor, torch.Tensor]:
    """First output of a shot that stands still, and the decoder's last picture, in colors 0..1 and cells.

    By the last frame the memory's cell has settled, as the interpolation in cells takes it to be. `beside`:
    the mask of the frames beside, if it is another, trusted so far.
    """
    frame, mask = torch.from_numpy(frame)[None], torch.from_numpy(mask)[None]
    other = mask if beside is None else torch.from_numpy(beside)[None]
    carry, source = network.start(frame, mask), network.encode_source(frame, other)
    guide = {
        level: torch.cat((flow[:, :, :2], trust * flow[:, :, 2:]), dim=2)
        for level, flow in resting_guide(source).items()
    }
    results = []
    with torch.no_grad():
        for _ in range(frames):
            results.append(network.step(frame, mask, [source] * 4, carry, guide=guide))
            carry = results[-1].carry
    return results[0].output, F.avg_pool2d((results[-1].raw + 1) / 2, 4)


def test_an_exported_step_corrects_as_the_painter_does_in_cells(painter, hearing, still, tmp_path):
    picture, known, frame, mask = still
    with torch.no_grad():
        wanted = painter(seen_by_painter(picture, known), hearing(picture, known)).correction
    inside = Inside(painter)
    _, without = rolled(pruned(wired_network(hearing.interpolation)), frame, mask)
    hole = (known == 0).expand_as(wanted)
    shown = (F.max_pool2d(1 - known, 3, 1, 1) == 0).expand_as(wanted)
    size = float(wanted[hole].square().mean().sqrt())
    assert size > 0.02
    for sources in (False, True):
        network = pruned(Whole(painter, inside, hearing, sources=sources).network())
        first, last = rolled(network, frame, mask)
        added = last - without
        assert float((added - wanted)[hole].square().mean().sqrt()) < 0.15 * size, sources
        assert float(added[shown].abs().max()) < 0.1 * size, sources
        assert torch.equal(
            Whole(painter, inside, hearing, sources=sources).run(lambda n: rolled(n, frame, mask, 1)[0]),
            first,
        )
    about = Provenance(kind="trained", summary="A test.", details={})
    folder = export_bundle(
        network,
        tmp_path / "b",
        name="t",
        provenance=about,
        licence="none",
        weights="float32",
        channel_order="BGR",
    )
    with Session.open(folder, device="cpu", threads=1) as session:
        rgb = np.ascontiguousarray(frame[::-1])
        source = session.encode(rgb, mask)
        output = session.step(rgb, mask, [source] * 4, session.start(rgb, mask))
    assert np.abs(output.fill[::-1] - first[0].numpy()).max() < 1e-3


@pytest.mark.parametrize("trust", [1.0, 0.6])
def test_with_sources_it_corrects_as_in_cells_with_a_frame_beside(painter, hearing, still, trust):
    picture, known, frame, mask = still
    theirs = torch.ones_like(known)
    theirs[..., 14:30, 4:20] = 0
    beside = Beside(picture, theirs, torch.full((1, 1, 1, 1), trust))
    with torch.no_grad():
        heard = hearing(picture, known, beside)
        wanted = painter(seen_by_painter(picture, known), heard, beside=beside).correction
        alone = painter(seen_by_painter(picture, known), hearing(picture, known)).correction
    other = F.interpolate(1 - theirs, scale_factor=4)[0].numpy()
    networks = (
        wired_network(hearing.interpolation),
        Whole(painter, Inside(painter), hearing, sources=True).network(),
    )
    fills = [rolled(pruned(network), frame, mask, beside=other, trust=trust)[1] for network in networks]
    hole = (known == 0).expand_as(wanted)
    missed, stray = (
        float((fills[1] - fills[0] - each)[hole].square().mean().sqrt()) for each in (wanted, alone)
    )
    assert missed < 0.4 * stray and missed < 0.04
    assert float((fills[0] - heard.fill)[hole].abs().max()) < 0.1


def test_nothing_is_corrected_where_the_sources_show_the_hole(painter, hearing, still, tmp_path):
    network = pruned(Whole(painter, Inside(painter), hearing, sources=False).network())
    base = pruned(wired_network(hearing.interpolation))
    frame, mask = (torch.as_tensor(part) for part in still[2:])
    outputs = []
    with torch.no_grad():
        for each in (network, base):
            shown = each.encode_source(frame[None], torch.zeros_like(mask[None]))
            outputs.append(
                each.step(frame[None], mask[None], [shown] * 4, each.start(frame[None], mask[None])).raw
            )
    assert float((outputs[0] - outputs[1])[..., 40:80, 48:96].abs().max()) < 0.01


def test_frames_beside_that_count_alike_are_summed_as_they_are_moved(
    pictures, hearing, tmp_path, monkeypatch
):
    painter = Painter(Widths(12, 12, 12), carriers=2)
    batch = draw_batch(np.random.default_rng(3), pictures, 8, 32)
    begin(painter, seen_by_painter(*batch), hearing(*batch), seed=5)
    torch.nn.init.constant_(painter.correction.weight, 0.01)  # else nothing hears the rows
    network = pruned(Whole(painter, Inside(painter), hearing, sources=True).network())
    frame, mask = (2 * batch.picture[0] - 1).numpy(), (batch.known[0] < 1).float().numpy()
    guide = guides((4, 8, 16), 32, 32, seed=1)
    fills, sizes = [], []
    for least in (16, 1000):
        monkeypatch.setattr(graph_vinet, "_SUMMED_FROM", least)
        about = Provenance(kind="generated", summary="A test.", details={})
        folder = export_bundle(network, tmp_path / f"{least}", name="t", provenance=about, licence="none")
        sizes.append((folder / "weights.bin").stat().st_size)
        with Session.open(folder, device="cpu", threads=1) as session:
            sources = [
                session.encode(np.roll(frame, shift, 2), np.roll(mask, shift, 2)) for shift in (9, 4, -4, -9)
            ]
            output = session.step(frame, mask, sources, session.start(frame, mask), guide=guide)
            fills.append(output.fill)
    assert np.abs(fills[0] - fills[1]).max() < 1e-5
    assert sizes[0] < sizes[1]  # three of four kernels


def test_the_command_writes_a_bundle_that_says_what_it_is(pictures, tmp_path, monkeypatch, capsys):
    trainer = Trainer(
        Settings(batch={16: 2}, shares={16: 1.0}, grid=1, widths=Widths(4, 6, 8)),
        pictures,
        Interpolation(2, 2),
    )
    trainer.learn()
    trainer.save(tmp_path / "c.safetensors")
    monkeypatch.setattr(export, "measured_reach", lambda _network: 320)
    assert export.main(["--checkpoint", str(tmp_path / "c.safetensors"), "--out", str(tmp_path / "b")]) == 0
    with Session.open(tmp_path / "b", device="cpu", threads=1) as session:
        assert session.hole_reach == 320
    assert export.main(["--checkpoint", str(tmp_path / "none"), "--out", str(tmp_path / "c")]) == 2
    assert "can't be read" in capsys.readouterr().err
    assert export.main(["--shown", "35", "--out", str(tmp_path / "c")]) == 2
    assert "--shown is a share from 0 to 1, not 35" in capsys.readouterr().err
