"""`cleanplate stream` as it is typed: its options, and processes that are stopped and killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from plugin_core.cli import main
from plugin_core.errors import InputError
from plugin_core.job.settings import Settings
from plugin_core.live import decoded
from plugin_core.live.meter import Meter
from plugin_core.live.run import Matte, Output, run_stream
from plugin_core.live.source import Asked
from plugin_core.live.telling import Telling
from plugin_core.progress.stop import Stop

from .streams import GREEN, Painter, noise

W, H = 48, 32
SIZE = W * H * 3
RAW = "--size", f"{W}x{H}", "--box", "8,8,12,10"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--size", "big"], "--size big is no size"),
        (["--size", "99999x2", "--box", "1,1,2,2"], "1 to 16384 pixels"),
        (["--pix-fmt", "rgba"], "give its --size"),
        (["--size", "8x8", "--pix-fmt", "nv12"], "nv12 is not read here"),
        (["--rate", "0"], "--rate 0 is no frame rate"),
        (["--box", "1,2,3"], "--box 1,2,3 is no box"),
        (["--box", "1,2,3,4", "--matte", "m"], "--matte or --box, not both"),
        (["in.mov", "--camera"], "an input or --camera"),
        (["--output", "none"], "none is no pipe"),
        (["--viewer", "70000"], "--viewer 70000 is no port"),
    ],
)
def test_what_is_asked_wrongly(monkeypatch, tmp_path, capfd, words, why):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("plugin_core.api.open_model", lambda *a: Opened())
    monkeypatch.setattr("sys.stdin", Path(os.devnull).open())  # noqa: SIM115
    assert main(["stream", *words]) == 2
    assert why in capfd.readouterr().err and not os.listdir(tmp_path)  # noqa: PTH208


class Opened(SimpleNamespace):
    """In a model's place."""

    device, network = "cpu", None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


def run(
    asked: Asked, output: Output, meter: Meter, matte: Matte | None = None, stop: Stop | None = None
) -> None:
    run_stream(
        asked,
        matte or Matte(box=(0, 0, 16, 16)),
        output,
        Painter,
        Telling("json", meter, "painter", "cpu"),
        Settings(),
        stop or Stop(),
        realtime=False,
    )


def test_a_camera_in_and_a_virtual_camera_out(monkeypatch, capsys):
    """FFmpeg's test pictures are the camera."""
    monkeypatch.setitem(decoded._CAMERAS, sys.platform, "lavfi")
    shown: list[np.ndarray] = []
    opened: list[tuple] = []

    class Camera:
        def __init__(self, width, height, fps, device):
            opened.append((width, height, fps, device))

        def send(self, picture):
            shown.append(picture.copy())

        def close(self):
            opened.append(("closed",))

    monkeypatch.setitem(sys.modules, "pyvirtualcam", SimpleNamespace(Camera=Camera))
    pictures = Asked("testsrc=size=64x48:rate=24:duration=0.25", is_camera=True)
    run(pictures, Output(pipe=None, camera=True, camera_device="/dev/video9"), Meter())
    assert opened == [(64, 48, 24.0, "/dev/video9"), ("closed",)] and len(shown) == 6
    assert all((picture[:16, :16] == GREEN).all() for picture in shown)
    assert (shown[0][20:] != GREEN).any(axis=2).all()
    told = capsys.readouterr().err
    assert '"event": "start", "width": 64' in told and '"event": "done", "frames": 6, "dropped": 0' in told

    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(InputError, match="camera"):
        run(pictures, Output(pipe=None, camera=True), Meter())


@pytest.fixture
def temporary(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "temporary"
    folder.mkdir()
    yield folder
    assert list(folder.iterdir()) == []


def begun(temporary: Path) -> subprocess.Popen:
    """A stream in a process of its own, once a frame of it has come out."""
    command = [sys.executable, "-m", "plugin_core.cli", "stream", *RAW]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    frame = noise(1, SIZE)[0]
    process.stdin.write(frame + frame[:100])
    out = b""
    while len(out) < SIZE:
        part = process.stdout.read(SIZE)
        assert part, process.stderr.read().decode()
        out += part
    before, after = (np.frombuffer(data, np.uint8).reshape(H, W, 3) for data in (frame, out))
    assert np.array_equal(before[:4], after[:4]) and not np.array_equal(before, after)
    assert psutil.Process(process.pid).children(recursive=True) == []
    return process


@pytest.mark.slow
def test_a_stream_that_is_killed_or_stopped_leaves_nothing(temporary):
    process = begun(temporary)
    process.kill()
    assert process.wait(20) == -signal.SIGKILL
    with pytest.raises(BrokenPipeError):
        process.stdin.write(bytes(1 << 22))
    for pipe in (process.stdin, process.stdout, process.stderr):
        pipe.close()

    process = begun(temporary)
    process.terminate()  # It waits for the rest of a frame.
    told = process.stderr.read().decode()
    assert process.wait(20) == 143 and "stopping" in told and "1 frames" in told and "Traceback" not in told
    for pipe in (process.stdin, process.stdout, process.stderr):
        pipe.close()
