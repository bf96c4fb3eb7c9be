from __future__ import annotations

import argparse
import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch

from models.painter.checkpoint import read_checkpoint, write_checkpoint
from models.painter.hearing import Hearing
from models.painter.held_out import HeldOut, harmonic_fill
from models.painter.network import Painter, Widths, seen_by_painter
from models.painter.samples import draw_batch
from models.painter.sheet import draw_sheet
from models.painter.sheet import main as main_sheet
from models.painter.train import main, run
from models.painter.trainer import Settings, Trainer, open_averaged, open_trainer
from models.wiring.interpolation import Interpolation
from plugin_core.errors import InputError

pytestmark = pytest.mark.slow

SETTINGS = Settings(
    seed=3,
    steps=12,
    small_steps=1,
    batch={16: 3, 32: 2},
    shares={16: 0.5, 32: 0.5},
    average=0.9,
    grid=3,
    widths=Widths(4, 6, 8),
)


@pytest.fixture
def new(pictures):
    return lambda settings=SETTINGS: Trainer(settings, pictures, Interpolation(2, 2))


def everything(trainer, path):
    trainer.save(path)
    tensors, state = read_checkpoint(path)
    return tensors, {key: value for key, value in state.items() if key != "seconds"}


@pytest.mark.parametrize("changed", [{}, {"hard": 0.0}, {"half": True}])
def test_a_run_that_was_broken_off_goes_on_exactly(new, pictures, tmp_path, changed):
    settings = replace(SETTINGS, **changed)
    whole = new(settings)
    losses = [whole.learn() for _ in range(6)]
    first = new(settings)
    begun = [first.learn() for _ in range(3)]
    first.save(tmp_path / "half.safetensors")
    second = open_trainer(tmp_path / "half.safetensors", pictures, Settings(seed=99))
    assert second.settings == settings
    assert second.step == 3
    begun += [second.learn() for _ in range(3)]
    assert begun == losses
    kept, state = everything(whole, tmp_path / "a.safetensors")
    resumed, resumed_state = everything(second, tmp_path / "b.safetensors")
    assert state == resumed_state
    assert kept.keys() == resumed.keys()
    assert all(torch.equal(value, resumed[key]) for key, value in kept.items())
    # Beyond what is stored: the very tensors in memory, moments too.
    for a, b in zip(whole.painter.parameters(), second.painter.parameters(), strict=True):
        assert torch.equal(a, b)


def test_it_learns(new):
    small = replace(SETTINGS, steps=400, rate=5e-3, batch={16: 8}, shares={16: 1.0}, widths=Widths(8, 8, 12))
    trainer = new(small)
    losses = [trainer.learn() for _ in range(70)]
    assert all(np.isfinite(list(each.values())).all() for each in losses)
    first, last = (np.mean([each["whole"] for each in part]) for part in (losses[:10], losses[-10:]))
    assert last < 0.75 * first


@pytest.mark.parametrize("deaf", [0.0, 0.5])
def test_the_deaf_hear_nothing_and_correct_nothing(new, deaf):
    trainer = new(replace(SETTINGS, batch={16: 4}, shares={16: 1.0}, deaf=deaf))
    heard = []
    trainer.painter.convs["dc3_1"].register_forward_hook(
        lambda _conv, taken, _given: heard.append(taken[0][:, -4:])
    )
    losses = trainer.learn()
    loud = heard[0].flatten(1).abs().amax(dim=1) > 0
    assert loud.tolist() == ([True] * 4 if deaf == 0 else [False, False, True, True])
    assert ("deaf" in losses) == (deaf > 0)


def test_the_rate_rises_stays_and_falls(new):
    trainer = new(replace(SETTINGS, steps=1000))
    rates = {}
    for step in (0, 149, 400, 500, 750, 1000, 2000):
        trainer.step = step
        rates[step] = trainer.rate() / SETTINGS.rate
    assert rates[0] == pytest.approx(1 / 150)
    assert rates[149] == rates[400] == rates[500] == 1
    assert rates[750] == pytest.approx(0.5)
    assert rates[1000] == rates[2000] == pytest.approx(0.01)


