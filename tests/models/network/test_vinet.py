from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from models.network.generated import generated_network, generated_weight
from models.network.vinet import SOURCE_OFFSETS, Carry, Features, VINet, correlation, upsample, warp
from tests.benchmarks.published import published_step
from tests.models.network.vectors import FOLDER, moving_frames, roll, tensors

pytestmark = pytest.mark.slow

TOLERANCE = 2e-4
STEPS = 4
"""Of most vectors. The graphs, which agree with the module, go through all of them (`test_verify`)."""
GOLDEN = [
    f"vinet{variant}_{rest}"
    for variant in (256, 512)
    for rest in ("64x64_carry", "64x64_none", "64x64_none_prerun8", "96x64_carry", "96x64_none")
]
RESULTS = {  # golden array -> field of StepResult
    "out": "output",
    "out_raw": "raw",
    "flow": "flow_s8",
    "flow_64": "flow_s4",
    "flow_128": "flow_s2",
    "occ": "mask_s8",
    "occ_64": "mask_s4",
    "occ_128": "mask_s2",
}


@pytest.fixture(scope="module")
def networks() -> dict[int, VINet]:
    return {variant: generated_network(variant) for variant in (256, 512)}


def close(name: str, found: torch.Tensor, expected: np.ndarray) -> None:
    error = np.abs(found.detach().numpy().reshape(expected.shape) - expected).max()
    assert error <= TOLERANCE, f"{name} is {error:.1e} off"


@pytest.mark.parametrize("variant", [256, 512])
def test_gives_our_own_vectors(networks: dict[int, VINet], variant: int) -> None:
    stored = np.load(FOLDER / f"vinet{variant}.npz")
    found = roll(networks[variant], stored["frames"], stored["masks"])
    for name, value in found.items():
        close(name, torch.from_numpy(value), stored[name])


@pytest.mark.parametrize("name", GOLDEN)
def test_gives_the_published_networks_vectors(
    networks: dict[int, VINet], golden_dir: Path, name: str
) -> None:
    golden = np.load(golden_dir / f"{name}.npz")
    network = networks[int(name[5:8])]
    frames, masks = tensors(golden["frames"], golden["masks"])
    if "prerun8" in name:
        frames, masks = torch.cat((frames.flip(0), frames)), torch.cat((masks.flip(0), masks))
    steps = golden["src"].tolist()[: None if name.endswith("64x64_carry") else STEPS]
    kept = golden["state_steps"].tolist() if "state_steps" in golden else []
    carry = None
    with torch.no_grad():
        for number, (a, b, t, c, d) in enumerate(steps):
            frame, mask = frames[t, None], masks[t, None]
            if carry is None:
                carry = network.start(frame, mask)
            elif "_none" in name:
                carry = carry._replace(hidden=carry.hidden * 0, cell=carry.cell * 0)
            sources = [network.encode_source(frames[i, None], masks[i, None]) for i in (a, b, c, d)]
            result = network.step(frame, mask, sources, carry)
            carry = result.carry
            for array, attribute in RESULTS.items():
                if array in golden:
                    close(f"{array} of step {number}", getattr(result, attribute), golden[array][number])
            if number and "flow6_final" in golden:
                close("flow6_final", result.flow_output, golden["flow6_final"][number - 1])
                close("occ_256", result.mask_s1, golden["occ_256"][number - 1])
            if number in kept:
                close("h", carry.hidden, golden["h"][kept.index(number)])
                close("c", carry.cell, golden["c"][kept.index(number)])


@pytest.mark.parametrize("variant", [256, 512])
def test_gives_the_published_networks_intermediates(
    networks: dict[int, VINet], golden_dir: Path, variant: int
) -> None:
    network = networks[variant]
    golden = np.load(golden_dir / f"trace{variant}_64x64_t3.npz")
    run = np.load(golden_dir / f"vinet{variant}_64x64_carry.npz")
    frames, masks = tensors(run["frames"], run["masks"])
    seen: dict[str, list[torch.Tensor]] = {}

    def watch(name: str) -> None:
        module = network.get_submodule(name)
        hooks.append(module.register_forward_hook(lambda m, i, o: seen.setdefault(name, []).append(o)))

    hooks: list[torch.utils.hooks.RemovableHandle] = []
    with torch.no_grad():
        carry = network.start(frames[:1], masks[:1])
        for number in range(4):
            if number == 3:
                nets = [key for key, _ in network.named_children() if key.startswith(("flownet", "st_agg"))]
                for name in ("encoder1", "encoder2", "bottleneck", "decoder", *nets):
                    watch(name)
            sources = [
                network.encode_source(frames[i, None], masks[i, None])
                for i in run["src"][number][[0, 1, 3, 4]].tolist()
            ]
            result = network.step(frames[number, None], masks[number, None], sources, carry)
            carry = result.carry
    for hook in hooks:
        hook.remove()

    close("out", result.output, golden["out"])
    for suffix, level in (("", "s8"), ("_64", "s4"), ("_128", "s2")):
        close(f"f1{suffix}", getattr(seen["encoder1"][0], level), golden[f"f1{suffix}"])
        stacked = torch.cat([getattr(features, level) for features in seen["encoder2"]])
        close(f"enc2_f{suffix}", stacked, golden[f"enc2_f{suffix}"])
        close(f"st_agg{suffix}", seen[f"st_agg{suffix}"][0], golden[f"st_agg{suffix}"])
        close(f"net_flownet{suffix}", seen[f"flownet{suffix}"][0], golden[f"net_flownet{suffix}"])
    close("f1_256", seen["encoder1"][0].s1, golden["f1_256"])
    close("enc2_f_256_prev", seen["encoder2"][-1].s1, golden["enc2_f_256_prev"])
    close("bottleneck", seen["bottleneck"][0], golden["bottleneck"])
    close("decoder", seen["decoder"][0], golden["decoder"])


