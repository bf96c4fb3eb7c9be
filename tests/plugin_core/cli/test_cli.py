"""The command: help at once, models, doctor and the demo."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch

from models.network.generated import generated_network
from plugin_core.cli import demo, main
from plugin_core.job.settings import Settings
from plugin_core.sample import lake

pytestmark = pytest.mark.slow


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "plugin_core.cli", *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "command", [[], ["render"], ["probe"], ["models"], ["models", "import"], ["models", "verify"]]
)
def test_help_is_there_for_every_command(command):
    done = run(*command, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("usage: cleanplate")


@pytest.mark.parametrize("command", ["", "render", "probe", "qc"])
def test_help_loads_nothing_heavy(command):
    code = (
        "import sys; from plugin_core.cli import main\n"
        f"try: main([*{command.split()}, '--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'pydantic', 'OpenImageIO', 'onnxruntime', 'torch', 'cv2', 'rich', 'av'}\n"
        "print('LOADED', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "LOADED []" in done.stdout


def test_help_comes_at_once():
    """In processor time, which a busy machine changes little: a wall clock would tell of the machine."""
    spent = []
    for _ in range(3):
        before = os.times()
        assert run("--help").returncode == 0
        after = os.times()
        spent.append(
            after.children_user - before.children_user + after.children_system - before.children_system
        )
    assert min(spent) < 0.3, spent


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("qc", "  0    no faults"),
        ("render", "  9    qc found faults"),
        ("batch", "    - name: sh010"),
        ("batch", "  2         the list has mistakes and nothing was begun"),
        ("farm", "  neither                        one task a shot, exact"),
    ],
)
def test_tables_in_help_keep_their_lines(command, line):
    assert line in run(command, "--help-all").stdout.splitlines()


def test_version_is_the_installed_one(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.startswith("cleanplate 0.")


def test_models_are_listed_verified_and_the_unknown_is_told(bundle_512, monkeypatch, capsys):
    monkeypatch.setenv("CLEANPLATE_MODELS", str(bundle_512.parent))
    assert main(["models", "list"]) == 0
    assert bundle_512.name in capsys.readouterr().out
    assert main(["models", "verify", bundle_512.name]) == 0
    assert main(["models", "verify", "nobody"]) == 4
    assert "nobody" in capsys.readouterr().err


def test_a_checkpoint_is_imported_and_a_wrong_one_names_what_is_missing(tmp_path, capsys):
    state = {f"module.{key}": value for key, value in generated_network(512).state_dict().items()}
    torch.save({"state_dict": state}, tmp_path / "good.pth")
    bundle = tmp_path / "bundle"
    arguments = ["models", "import", "--variant", "512", "--output", str(bundle)]
    assert main([*arguments, str(tmp_path / "good.pth"), "--licence", "research only"]) == 0
    assert "research only" in (bundle / "manifest.json").read_text("utf-8")
    del state["module.decoder.dc6.weight"]
    torch.save({"state_dict": state}, tmp_path / "bad.pth")
    assert main([*arguments, str(tmp_path / "bad.pth")]) == 4
    assert "decoder.dc6.weight" in capsys.readouterr().err


def test_importing_without_torch_says_what_to_install(monkeypatch, capsys):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "torch" else find(name, *rest)
    )
    assert main(["models", "import", "x.pth", "--variant", "512", "--output", "y"]) == 2
    assert 'pip install "cleanplate[train]"' in capsys.readouterr().err


def test_doctor_is_content_with_a_model_and_not_without(bundle_512, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "models"
    (folder / "vinet").mkdir(parents=True)
    for file in bundle_512.iterdir():
        (folder / "vinet" / file.name).symlink_to(file)
    monkeypatch.setenv("CLEANPLATE_MODELS", str(folder))
    assert main(["doctor"]) == 0
    assert "renders run on cpu" in capsys.readouterr().out
    (folder / "vinet" / "step.onnx").unlink()
    assert main(["doctor"]) == 4
    assert "BROKEN" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["doctor", "render --plate a.png --matte b.png --output c"])
def test_a_library_that_is_missing_is_told_in_a_sentence(command):
    code = (
        "import sys; sys.modules['numpy'] = None\n"
        "from plugin_core.cli import main\n"
        f"sys.exit(main({command.split()}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    assert "The library numpy can't be loaded" in done.stdout + done.stderr


def test_the_demo_renders_and_shows_before_and_after(bundle_512, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo, "DEMO_SETTINGS", Settings(working_size=64, propagate=0, paint="network"))
    out = tmp_path / "a demo"
    assert main(["demo", "--frames", "1001-1003", "--output", str(out), "--model", str(bundle_512)]) == 0
    printed = capsys.readouterr().out
    sheet = out / "before_after.png"
    assert str(sheet) in printed
    assert "dB" in printed and str(out / "review" / "review.html") in printed
    assert cv2.imread(str(sheet)).shape[1] > 1000
    assert sorted(path.name for path in out.glob("clean.*")) == [f"clean.{f}.exr" for f in (1001, 1002, 1003)]


def test_the_demo_of_a_photograph(bundle_512, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(lake, "LAST", 1002)
    monkeypatch.setattr(demo, "DEMO_SETTINGS", Settings(working_size=64, propagate=0, paint="network"))
    out = tmp_path / "demo"
    assert main(["demo", "--shot", "lake", "--output", str(out), "--model", str(bundle_512)]) == 0
    assert str(out / "review" / "review.html") in capsys.readouterr().out
    plate, matte, clean, result = (
        cv2.imread(str(out / name), cv2.IMREAD_UNCHANGED)
        for name in (
            "lake/plate/plate.1002.png",
            "lake/matte/matte.1002.png",
            "lake/clean/clean.1002.png",
            "clean.1002.png",
        )
    )
    outside = matte == 0
    assert plate.shape == clean.shape == result.shape == (lake.HEIGHT, lake.WIDTH, 3)
    assert np.array_equal(plate[outside], clean[outside])
    assert 0.01 < (~outside).mean() < 0.1
    assert np.abs(plate[~outside].astype(int) - clean[~outside]).mean() > 20  # it can be seen
    assert (result[~outside] != plate[~outside]).mean() > 0.9


def test_the_python_interface_of_the_readme(bundle_512, tmp_path):
    from plugin_core import Shot, open_model
    from plugin_core.sample import matte_pattern, plate_pattern

    shot = Shot(
        plate=plate_pattern(), matte=matte_pattern(), output=str(tmp_path / "o.####.exr"), frames="1001-1002"
    )
    with open_model(str(bundle_512), device="cpu") as model:
        done = list(model.render(shot, Settings(grow=6, feather=4, working_size=64), resume=True))
    assert [frame.frame for frame in done] == [1001, 1002]
    assert all(frame.path.is_file() and frame.seconds >= 0 for frame in done)
