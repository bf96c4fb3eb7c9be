"""Signals, kills, locks and cancel files, with the real command and a real bundle."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time

import pytest

from plugin_core.cli import main

from ..commands import Render, render
from ..shots import ShotOnDisk, leftovers, make_shot, same_files

KILLS = int(os.environ.get("CLEANPLATE_TEST_KILLS", "4"))
LAST = 18

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")]


@pytest.fixture(scope="module")
def shot(tmp_path_factory, bundle_512) -> ShotOnDisk:
    """A shot, and its uninterrupted render in "whole"."""
    made = make_shot(tmp_path_factory.mktemp("shot"), 1, LAST, empty=(8,))
    render(made, bundle_512, "whole")
    return made


@pytest.fixture(autouse=True)
def clear_output(shot) -> None:
    shutil.rmtree(shot.folder / "out", ignore_errors=True)


def written(shot: ShotOnDisk) -> list[int]:
    return [frame for frame in range(1, LAST + 1) if shot.written(frame).exists()]


@pytest.mark.parametrize(("number", "code", "frame"), [(signal.SIGINT, 130, 2), (signal.SIGTERM, 143, 10)])
def test_a_signal_saves_the_state(shot, bundle_512, number, code, frame):
    running = Render(shot, bundle_512, "out", "--checkpoint-every", "100", hold=frame)
    running.signal(number)
    running.held.go()
    ended, err = running.end()
    assert ended == code, err
    done = written(shot)
    assert done == list(range(1, len(done) + 1)) and frame - 1 <= len(done) < LAST
    assert f"Stopped after frame {done[-1]}; its state is saved, go on with --resume." in err
    assert running.events()[-1]["exit_code"] == code
    assert leftovers(shot.folder) == []
    same_files(shot, "out", "whole", range(1, done[-1] + 1))

    resumed = render(shot, bundle_512, "out", "--resume")
    assert resumed.frames() == list(range(done[-1] + 1, LAST + 1)), "nothing is rendered twice"
    same_files(shot, "out", "whole")


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc for the moment")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_starting_up(shot, bundle_512, number, code):
    running = Render(shot, bundle_512, "out")
    running.wait_for_signal_handler(signal.SIGTERM)
    running.signal(number)
    ended, err = running.end()
    assert ended == code, err
    assert "stopping" in err.splitlines()[0] and err.count("\n") == 2
    assert written(shot) == [] and leftovers(shot.folder) == []


def test_a_second_signal_stops_at_once(shot, bundle_512):
    running = Render(shot, bundle_512, "out", hold=4)
    # Two at once may count as one.
    while running.process.poll() is None:
        running.signal(signal.SIGTERM)
        running.signal(signal.SIGTERM)
        time.sleep(0.05)
    ended, err = running.end()
    assert ended == 143 and "--resume" in err.splitlines()[-1]
    assert leftovers(shot.folder) == []
    render(shot, bundle_512, "out", "--resume")
    same_files(shot, "out", "whole")


def test_kills_at_random_moments(shot, bundle_512):
    """SIGKILL again and again; what was begun is always finished to the same pixels."""
    killed = 0
    while killed < KILLS:
        running = Render(shot, bundle_512, "out", "--resume", "--checkpoint-every", str(random.randint(1, 8)))
        if random.random() < 0.25:
            time.sleep(random.uniform(0, 1.5))  # while starting up, reading mattes, finding where to go on
        else:
            running.wait_for_frames(random.randint(1, 3))
            time.sleep(random.uniform(0, 0.25))
        running.process.kill()
        ended = running.process.wait()
        running.process.communicate()
        killed += ended == -signal.SIGKILL
        if ended == 0:
            same_files(shot, "out", "whole")
            shutil.rmtree(shot.folder / "out")
    render(shot, bundle_512, "out", "--resume")
    same_files(shot, "out", "whole")
    assert leftovers(shot.folder) == []


def test_a_second_render_of_the_same_output_refuses(shot, bundle_512, tmp_path, capsys):
    running = Render(shot, bundle_512, "out", hold=2)
    (tmp_path / "link").symlink_to(shot.folder / "out")
    for options in ([], ["--resume"], ["--overwrite"], ["--output", str(tmp_path / "link" / "clean.%d.exr")]):
        assert main(shot.arguments("out", "--model", str(bundle_512), *options)) == 7
        err = capsys.readouterr().err
        assert f"being written by another render (process {running.process.pid} on " in err
        assert err.count("\n") == 1
    running.held.go()
    code, err = running.end()
    assert code == 0, err
    same_files(shot, "out", "whole")


def test_a_cancel_file_stops_cleanly(shot, bundle_512, tmp_path):
    cancel = tmp_path / "cancel"
    running = Render(shot, bundle_512, "out", "--cancel-file", str(cancel), hold=3)
    cancel.touch()
    running.held.go()
    code, err = running.end()
    assert code == 130 and "its state is saved" in err
    cancel.unlink()
    render(shot, bundle_512, "out", "--resume", "--cancel-file", str(cancel))
    same_files(shot, "out", "whole")


def test_chunks_give_the_pixels_of_one_go(shot, bundle_512, tmp_path):
    """With the real network, whose carry is more than the toy's; each chunk into a folder of its own."""
    state = str(tmp_path / "after.7.state")
    render(shot, bundle_512, "a", "--frames", "1-7", "--state-out", state)
    render(shot, bundle_512, "b", "--frames", f"8-{LAST}", "--state-in", state)
    same_files(shot, "a", "whole", range(1, 8))
    same_files(shot, "b", "whole", range(8, LAST + 1))


def test_a_reader_that_goes_away_does_not_stop_the_render(shot, bundle_512):
    reading, writing = os.pipe()
    running = Render(shot, bundle_512, "out", "--progress", "json", stdout=writing)
    os.close(writing)
    with os.fdopen(reading) as stream:
        # Notes may come before it.
        assert any('"event": "start"' in stream.readline() for _ in range(12))
    code, err = running.end()
    assert (code, err) == (0, "")
    same_files(shot, "out", "whole")


def test_nobody_listens_to_the_errors(shot, bundle_512):
    reading, writing = os.pipe()
    os.close(reading)
    running = Render(shot, bundle_512, "out", "--frames", "5-99", stderr=writing)
    os.close(writing)
    assert running.process.wait(60) == 3


def test_signals_that_come_while_it_ends_change_nothing(shot, bundle_512):
    """Whoever sends one signal after the other still learns that the render was stopped, and how."""
    running = Render(shot, bundle_512, "out", hold=3)
    while running.process.poll() is None:
        running.signal(signal.SIGTERM)
        running.held.go()
        time.sleep(0.005)
    ended, err = running.end()
    assert ended == 143 and "--resume" in err.splitlines()[-1]
