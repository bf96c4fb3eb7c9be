"""The painter in the network, trained whole: in miniature, on procedural shots."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from models.painter.checkpoint import read_checkpoint
from models.painter.network import Widths
from models.painter.trainer import Settings, Trainer, open_trainer
from models.painter.whole import whole_of
from models.painter.whole_run import progress_of
from models.synthetic.pictures import Pictures
from models.training import train_whole
from models.training.guided import guide_of, moved, wandering
from models.training.whole_parts import PlainPart
from models.wiring.interpolation import Interpolation
from plugin_core.errors import InputError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A painter that has learned a little in cells."""
    path = tmp_path_factory.mktemp("painter") / "c.safetensors"
    settings = Settings(batch={16: 2}, shares={16: 1.0}, grid=1, widths=Widths(4, 6, 8))
    trainer = Trainer(settings, Pictures(procedural=2), Interpolation(2, 2))
    trainer.learn()
    trainer.save(path)
    return path


@pytest.fixture(scope="module", autouse=True)
def few_pictures() -> Iterator[None]:
    pictures = Pictures(procedural=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_whole, "Pictures", lambda *_folders, **_options: pictures)
        yield


def options(begun: Path, run: Path, *more: str) -> list[str]:
    told = ["--begin", str(begun), "--checkpoint", str(run), "--sizes", "64", "32", "--batch", "1", "2"]
    return [*told, "--schedule", "4", "--check-minutes", "0", "--rate", "3e-3", "--sources", *more]


def trained(begun: Path, run: Path, *more: str) -> train_whole.WholeTrainer:
    return train_whole.train(train_whole.parse(options(begun, run, *more)))


def test_a_run_that_was_broken_off_goes_on_exactly_whatever_its_threads(begun: Path, tmp_path: Path) -> None:
    whole, parts = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    trained(begun, whole, "--steps", "4")
    trained(begun, parts, "--steps", "2", "--threads", "2")
    resumed = trained(begun, parts, "--steps", "4", "--threads", "2")
    kept, state = read_checkpoint(whole)
    other, again = read_checkpoint(parts)
    assert kept.keys() == other.keys() and all(torch.equal(value, other[key]) for key, value in kept.items())
    assert state["whole"] | {"seconds": 0} == again["whole"] | {"seconds": 0}
    assert state["whole"]["step"] == state["whole"]["taken"] == 4 and state["whole"]["shots"] == 12
    # What has learned: layers in cells and what only the network has. What has not: the interpolation.
    before, _ = read_checkpoint(begun)
    for key in (
        "average.convs.ec2.weight",
        "average.convs.memory.weight",
        "average.convs.dc3_2.bias",
        "average.correction.weight",
    ):
        assert not torch.equal(kept[key], before[key]), key
    assert kept["inside.recall.weight"].any()
    heard = [key for key in before if key.startswith("interpolation.")]
    assert heard and all(torch.equal(kept[key], before[key]) for key in heard)
    opened = whole_of(kept, state)
    assert opened.sources
    assert torch.equal(opened.inside.recall.weight, kept["inside.recall.weight"])
    assert "held out: without " in resumed.check()


def test_a_run_that_is_told_to_stop_keeps_what_it_has(begun: Path, tmp_path: Path, monkeypatch) -> None:
    count = train_whole.WholeTrainer.after_step

    def told_to_stop(trainer: train_whole.WholeTrainer) -> None:
        count(trainer)
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(train_whole.WholeTrainer, "after_step", told_to_stop)
    run = tmp_path / "a.safetensors"
    assert trained(begun, run, "--steps", "4").step == 1
    assert read_checkpoint(run)[1]["whole"]["step"] == 1
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_run_may_begin_from_another_and_counts_what_that_was_shown(begun: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    trained(begun, first, "--steps", "1")
    trained(first, second, "--steps", "1")
    before, after = (progress_of(read_checkpoint(path)[1]) for path in (first, second))
    assert before and after
    assert (before.shots, after.shots, after.step) == (3, 6, 1) and after.seconds > before.seconds


def test_a_plain_shot_is_flat_and_has_a_deep_hole() -> None:
    rng = np.random.default_rng(3)
    drawn = [PlainPart.drawn(rng) for _ in range(16)]
    for plain in drawn:
        assert float(plain.clean.std(dim=(-1, -2)).max()) == 0
        assert 0.8 < float(plain.masks.mean()) < 1
        flow, visible = plain.flow(0, 1, 4)
        assert not flow.any() and visible.all() and flow.shape[-1] * 4 == plain.masks.shape[-1]
    assert {tuple(plain.masks.shape[-2:]) for plain in drawn} == {(128, 384), (384, 128)}
    assert len({plain.warm for plain in drawn}) > 2


def test_the_command_says_what_is_wrong(begun: Path, tmp_path: Path, capsys, monkeypatch) -> None:
    run = tmp_path / "a.safetensors"
    run.write_bytes(begun.read_bytes())
    assert train_whole.main(options(begun, run)) == InputError("").exit_code
    assert "trained in cells: give it as --begin" in capsys.readouterr().err
    assert run.read_bytes() == begun.read_bytes()
    for wrong in (["--sizes", "64", "48"], ["--batch", "1"]):
        with pytest.raises(SystemExit):
            train_whole.parse([*options(begun, run), *wrong])
    trained(begun, tmp_path / "b.safetensors", "--steps", "1")
    with pytest.raises(InputError, match="trained in the network"):
        open_trainer(tmp_path / "b.safetensors", Pictures(procedural=2), Settings())

    def none(*_folders: object, **_options: object) -> Pictures:
        raise ValueError("No usable picture")

    monkeypatch.setattr(train_whole, "Pictures", none)
    assert train_whole.main(options(begun, tmp_path / "c.safetensors")) == InputError("").exit_code
    assert "No usable picture" in capsys.readouterr().err


def test_what_is_given_and_what_is_moved() -> None:
    flows = torch.zeros(1, 4, 2, 16, 16)
    flows[:, :, 0] = 4.0
    visible = torch.ones(1, 4, 1, 16, 16)
    visible[:, 1:] = 0
    guide = guide_of(flows, visible)
    assert {level: tuple(given.shape[-2:]) for level, given in guide.items()} == {
        "s2": (16, 16),
        "s4": (8, 8),
        "s8": (4, 4),
    }
    assert float(guide["s8"][0, 0, 0].mean()) == 1.0
    assert torch.allclose(guide["s4"][0, :, 2].mean(dim=(1, 2)), torch.tensor([1.0, 0, 0, 0]))
    off = wandering(flows, 0.5, torch.Generator().manual_seed(1)) - flows
    assert 0 < float(off.abs().max()) < 3 and not np.isclose(float(off[0, 0].mean()), float(off[0, 1].mean()))
    from models.network.vinet import Carry

    picture = torch.arange(64.0).expand(1, 3, 64, 64)
    carry = Carry(
        torch.ones(1, 2, 4, 4), torch.ones(1, 2, 4, 4), picture, picture[:, :1], torch.ones(1, 1, 32, 32)
    )
    carried = moved(carry, flows[:, 0])
    assert torch.allclose(carried.output[..., :40], picture[..., 16:56])
    assert float(carried.feedback[..., :20].min()) == 1 and float(carried.feedback[..., 26:].max()) == 0