def test_a_checkpoint_keeps_what_is_heard(new, pictures, tmp_path):
    trainer = new()
    for _ in range(3):
        trainer.learn()
    trainer.save(tmp_path / "run.safetensors")
    again = open_trainer(tmp_path / "run.safetensors", pictures, Settings(), steps=50, deaf=0.0)
    assert again.settings == replace(SETTINGS, steps=50, deaf=0.0)
    ours, theirs = trainer.hearing.state_dict(), again.hearing.state_dict()
    assert all(torch.equal(value, theirs[key]) for key, value in ours.items())


def test_a_whole_checkpoint_has_some_eight_megabytes(tmp_path):
    painter = dict(Painter().state_dict())
    tensors = {f"painter.{key}": value.clone() for key, value in painter.items()}
    tensors |= {f"average.{key}": value for key, value in painter.items()}
    tensors |= {f"exp_avg.{key}": value.bfloat16() for key, value in painter.items()}
    tensors |= {f"exp_avg_sq.{key}": value.bfloat16() for key, value in painter.items()}
    tensors |= {f"interpolation.{key}": value for key, value in Interpolation(6, 6).state_dict().items()}
    write_checkpoint(tmp_path / "c.safetensors", tensors, {})
    assert (tmp_path / "c.safetensors").stat().st_size < 8.1e6


def test_a_correction_begun_from_the_whole_picture_is_half_of_what_it_lacks(new, pictures, tmp_path):
    trainer = new(replace(SETTINGS, batch={32: 4}, shares={32: 1.0}, grid=1))
    trainer.learn()
    before = {key: value.clone() for key, value in trainer.average.items()}
    trainer.correct_by_whole()
    kept = trainer._optimizer.state
    for output in (trainer.painter.correction, trainer.painter.gate):
        assert not any(
            kept[each][name].any() for each in output.parameters() for name in ("exp_avg", "exp_avg_sq")
        )
    assert kept[trainer.painter.whole.weight]["exp_avg"].any()
    assert all(
        torch.equal(value, before[key])
        for key, value in trainer.average.items()
        if not key.startswith(("correction.", "gate."))
    )
    batch = draw_batch(np.random.default_rng(8), pictures, 16, 32, hard=1)
    heard, hole = trainer.hearing(*batch), (batch.known == 0).expand_as(batch.picture)
    for painter in (trainer.painter, trainer.averaged()):
        painted = painter(seen_by_painter(*batch), heard)
        wanted = 0.5 * (painted.whole - heard.fill)
        missed, size = ((x[hole]).square().mean().sqrt() for x in (painted.correction - wanted, wanted))
        assert missed < 0.5 * size
    trainer.learn()
    trainer.save(tmp_path / "run.safetensors")
    again = open_trainer(tmp_path / "run.safetensors", pictures, Settings())
    assert again.learn() == trainer.learn()


@pytest.mark.parametrize("side", [32, 64])
def test_gradients_in_bfloat16_are_numbers_and_nearly_the_same(new, side):
    settings = replace(SETTINGS, batch={side: 4}, shares={side: 1.0}, widths=Widths())
    norms = [new(replace(settings, half=half)).learn()["norm"] for half in (False, True)]
    assert norms[1] == pytest.approx(norms[0], rel=0.1)


def test_a_run_that_was_stopped_before_its_first_step_goes_on(new, pictures, tmp_path):
    new().save(tmp_path / "run.safetensors")
    again = open_trainer(tmp_path / "run.safetensors", pictures, SETTINGS)
    assert again.learn() == new().learn()


def test_another_file_is_refused(tmp_path, pictures):
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"no")
    with pytest.raises(InputError, match="can't be read"):
        open_trainer(path, pictures, SETTINGS)
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(InputError, match=r"x\.safetensors is no checkpoint of the painter"):
        open_trainer(path, pictures, SETTINGS)


def options(path, **changes):
    told = {
        "checkpoint": path,
        "minutes": float("inf"),
        "until_steps": 10**9,
        "save_minutes": 0.0,
        "check_minutes": 0.0,
        "log_every": 2,
    }
    return argparse.Namespace(**(told | changes))


