"""The card's job in miniature: a few steps on the CPU, from the committed checkpoint."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from models.network.prune import pruned
from models.network.vinet import warp
from models.onnx_export.bundle import rounded
from models.painter import trainer as painter
from models.painter.checkpoint import read_checkpoint
from models.painter.hearing import interpolation_of
from models.painter.kept import IN_CELLS
from models.painter.samples import HELD_OUT
from models.painter.whole import whole_of
from models.training import card_speed, gpu_job
from models.training.device_samples import DeviceSamples, packed
from models.training.device_shots import draw_shots
from models.training.flow_votes import VoteNet, begin, vote_loss
from models.training.pack_crops import pack
from models.training.plain_tensors import read_tensors, write_tensors
from models.wiring.interpolation import wire_interpolation
from models.wiring.start import lean_network
from plugin_core.errors import InputError

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(0)
    for name in ("one", "two", HELD_OUT[0]):
        noise = random.random((12, 16, 3)).astype(np.float32)
        picture = cv2.resize(noise, (320, 240), interpolation=cv2.INTER_CUBIC).clip(0, 1)
        cv2.imwrite(str(folder / f"{name}.png"), (255 * picture).astype(np.uint8))
    files = pack([folder], folder / "crops", 12, 4, side=36)
    assert [file.name for file in files] == ["crops.00.safetensors", "held_out.00.safetensors"]
    (folder / f"{HELD_OUT[0]}.png").unlink()
    with pytest.raises(InputError, match="nothing to check on"):
        pack([folder], folder / "without", 1, 1, side=36)
    return folder / "crops"


def test_samples_are_pictures_with_holes_of_many_sizes_and_the_same_for_the_same_seed(crops: Path) -> None:
    one, other = (DeviceSamples(crops, CPU, seed=3).draw(64, 32) for _ in range(2))
    picture, known = one
    assert picture.shape == (64, 3, 32, 32) and known.shape == (64, 1, 32, 32)
    assert picture.min() >= 0 and picture.max() <= 1 and picture.std() > 0.1
    missing = 1 - known.mean(dim=(1, 2, 3))
    assert missing.min() < 0.05 and 0.2 < missing.max() < 0.9
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    with pytest.raises(ValueError, match="pack larger ones"):
        DeviceSamples(crops, CPU, seed=3).draw(8, 64)
    with pytest.raises(ValueError, match=r"make them with models\.training\.pack_crops"):
        DeviceSamples(crops.parent, CPU, seed=3)


def test_sources_beside_show_more_a_little_off_or_what_the_frame_shows(crops: Path) -> None:
    samples = DeviceSamples(crops, CPU, seed=3)
    picture, known = samples.draw(256, 32, hard=0.5)
    hard = (known == known.floor()).all(dim=(1, 2, 3)).float().mean()
    assert 0.4 < hard < 0.7
    beside = samples.beside(picture, known, 0.5)
    same = (beside.picture == picture).all(dim=(1, 2, 3)) & (beside.known == known).all(dim=(1, 2, 3))
    assert 0.4 < same.float().mean() < 0.7 and (beside.trust[same] <= 1).all()
    off = (beside.picture - picture).abs().mean(dim=(1, 2, 3))
    assert 0.1 < (off > 0).float().mean() < 0.5 and off.max() < 0.5
    assert 0.1 < beside.trust.min() < 0.5 and beside.trust.max() == 1
    assert (beside.trust.flatten()[off == 0] == 1).all()
    alone = samples.beside(picture, known, 0.0)
    assert torch.equal(alone.picture, picture) and torch.equal(alone.known, known)


def test_it_goes_on_from_the_checkpoint_and_leaves_one_that_training_goes_on_from(
    crops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = DeviceSamples.held_out
    monkeypatch.setattr(DeviceSamples, "held_out", lambda self: list(kept(self, 4, 16)))
    plan = gpu_job.Plan(minutes=5, batch=8, sides=(16, 32), steps=3, parts=("painter",))
    said = gpu_job.run(IN_CELLS, crops, tmp_path / "out", plan, CPU)["painter"]
    assert said["steps"] == 3
    assert Path(str(said["file"])).stat().st_size <= gpu_job.LARGEST_FILE
    before, after = read_checkpoint(IN_CELLS), read_checkpoint(tmp_path / "out" / "checkpoint.safetensors")
    assert set(before[0]) == set(after[0])
    assert after[1]["taken"] == before[1]["taken"] + 3
    assert after[1]["step"] % after[1]["settings"]["grid"] == 0
    assert after[1]["samples"] > before[1]["samples"]
    changed = {key.split(".")[0] for key in before[0] if not torch.equal(before[0][key], after[0][key])}
    assert changed == {"painter", "average", "exp_avg", "exp_avg_sq"}
    opened, _ = painter.open_averaged(tmp_path / "out" / "checkpoint.safetensors")
    assert all(torch.isfinite(value).all() for value in opened.state_dict().values())


def test_flow_and_the_painter_with_its_state_are_trained_too_and_gone_on_with(
    crops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = DeviceSamples.draw
    monkeypatch.setattr(DeviceSamples, "draw", lambda self, _count, _side, *_: drawn(self, 2, 16))
    plan = gpu_job.Plan(minutes=5, steps=2, shots=2, size=64, parts=("flow", "whole"))
    said = gpu_job.run(IN_CELLS, crops, tmp_path, plan, CPU)
    assert set(said) == {"flow", "whole"} and all(part["steps"] == 2 for part in said.values())
    assert "px in holes" in said["flow"]["scores"]["none"]
    once = read_tensors(tmp_path / "flow.safetensors")[0]
    kept, about = read_checkpoint(tmp_path / "whole.safetensors")
    opened = whole_of(kept, about)
    assert opened.sources and about["whole"]["step"] == about["whole"]["taken"] == 2
    before = read_checkpoint(IN_CELLS)[0]
    assert not torch.equal(kept["average.convs.dc0.weight"], before["average.convs.dc0.weight"])
    again = gpu_job.Plan(minutes=5, steps=1, shots=2, size=64, parts=("flow", "whole"))
    gpu_job.run(IN_CELLS, crops, tmp_path, again, CPU, tmp_path / "whole.safetensors")
    assert read_checkpoint(tmp_path / "whole.safetensors")[1]["whole"]["taken"] == 3
    twice = read_tensors(tmp_path / "flow.safetensors")[0]
    moved = float((once["votes.weight"] - twice["votes.weight"]).abs().max())
    assert 0 < moved < float(once["votes.weight"].abs().max()) + 0.01


def test_shots_on_the_device_have_exact_flow(crops: Path) -> None:
    shots = draw_shots(packed(crops, "crops"), 4, 64, 13, torch.Generator().manual_seed(2))
    flow, visible = shots.flow(6, 9, 1)
    carried = warp(shots.clean[:, 9], flow, "border")
    inner = visible * -F.max_pool2d(-visible, 5, 1, 2)
    off = ((carried - shots.clean[:, 6]).abs().mean(dim=1, keepdim=True) * inner).sum() / inner.sum()
    still = (
        (shots.clean[:, 9] - shots.clean[:, 6]).abs().mean(dim=1, keepdim=True) * inner
    ).sum() / inner.sum()
    assert inner.mean() > 0.3 and off < 0.03 and still > 3 * off
    assert shots.flow(6, 6, 8)[0].abs().max() < 1e-3
    assert 0.01 < shots.masks.mean() < 0.6


def test_votes_learn_where_a_picture_went(crops: Path) -> None:
    random = torch.Generator().manual_seed(3)
    picture = F.interpolate(torch.rand(4, 3, 8, 8, generator=random), scale_factor=8, mode="bicubic") * 2 - 1
    mask, net = torch.zeros(4, 1, 64, 64), VoteNet()
    moves = torch.tensor([(0, 0), (16, 0), (-16, 8), (0, -8)])
    gone = torch.stack([p.roll((int(y), int(x)), (1, 2)) for p, (x, y) in zip(picture, moves, strict=True)])
    flow = (moves / 8).view(4, 2, 1, 1).expand(4, 2, 8, 8)
    begin(net, (picture, mask), (gone, mask), random)
    adam = torch.optim.Adam(net.parameters(), 3e-3)
    losses = []
    for _ in range(25):
        loss = vote_loss(
            *net(net.encode(picture, mask), net.encode(gone, mask)), flow, torch.ones(4, 1, 8, 8)
        )
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    assert losses[0] > 5 and losses[-1] < 0.7 * losses[0]


def test_a_file_that_would_be_too_large_is_not_written_and_what_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="more than 100"):
        write_tensors(tmp_path / "large", {"a": torch.zeros(99)}, {}, 100)
    write_tensors(tmp_path / "older", {"a": torch.zeros(9)}, {"format": "cleanplate-painter-1"}, 1000)
    with pytest.raises(ValueError, match="expected the format"):
        gpu_job.Job(tmp_path / "older", tmp_path, gpu_job.Plan(), CPU)
    (tmp_path / "none").write_bytes(b"\x05\0\0\0\0\0\0\0{bad}")
    with pytest.raises(ValueError, match="no safetensors file"):
        read_tensors(tmp_path / "none")
    assert not (tmp_path / "large").exists()
    assert gpu_job.main(["--checkpoint", str(tmp_path / "none"), "--crops", "x", "--out", str(tmp_path)]) == 2


def test_it_needs_nothing_but_pytorch() -> None:
    others = "{'cv2', 'safetensors', 'onnx', 'pydantic'}"
    look = f"import sys, models.training.gpu_job; print(sorted({others} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_speed_of_a_card_is_measured_with_the_shipped_weights() -> None:
    network = card_speed.shipped_network()
    found = card_speed.measure(network, CPU, 64, 2)
    assert found["largest_difference"] == 0 and float(found["steps_per_second"]) > 0
    wired = lean_network(512, takes_flows=True)
    wire_interpolation(wired.state_dict(), interpolation_of())
    bundle = rounded(pruned(wired), "float16").state_dict()
    again = rounded(network, "float16").state_dict()
    assert all(torch.equal(value, again[key]) for key, value in bundle.items())
