"""The learned interpolation: its own path is the network's, and a flat color stays flat."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional

from models.network.prune import pruned
from models.network.vinet import VINet
from models.network.weights import load_weights
from models.synthetic.pictures import Pictures
from models.training.stills import Shown, samples, seen_by
from models.training.train_interpolation import main
from models.wiring.interpolation import Interpolation, Seen, wire_interpolation
from models.wiring.start import lean_network

pytestmark = pytest.mark.slow

SIZE = 64


def strange(seed: int = 0) -> Interpolation:
    """One that differs from the wiring in every constant."""
    generator = torch.Generator().manual_seed(seed)
    learned = Interpolation(3, 4)
    with torch.no_grad():
        for name, value in learned.named_parameters():
            amount = 0.03 if name.endswith("tone") else 0.01
            value += amount * torch.randn(value.shape, generator=generator)
    return learned


def strange_run(path: Path) -> dict[str, torch.Tensor]:
    """Write what some other run of two carriers left."""
    learned = Interpolation(2, 2, seed=7)
    with torch.no_grad():
        for value in learned.parameters():
            value += 0.01
    save_file(learned.state_dict(), path)
    return learned.state_dict()


def wired_with(learned: Interpolation) -> VINet:
    network = lean_network(512).eval()
    wire_interpolation(network.state_dict(), learned)
    return network


def frames() -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """A target and four sources, each with a hole elsewhere."""
    rng = np.random.default_rng(1)
    coarse = torch.from_numpy(rng.random((1, 3, 8, 8)).astype(np.float32))
    picture = 2 * functional.interpolate(coarse, SIZE, mode="bicubic").clamp(0, 1) - 1
    masks = [torch.zeros(1, 1, SIZE, SIZE) for _ in range(5)]
    for n, mask in enumerate(masks):
        mask[..., 20:44, 20 + 4 * n : 40 + 4 * n] = 1
    return [picture] * 5, masks


@torch.no_grad()
def settled(network: VINet, steps: int = 20) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The network's output once its memory has settled, and what some of its layers took and gave."""
    caught: dict[str, torch.Tensor] = {}
    network.bottleneck.bt0.register_forward_pre_hook(lambda _, taken: caught.update(bt0=taken[0]))
    network.decoder.dc2_1.register_forward_pre_hook(lambda _, taken: caught.update(dc2_1=taken[0]))
    network.decoder.dc2_2.register_forward_hook(lambda _m, _t, given: caught.update(dc2_2=given))
    pictures, masks = frames()
    carry = network.start(pictures[0], masks[0])
    sources = [network.encode_source(p, m) for p, m in zip(pictures[1:], masks[1:], strict=True)]
    for _ in range(steps):
        result = network.step(pictures[0], masks[0], sources, carry)
        carry = carry._replace(hidden=result.carry.hidden, cell=result.carry.cell)
    return result.output, caught


@pytest.fixture(scope="module")
def wiring() -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """What the wiring alone gives, settled."""
    return settled(lean_network(512).eval())


def seen_in(caught: dict[str, torch.Tensor]) -> Seen:
    return Seen(caught["bt0"][:, :4], caught["bt0"][:, 128:132], caught["dc2_1"][:, 96:100])


def test_it_begins_as_the_wiring(wiring) -> None:
    wired, _ = wiring
    begun, _ = settled(wired_with(Interpolation(3, 4)))
    # Further carriers differ a little from the start, but are heard by nothing yet.
    assert torch.allclose(wired, begun, atol=5e-3)


@torch.no_grad()
def test_its_own_path_is_the_networks() -> None:
    learned = strange()
    network = wired_with(learned)
    output, caught = settled(network)
    color, coverage, *_ = learned(seen_in(caught))
    assert torch.allclose(color, caught["dc2_2"][:, :3], atol=1e-4)
    assert torch.allclose(coverage, caught["dc2_2"][:, 3:4], atol=1e-4)
    assert torch.allclose(settled(pruned(network))[0], output, atol=1e-4)


def test_samples_show_what_the_network_sees(wiring) -> None:
    _, caught = wiring
    pictures, masks = frames()
    known = torch.stack([functional.avg_pool2d(1 - mask, 4) for mask in masks], dim=1)
    shares = [functional.avg_pool2d((p + 1) / 2 * (1 - m), 4) for p, m in zip(pictures, masks, strict=True)]
    picture = torch.stack(shares, dim=1) / known.clamp(min=1e-6)
    for found, expected in zip(seen_by(Shown(picture, known), None), seen_in(caught), strict=True):
        assert torch.allclose(found, expected, atol=2e-3)