def test_a_signal_ends_a_run_at_a_step_that_can_be_gone_on_with(new, tmp_path, monkeypatch):
    trainer = new()
    learn = trainer.learn

    def learn_and_be_told():
        if trainer.step == 4:
            os.kill(os.getpid(), signal.SIGTERM)
        return learn()

    monkeypatch.setattr(trainer, "learn", learn_and_be_told)
    before = signal.getsignal(signal.SIGTERM)
    run(trainer, None, options(tmp_path / "run.safetensors"))
    assert signal.getsignal(signal.SIGTERM) == before
    assert trainer.step == 6
    assert read_checkpoint(tmp_path / "run.safetensors")[1]["step"] == 6
    assert [path.name for path in tmp_path.iterdir()] == ["run.safetensors"]


def test_a_run_ends_at_a_step_and_tells_scores(new, photographs, tmp_path, caplog):
    caplog.set_level("INFO")
    trainer = new()
    held_out = HeldOut((photographs,), trainer.hearing, share=0.02)
    run(trainer, held_out, options(tmp_path / "run.safetensors", until_steps=5))
    assert trainer.step == 6
    assert "held out at step 6: photographs 128 " in caplog.text
    assert "samples/s" in caplog.text


def test_what_is_held_out_is_scored(photographs):
    hearing = Hearing(Interpolation(2, 2))
    held_out = HeldOut((photographs,), hearing, share=0.02)
    blank = Painter(SETTINGS.widths, carriers=2)
    torch.nn.init.zeros_(blank.correction.weight)
    torch.nn.init.zeros_(blank.correction.bias)
    baselines = held_out.baselines()
    assert set(baselines) == {"interpolation", "harmonic", "Telea", "Navier-Stokes"}
    assert held_out.painter(blank) == baselines["interpolation"]
    loud, deaf = Painter(SETTINGS.widths, carriers=2), Painter(SETTINGS.widths, carriers=2)
    deaf.load_state_dict(loud.state_dict())
    for layer, heard in (("dc0", 8), ("dc2_bt2", 8), ("dc3_1", 4)):
        torch.nn.init.zeros_(deaf.convs[layer].weight.data[:, -heard:])
    assert held_out.deaf(loud) == held_out.deaf(deaf)
    assert set(baselines["harmonic"]) == {
        "photographs 128",
        "geometry 128",
        "photographs 256",
        "whole cells 128",
    }


def test_the_harmonic_fill_of_a_ramp_is_the_ramp():
    ramp = torch.linspace(0, 1, 32).view(1, 1, 1, 32).expand(1, 3, 32, 32).contiguous()
    known = torch.ones(1, 1, 32, 32)
    known[..., 8:24, 8:24] = 0
    hidden = torch.where(known > 0, ramp, torch.zeros(()))
    assert (harmonic_fill(hidden, known) - ramp).abs().max() < 0.01


def test_the_command_says_what_is_wrong(tmp_path, capsys):
    assert main(["--data", str(tmp_path), "--checkpoint", str(tmp_path / "c.safetensors")]) == 2
    assert "No usable picture" in capsys.readouterr().err


def test_photographs_to_check_on_must_be_there(photographs, tmp_path):
    (tmp_path / "a.png").write_bytes((photographs / "a.png").read_bytes())
    with pytest.raises(InputError, match="None of the photographs to check on"):
        HeldOut((tmp_path,), Hearing(Interpolation(2, 2)))


def test_a_sheet_shows_matte_fills_and_truth(new, photographs, tmp_path, capsys):
    new().save(tmp_path / "run.safetensors")
    painter, hearing = open_averaged(tmp_path / "run.safetensors")
    held_out = HeldOut((photographs,), hearing, share=0.04)
    sheet = draw_sheet(painter, held_out, "photographs 128", 6)
    assert sheet.shape == (2 * 100, 4 * 4 * 98, 3)
    samples = sheet[:100].reshape(100, 4, 4, 98, 3)
    assert (samples[:, :, 1] == samples[:, :, 2]).all()  # nothing is corrected yet
    assert (samples[:, :, 0] != samples[:, :, 3]).any()
    told = ["--data", str(photographs), "--checkpoint", str(tmp_path / "run.safetensors")]
    assert main_sheet([*told, "--out", str(tmp_path / "sheet.png"), "--set", "none"]) == 2
    assert "There is no set 'none' to check on; there are photographs 128" in capsys.readouterr().err
