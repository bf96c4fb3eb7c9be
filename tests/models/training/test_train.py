"""Training: a start that moves nothing, losses that fall, a resume that changes nothing."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import torch

from models.network.tensor_folder import read_tensors
from models.network.vinet import SOURCE_OFFSETS, Variant, VINet, estimated_flow
from models.synthetic.pictures import Pictures
from models.synthetic.shot import ShotSettings, make_shot
from models.training.measure import device_rate
from models.training.rollout import Batch, Teacher, estimate_flows, mirrored, roll
from models.training.rollout_loss import flow_errors, guess_loss, rollout_loss
from models.training.train import STAGES, RolloutTrainer, parse, train
from models.wiring.start import initial_network, lean_start, wired

pytestmark = pytest.mark.slow

SCALES = frozenset({8, 4})
TINY = [
    "--size",
    "32",
    "--batch",
    "1",
    "--no-bf16",
    "--threads",
    "1",
    "--device",
    "cpu",
    "--minutes",
    "5",
    "--sample-minutes",
    "0",
]


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    return Pictures(procedural=3)


@pytest.fixture(scope="module")
def batch(pictures: Pictures) -> Batch:
    return Batch.of(make_shot(pictures, ShotSettings(32, 7), 1, i) for i in range(2))


def test_mirrored_indices() -> None:
    assert [mirrored(i, 5) for i in (-3, -1, 0, 4, 5, 7)] == [3, 1, 0, 4, 3, 1]
    assert mirrored(-6, 1) == mirrored(6, 1) == 0


def test_the_first_network_moves_nothing_and_keeps_signals_alive(batch: Batch) -> None:
    network = initial_network(512, 1)
    step = roll(network, batch, 0, 1, 1, estimated=frozenset({8, 4, 2}), teach=False)[0].result
    assert not step.flow_s8.any() and not step.flow_s2.any()
    assert 0.02 < float(step.raw.detach().std()) < 3
    assert float(step.mask_s1.detach().mean()) < 0.3


def _flat(color: tuple[float, float, float], size: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    frame = torch.tensor(color).view(1, 3, 1, 1).expand(1, 3, size, size)
    mask = torch.zeros(1, 1, size, size)
    mask[..., 20:44, 20:44] = 1
    return frame, mask


@torch.no_grad()
def _filled(network: VINet, frame: torch.Tensor, mask: torch.Tensor, count: int) -> list[torch.Tensor]:
    carry, source = network.start(frame, mask), network.encode_source(frame, mask)
    outputs = []
    for _ in range(count):
        step = network.step(frame, mask, [source] * 4, carry, Teacher(None, frozenset(), False))
        carry = step.carry
        outputs.append(step.output)
    return outputs


@pytest.mark.parametrize("variant", [256, 512])
@pytest.mark.parametrize("color", [(0.6, -0.4, -0.9), (0.95, 0.95, 0.95), (-0.95, 0.0, 0.5)])
def test_the_first_network_fills_a_hole_with_its_surroundings_color(
    variant: Variant, color: tuple[float, float, float]
) -> None:
    frame, mask = _flat(color)
    for output in _filled(initial_network(variant, 1), frame, mask, 3):
        assert ((output - frame).abs() * mask).max() < 0.05


def test_the_first_network_stays_put_over_many_frames() -> None:
    frame, mask = _flat((0.6, -0.4, -0.9))
    frame = frame + 0.2 * torch.sin(torch.arange(64) / 5.0)
    outputs = _filled(initial_network(512, 1), frame, mask, 40)
    assert (outputs[39] - outputs[9]).abs().max() < 0.05
    inside = outputs[39][..., 20:44, 20:44]
    low, high = frame.amin(dim=(2, 3)), frame.amax(dim=(2, 3))
    assert (inside.amin(dim=(2, 3)) > low - 0.05).all() and (inside.amax(dim=(2, 3)) < high + 0.05).all()


def test_the_first_network_takes_what_the_sources_show() -> None:
    """A still camera and a hole that has moved: the detail behind it comes from the other frames."""
    frame = torch.zeros(1, 3, 64, 64)
    frame[..., 28:36, :] = 0.8
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 16:48, 16:48] = 1
    network = initial_network(512, 1)
    with torch.no_grad():
        seen = network.encode_source(frame, torch.zeros_like(mask))
        hidden = network.encode_source(frame, mask)
        carry, teacher = network.start(frame, mask), Teacher(None, frozenset(), False)
        helped = network.step(frame, mask, [seen] * 4, carry, teacher).output
        alone = network.step(frame, mask, [hidden] * 4, carry, teacher).output
    error, worse = (((picture - frame).abs() * mask).sum() for picture in (helped, alone))
    assert error < 0.7 * worse


def test_the_first_network_is_the_same_every_time_and_starts_with_equal_encoders() -> None:
    one, two = (initial_network(512, 4).state_dict() for _ in range(2))
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert torch.equal(one["encoder1.ec5.conv.weight"], one["encoder2.ec5.conv.weight"])


def test_rollout_without_teaching_is_what_inference_does(batch: Batch) -> None:
    network = initial_network(512, 2)
    with torch.no_grad():
        for parameter in network.flownet.flow_estimator.conv1.parameters():
            parameter.normal_(0, 0.05, generator=torch.Generator().manual_seed(0))
        rolled = roll(network, batch, 0, 0, 3, estimated=frozenset({8, 4, 2}), teach=False)
        carry = network.start(batch.seen[:, 0], batch.masks[:, 0])
        for t in range(3):
            wanted = [mirrored(t + offset, batch.frames) for offset in SOURCE_OFFSETS]
            sources = [network.encode_source(batch.seen[:, s], batch.masks[:, s]) for s in wanted]
            result = network.step(batch.seen[:, t], batch.masks[:, t], sources, carry)
            carry = result.carry
    assert result.flow_s8.abs().max() > 0
    assert torch.allclose(rolled[-1].result.output, result.output, atol=1e-5)


def test_the_teacher_hands_out_exact_flows_and_remembers_guesses(batch: Batch) -> None:
    network = initial_network(512, 2)
    exact, visible = batch.flows(3, first=False)
    teacher = Teacher(exact, frozenset({8}), teach=True)
    with torch.no_grad():
        sources = [network.encode_source(batch.seen[:, s], batch.masks[:, s]) for s in batch.sources_of(3)]
        carry = network.start(batch.seen[:, 2], batch.masks[:, 2])
        result = network.step(batch.seen[:, 3], batch.masks[:, 3], sources, carry, teacher)
    assert torch.equal(result.flow_s2.flatten(0, 1), exact)
    assert set(teacher.guess) == {8} and not teacher.guess[8].any()
    assert visible.shape == (2, 5, 1, 8, 8)
    mean = exact.mean(dim=(2, 3))
    assert torch.allclose(teacher.exact[8].mean(dim=(2, 3)) * 4, mean, atol=1e-4)


def test_flow_nets_left_out_change_nothing_while_they_are_untrained(batch: Batch) -> None:
    network = initial_network(512, 3).eval()
    with torch.no_grad():
        sources = [network.encode_source(batch.seen[:, s], batch.masks[:, s]) for s in batch.sources_of(0)]
        carry = network.start(batch.seen[:, 0], batch.masks[:, 0])
        args = (batch.seen[:, 0], batch.masks[:, 0], sources, carry)
        full = network.step(*args, estimated_flow).output
        short = network.step(*args, Teacher(None, frozenset(), False)).output
    assert torch.allclose(full, short, atol=1e-6)


def test_the_flow_stage_trains_flow_nets_only(pictures: Pictures) -> None:
    stage = STAGES[2]
    shots = Batch.of(make_shot(pictures, ShotSettings(32, stage.frames), 1, i) for i in range(1))
    network = initial_network(512, 1)
    teacher = estimate_flows(network, shots, 3, SCALES)
    guess_loss(teacher, shots.masks[:, 3]).backward()
    trained = {name.split(".")[0] for name, p in network.named_parameters() if p.grad is not None}
    assert trained == {"flownet", "flownet_64"}
    errors = flow_errors(teacher, shots.masks[:, 3])
    assert errors["missed"] == pytest.approx(errors["moved"]) and errors["moved"] > 0


@pytest.mark.parametrize("number", sorted(n for n in STAGES if STAGES[n].learn))
def test_every_stage_has_a_finite_loss_and_reaches_the_weights_it_trains(
    number: int, pictures: Pictures
) -> None:
    stage = STAGES[number]
    shots = Batch.of(make_shot(pictures, ShotSettings(32, stage.frames), 1, i) for i in range(1))
    network = initial_network(512, 1)
    scales = SCALES if stage.flows else frozenset()
    steps = roll(network, shots, 0, 1, stage.learn, estimated=scales, teach=False)
    loss, parts = rollout_loss(shots, steps, stage.flow_weight)
    loss.backward()
    assert torch.isfinite(loss) and parts["hole"] > 0
    trained = {name for name, p in network.named_parameters() if p.grad is not None and p.grad.any()}
    assert {"encoder1.ec0.conv.weight", "encoder2.ec5.conv.weight", "decoder.dc6.weight"} <= trained
    assert ("flownet.flow_estimator.conv1.weight" in trained) == stage.flows
    assert ("short" in parts) == (stage.learn > 1) and ("long" in parts) == (stage.learn > 2)


def test_a_few_steps_lower_the_loss_on_one_shot(pictures: Pictures) -> None:
    shots = Batch.of(make_shot(pictures, ShotSettings(32, 1), 1, i) for i in range(1))
    network, masks = initial_network(512, 1), wired(512)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)
    losses = []
    for _ in range(8):
        steps = roll(network, shots, 0, 0, 1, estimated=frozenset(), teach=False)
        loss, _ = rollout_loss(shots, steps, 0)
        optimizer.zero_grad()
        loss.backward()
        for name, parameter in network.named_parameters():
            if parameter.grad is not None:
                parameter.grad *= masks[name]
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]


def test_the_wired_weights_are_few_and_joined() -> None:
    masks, state = wired(512), initial_network(512, 1).state_dict()
    assert masks.keys() == state.keys()
    joined = sum(int(mask.sum()) for key, mask in masks.items() if not key.startswith("masknet"))
    assert 1000 < joined < 20_000
    assert all(float(mask.max()) <= 1 and mask.shape == state[key].shape for key, mask in masks.items())
    assert not masks["flownet.flow_estimator.conv1.weight"].any()
    assert masks["decoder.dc6.weight"][0, 0].all() and not masks["decoder.dc6.weight"][:, 5:].any()


def test_training_wired_weights_leaves_the_others_alone(tmp_path: Path) -> None:
    trainer = train(parse(["--out", str(tmp_path), "--steps", "2", "--wired-only", *TINY]))
    masks, start = wired(512), initial_network(512, 1).state_dict()
    moved = {key: value != start[key] for key, value in trainer.network.state_dict().items()}
    assert any(bool(flags.any()) for flags in moved.values())
    assert not any(bool((flags & (masks[key] == 0)).any()) for key, flags in moved.items())


def test_the_lean_start_moves_nothing_and_its_flow_nets_can_learn(batch: Batch) -> None:
    network = lean_start(512, 1)
    teacher = estimate_flows(network, batch, 3, SCALES)
    assert not any(bool(guess.any()) for guess in teacher.guess.values())
    guess_loss(teacher, batch.masks[:, 3]).backward()
    for name in ("flownet", "flownet_64"):
        gradient = network.get_parameter(f"{name}.flow_estimator.conv1.weight").grad
        assert gradient is not None and gradient.abs().max() > 0
    assert torch.equal(lean_start(512, 1).encoder1.ec5.conv.weight, network.encoder1.ec5.conv.weight)


def test_resumed_training_gives_the_same_weights_bit_for_bit(tmp_path: Path) -> None:
    def run(folder: str, steps: int, *more: str) -> dict[str, torch.Tensor]:
        options = parse(["--out", str(tmp_path / folder), "--steps", str(steps), *TINY, *more])
        train(options)
        return read_tensors(tmp_path / folder / "weights")

    whole = run("whole", 2, "--schedule", "2")
    run("broken", 1, "--schedule", "2")
    resumed = run("broken", 2, "--schedule", "2", "--resume")
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)
    assert len(whole) == 166
    VINet(512).load_state_dict(whole)


def test_measuring_says_what_share_of_the_device_a_step_reaches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.training.train.device_rate", partial(device_rate, seconds=0.2))
    options = parse(["--out", str(tmp_path), "--measure", "1", *TINY])
    found = RolloutTrainer(options, Pictures(procedural=2)).measure(1)
    assert 0 < found["reached"] < 1 and 0 < found["data_share"] < 1
    # Forward alone is 0.5 % of the published 291 GFLOP at 512x512, or a little more with three frames.
    assert 1 < found["step_gflop"] < 50
    assert not (tmp_path / "weights").exists()


def test_bad_options_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for bad, said in (
        (["--size", "100"], "multiple of 32"),
        (["--resume", "--weights", "w.safetensors"], "leave --weights out"),
        (["--resume"], "there is no checkpoint"),
    ):
        with pytest.raises(SystemExit):
            parse(["--out", str(tmp_path), *bad])
        assert said in capsys.readouterr().err
