"""The painter in the network, trained whole: in miniature, on procedural shots."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from models.painter.checkpoint import read_checkpoint
from models.painter.network import Widths
from models.painter.trainer import Settings, Trainer
from models.painter.whole import whole_of
from models.synthetic.pictures import Pictures
from models.training import train_whole
from models.training.guided import guide_of, moved, wandering
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


def options(begun: Path, out: Path, *more: str) -> list[str]:
    told = ["--checkpoint", str(begun), "--out", str(out), "--size", "64", "--batch", "1", "--schedule", "4"]
    return [*told, "--check-minutes", "0", "--lr", "3e-3", *more]


def test_a_run_that_was_broken_off_goes_on_exactly_and_can_be_exported(begun: Path, tmp_path: Path) -> None:
    whole = train_whole.train(train_whole.parse(options(begun, tmp_path / "a", "--steps", "4", "--sources")))
    train_whole.train(train_whole.parse(options(begun, tmp_path / "b", "--steps", "2", "--sources")))
    again = options(begun, tmp_path / "b", "--steps", "4", "--sources", "--resume")
    resumed = train_whole.train(train_whole.parse(again))
    ours, theirs = whole.whole.state_dict(), resumed.whole.state_dict()
    assert all(torch.equal(value, theirs[key]) for key, value in ours.items())
    kept, state = read_checkpoint(tmp_path / "a" / "whole.safetensors")
    other, _ = read_checkpoint(tmp_path / "b" / "whole.safetensors")
    assert kept.keys() == other.keys() and all(torch.equal(value, other[key]) for key, value in kept.items())
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


def test_the_command_says_what_is_wrong(begun: Path, tmp_path: Path, capsys, monkeypatch) -> None:
    def none(*_folders: object, **_options: object) -> Pictures:
        raise ValueError("No usable picture")

    monkeypatch.setattr(train_whole, "Pictures", none)
    assert train_whole.main(options(begun, tmp_path / "a")) == InputError("").exit_code
    assert "No usable picture" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        train_whole.parse([*options(begun, tmp_path / "none"), "--resume"])


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