def test_holds_166_tensors() -> None:
    shapes = [tuple(value.shape) for value in VINet(512).state_dict().values()]
    assert len(shapes) == 166
    assert sum(int(np.prod(shape)) for shape in shapes) == 14_115_364


def test_a_generated_weight_depends_on_its_name_alone() -> None:
    alone = generated_weight("decoder.dc6.weight", (3, 16, 1, 3, 3))
    assert np.array_equal(generated_network(512).state_dict()["decoder.dc6.weight"].numpy(), alone)
    assert alone.std() == pytest.approx(0.25 / np.sqrt(144), rel=0.1)


def test_correlation_of_a_shifted_picture_peaks_at_the_shift() -> None:
    a = torch.randn(1, 64, 16, 16, generator=torch.Generator().manual_seed(0))
    volume = correlation(a, torch.roll(a, (2, -3), dims=(2, 3)))
    assert volume.shape == (1, 81, 16, 16)
    assert (volume[0, :, 4:12, 4:12].argmax(dim=0) == (2 + 4) * 9 + (-3 + 4)).all()


def test_warp_moves_by_whole_pixels_and_treats_the_edge_as_asked() -> None:
    picture = torch.arange(12.0).view(1, 1, 3, 4)
    flow = torch.zeros(1, 2, 3, 4)
    flow[:, 0] = 1
    zeros, border = warp(picture, flow, "zeros"), warp(picture, flow, "border")
    torch.testing.assert_close(zeros[..., :3], picture[..., 1:])
    assert zeros[..., 3].abs().max() < 1e-5
    torch.testing.assert_close(border[..., 3], picture[..., 3])


def test_upsampling_keeps_pixel_centres_at_half_pixels() -> None:
    found = upsample(torch.tensor([[[[0.0, 1.0]]]]), 2)
    assert found[0, 0, 0].tolist() == pytest.approx([0.0, 0.25, 0.75, 1.0])


@pytest.mark.parametrize(("variant", "size"), [(256, 8), (512, 16)])
def test_the_smallest_size_is_finite(networks: dict[int, VINet], variant: int, size: int) -> None:
    frame, mask = torch.full((1, 3, size, size), 0.5), torch.ones(1, 1, size, size)
    network = networks[variant]
    with torch.no_grad():
        carry = network.start(frame, mask)
        for _ in range(2):
            result = network.step(frame, mask, [network.encode_source(frame, mask)] * 4, carry)
            carry = result.carry
    assert torch.isfinite(result.output).all()


def test_what_lies_in_the_hole_is_ignored(networks: dict[int, VINet]) -> None:
    network = networks[512]
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 8:20, 8:20] = 1
    frame = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        plain, other = (
            network.step(x, mask, [network.encode_source(x, mask)] * 4, network.start(x, mask)).output
            for x in (frame, frame + 100 * mask)
        )
    assert torch.equal(plain, other)


@pytest.mark.parametrize("variant", [256, 512])
def test_a_batch_is_its_items_side_by_side(networks: dict[int, VINet], variant: int) -> None:
    network = networks[variant]
    generator = torch.Generator().manual_seed(2)
    frames = torch.rand(2, 3, 32, 32, generator=generator) * 2 - 1
    masks = (torch.rand(2, 1, 32, 32, generator=generator) > 0.7).float()

    def run(frame: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        carry = network.start(frame, mask)
        sources: list[Features] = [network.encode_source(frame, mask)] * 4
        for _ in range(2):
            result = network.step(frame, mask, sources, carry)
            carry = result.carry
        return result.output

    with torch.no_grad():
        both = run(frames, masks)
        each = torch.cat([run(frames[i, None], masks[i, None]) for i in range(2)])
    torch.testing.assert_close(both, each, atol=1e-4, rtol=0)


@pytest.mark.parametrize("variant", [256, 512])
def test_the_formulation_that_the_benchmark_measures_gives_the_same_numbers(
    networks: dict[int, VINet], variant: int
) -> None:
    network = networks[variant]
    frames, masks = tensors(*moving_frames(3, 32, 32))
    pairs = [(frames[i, None], masks[i, None]) for i in (1, 2, 0, 1)]
    with torch.no_grad():
        carry = other = network.start(frames[:1], masks[:1])
        for t in range(3):
            sources = [network.encode_source(*pair) for pair in pairs]
            result = network.step(frames[t, None], masks[t, None], sources, carry)
            output, other = published_step(network, frames[t, None], masks[t, None], pairs, other)
            carry = result.carry
            torch.testing.assert_close(output, result.output, atol=1e-4, rtol=0)


def test_gradients_reach_every_weight_that_the_output_depends_on() -> None:
    network = generated_network(512).train()
    frame, mask = torch.rand(1, 3, 32, 32), torch.zeros(1, 1, 32, 32)
    mask[..., 8:24, 8:24] = 1
    carry: Carry = network.start(frame, mask)
    for _ in range(2):
        result = network.step(frame, mask, [network.encode_source(frame, mask)] * 4, carry)
        carry = result.carry
    result.output.square().mean().backward()
    without = {name.split(".")[0] for name, value in network.named_parameters() if value.grad is None}
    assert without == {"flownet_256"}  # never used by variant 512


def test_source_offsets_are_the_published_window() -> None:
    assert SOURCE_OFFSETS == (-6, -3, 3, 6)