@torch.no_grad()
@pytest.mark.parametrize("seed", range(3))
def test_a_flat_color_stays_flat(seed: int) -> None:
    shown = samples(np.random.default_rng(seed), Pictures(procedural=1), 2, 64)
    flat = torch.tensor([0.2, 0.9, 0.5]).view(1, 1, 3, 1, 1).expand_as(shown.picture)
    color, coverage, *_ = strange(seed)(seen_by(Shown(flat, shown.known), flat[:, 0]))
    reached = (coverage > 0.05).expand_as(color)
    assert reached.float().mean() > 0.5
    assert torch.allclose((color / coverage)[reached], flat[:, 0][reached], atol=0.05)


def test_a_run_learns_and_leaves_a_network(tmp_path, caplog) -> None:
    caplog.set_level("INFO")
    few = ["--carriers", "2", "--checks", "1"]
    short = ["--batch", "4", "--sizes", "32", "48", *few]
    assert main(["--out", str(tmp_path / "a"), "--steps", "8", *short]) == 0
    scores = [record.args[-1].split(" dB")[0] for record in (caplog.records[0], caplog.records[-1])]
    start, end = (float(psnr.removeprefix("32: ")) for psnr in scores)
    assert end > start
    network = load_weights(tmp_path / "a" / "weights", 512)
    assert torch.isfinite(settled(network.eval(), 3)[0]).all()
    begun = ["--begin", str(tmp_path / "a" / "interpolation.safetensors")]
    assert (
        main(["--out", str(tmp_path / "b"), "--steps", "1", "--batch", "1", "--sizes", "32", *few, *begun])
        == 0
    )


def test_a_run_that_was_broken_off_goes_on_exactly(tmp_path) -> None:
    def run(folder: str, steps: int, *more: str) -> dict[str, torch.Tensor]:
        options = [
            "--sizes",
            "32",
            "--carriers",
            "2",
            "--checks",
            "1",
            "--batch",
            "2",
            "--check-minutes",
            "0",
        ]
        assert main(["--out", str(tmp_path / folder), *options, "--steps", str(steps), *more]) == 0
        return load_file(tmp_path / folder / "interpolation.safetensors")

    whole = run("whole", 3, "--schedule", "4")
    run("broken", 2, "--schedule", "4")
    resumed = run("broken", 3, "--schedule", "4", "--resume")
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (["--resume"], "there is no checkpoint"),
        (["--resume", "--begin", "i.safetensors"], "leave --begin out"),
    ],
)
def test_a_run_that_can_not_go_on_is_refused(tmp_path, capsys, bad, complaint) -> None:
    with pytest.raises(SystemExit):
        main(["--out", str(tmp_path), *bad])
    assert complaint in capsys.readouterr().err


def test_a_run_may_go_on_from_some_layers_of_another(tmp_path) -> None:
    short = ["--steps", "0", "--sizes", "48", "--carriers", "2", "--checks", "1"]
    other = strange_run(tmp_path / "other.safetensors")
    begun = ["--begin", str(tmp_path / "other.safetensors"), "--begin-layers", "dc2"]
    assert main(["--out", str(tmp_path / "a"), *short, *begun]) == 0
    found = load_file(tmp_path / "a" / "interpolation.safetensors")
    fresh = Interpolation(2, 2).state_dict()
    for key, value in found.items():
        expected = other if key.startswith("mix.dc2") else fresh
        assert torch.equal(value, expected[key]), key


@torch.no_grad()
def test_what_comes_from_s8_alone_reaches_the_middle_of_a_large_hole() -> None:
    side = 128
    known = torch.zeros(1, 5, 1, side, side)
    known[..., :16] = 1
    flat = torch.full((1, 5, 3, side, side), 0.5)
    filled = Interpolation(2, 2)(seen_by(Shown(flat, known), None))
    assert filled.coarse_coverage.shape == (1, 1, side // 2, side // 2)
    color = filled.coarse_color / filled.coarse_coverage.clamp(min=1e-6)
    reached = filled.coarse_coverage > 0.05
    assert reached[..., 16:].any()
    assert torch.allclose(color[reached.expand_as(color)], torch.tensor(0.5), atol=0.05)
