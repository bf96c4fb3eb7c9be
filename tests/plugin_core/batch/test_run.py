"""Many shots at once, with real workers: one bad shot, killed workers, a killed batch."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import signal
import time
from pathlib import Path
from xml.etree import ElementTree

import psutil
import pytest

from plugin_core.batch import view as batch_view
from plugin_core.batch.pool import seats
from plugin_core.batch.state import Progress, ShotProgress
from plugin_core.errors import DeviceError
from tests.held import Held

from ..batches import Shots
from ..commands import TIMEOUT
from ..shots import leftovers, picture, write_plate

KILLS = int(os.environ.get("CLEANPLATE_TEST_BATCH_KILLS", "3"))
STATE_WRITE = "workers SIGKILL in a state write"
pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")]


@pytest.fixture(scope="module")
def shots(tmp_path_factory, bundle_512) -> Shots:
    made = Shots(tmp_path_factory.mktemp("batch"), bundle_512, [10, 7, 12])
    made.render_true()
    return made


@pytest.fixture(autouse=True)
def clear(request) -> None:
    if "shots" in request.fixturenames:
        request.getfixturevalue("shots").clear()


def workers(batch: psutil.Process) -> list[psutil.Process]:
    return [child for child in batch.children() if "worker" in child.cmdline()]


def frames_on_disk(shots: Shots) -> int:
    return sum(len(list((shot.folder / "out").glob("clean.*.exr"))) for shot in shots.shots)


def wait_until(true, running) -> None:
    end = time.monotonic() + TIMEOUT
    while not true() and running.poll() is None:
        assert time.monotonic() < end
        time.sleep(0.01)


def wait_for_frames(shots: Shots, count: int, running) -> None:
    wait_until(lambda: frames_on_disk(shots) >= count, running)


def test_a_painted_frame_fails_its_shot_until_somebody_decides(shots):
    only = "--only", "sh020", "--jobs", "1"
    assert shots.run(*only)[0] == 0
    painted = shots.shots[1].written(4)
    write_plate(painted, picture(40))
    content = painted.read_bytes()
    code, _, err = shots.run(*only)
    assert code == 8 and "frame 4 was changed since it was written" in err and "--keep-edited" in err
    code, out, err = shots.run(*only, "--keep-edited")
    assert (code, painted.read_bytes()) == (0, content), err
    assert "7/7 frames" in out


def test_one_bad_shot_stops_no_other(shots, tmp_path):
    bad = {"name": "bad", "plate": str(tmp_path / "none.####.exr"), "output": "bad/out/clean.####.exr"}
    typo = {"name": "typo", "gorw": 3}
    shots.rows.extend([bad, typo])
    shots.write_list()
    try:
        code, out, err = shots.run("--only", "*")
        assert code == 2 and "shot typo has an unknown field 'gorw'" in err and frames_on_disk(shots) == 0
        summary, junit = tmp_path / "deep" / "summary.json", tmp_path / "junit.xml"
        options = ["--keep-going", "--jobs", "2", "--summary", str(summary), "--junit", str(junit)]
        code, out, err = shots.run(*options)
        assert code == 8, err
        assert "5 shots: 3 done, 2 failed; 29/29 frames" in out
        assert "No frame of" in err and err.count("\n") == 5, "one line a shot"
    finally:
        del shots.rows[3:]
        shots.write_list()
    shots.check()
    told = json.loads(summary.read_text("utf-8"))
    assert told["counts"] == {"done": 3, "failed": 2}
    assert [(s["name"], s["exit_code"], s["rendered"]) for s in told["shots"]] == [
        ("sh010", 0, 10),
        ("sh020", 0, 7),
        ("sh030", 0, 12),
        ("bad", 3, 0),
        ("typo", 2, 0),
    ]
    suite = ElementTree.parse(junit).getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("5", "2", "0")
    assert "No frame of" in suite.find("testcase[@name='bad']/failure").get("message")


def test_what_is_done_is_not_done_again(shots):
    assert shots.run("--only", "sh010", "--only", "sh02*")[0] == 0
    code, out, _ = shots.run("--progress", "json", "--summary", str(shots.folder / "s.json"))
    assert code == 0
    rendered = {s["name"]: s["rendered"] for s in json.loads((shots.folder / "s.json").read_text())["shots"]}
    assert rendered == {"sh010": 0, "sh020": 0, "sh030": 12}
    events = [json.loads(line) for line in out.splitlines()]
    assert {event["shot"]: event["state"] for event in events} == dict.fromkeys(rendered, "done")
    shots.check()


def test_a_worker_that_dies_is_replaced(shots, tmp_path):
    held = Held(tmp_path, "*/sh010/out/clean.0003.exr")
    running = shots.start("--jobs", "1", held=held)
    workers(psutil.Process(running.pid))[0].kill()
    held.go()
    _, err = running.communicate(timeout=TIMEOUT)
    assert running.returncode == 0, err
    shots.check()


def test_a_stop_saves_every_state(shots, tmp_path):
    held = Held(tmp_path, "*/out/clean.0003.exr")
    running = shots.start("--jobs", "2", "--summary", str(shots.folder / "s.json"), held=held)
    running.send_signal(signal.SIGTERM)
    held.go()
    _, err = running.communicate(timeout=TIMEOUT)
    assert running.returncode == 143, err
    assert leftovers(shots.folder) == [] and not list(shots.folder.rglob("lock.*"))
    told = json.loads((shots.folder / "s.json").read_text())
    assert told["counts"]["stopped"] >= 1 and "failed" not in told["counts"]
    before = frames_on_disk(shots)
    assert shots.run("--summary", str(shots.folder / "s.json"))[0] == 0
    rendered = sum(s["rendered"] for s in json.loads((shots.folder / "s.json").read_text())["shots"])
    assert rendered == 29 - before, "nothing is rendered twice"
    shots.check()


def test_random_kills(shots):
    """Workers and whole batches are killed at random moments; `tests.benchmarks.soak` does 200."""
    kill_at_random(shots, KILLS, random.Random(8))
    shots.check()


def kill_at_random(shots: Shots, kills: int, dice: random.Random) -> dict[str, int]:
    """Kill something so many times, each time in a batch that has something left, then let it finish.

    Every time all is done, no frame is lost, doubled or different, and nothing else is left over. A kill
    counts as one in a state write only if the half-written state lies there after it.
    """
    done = {"batch SIGKILL": 0, "batch SIGTERM": 0, "worker SIGKILL": 0, "worker SIGTERM": 0, STATE_WRITE: 0}
    while sum(done.values()) < kills:
        running = shots.start("--jobs", "2", "--set", f"checkpoint_every={dice.randint(1, 4)}")
        before = frames_on_disk(shots)
        what = dice.choice(list(done))
        if dice.random() < 0.8:
            wait_for_frames(shots, before + dice.randint(1, 4), running)
        killed = kill(shots, running, what, dice)
        if killed:
            done[killed] += 1
        _, err = running.communicate(timeout=TIMEOUT)
        # A signal before Python has read the command ends it as any program.
        ended = (0, 143, -signal.SIGKILL, -signal.SIGTERM)
        assert running.returncode in ended, (running.returncode, err)
        if running.returncode == 0:
            shots.check()
            shots.clear()
    code, _, err = shots.run("--jobs", "2")
    assert code == 0, err
    return done


def kill(shots: Shots, running, what: str, dice: random.Random) -> str:
    """Kill a batch or workers of it; returns what that was, nothing where all ended by itself meanwhile."""
    if what == STATE_WRITE:
        return kill_in_a_state_write(shots, running)
    time.sleep(dice.uniform(0, 0.4))
    with contextlib.suppress(psutil.NoSuchProcess):
        batch = psutil.Process(running.pid)
        victims = workers(batch)[:1] if what.startswith("worker") else [batch]
        for victim in victims:
            victim.send_signal(signal.SIGKILL if what.endswith("KILL") else signal.SIGTERM)
        return what if victims else ""
    return ""


def kill_in_a_state_write(shots: Shots, running) -> str:
    """Kill every worker once a state has its temporary name."""
    while not half_written_states(shots) and running.poll() is None:
        time.sleep(0.001)
    with contextlib.suppress(psutil.NoSuchProcess):
        victims = workers(psutil.Process(running.pid))
        for victim in victims:
            victim.kill()
        psutil.wait_procs(victims, TIMEOUT)
        if victims:
            return STATE_WRITE if half_written_states(shots) else "worker SIGKILL"
    return ""


def half_written_states(shots: Shots) -> list[Path]:
    return list(shots.folder.glob("*/out/.cleanplate/*/.cleanplate-state.*.tmp*"))


def test_chunks_with_a_pre_roll_side_by_side(shots):
    code, _, err = shots.run("--jobs", "2", "--set", "chunk_frames=4", "--set", "pre_roll=12")
    assert code == 0, err
    shots.check()  # that pre-roll reaches every shot's start, so it is exact


def test_the_seams_are_measured(shots):
    options = ["--only", "sh010", "--set", "chunk_frames=5", "--check-seams", "--pre-rolls", "0,3,20"]
    code, out, err = shots.run(*options, "--summary", str(shots.folder / "seams.json"))
    assert code == 0, err
    seams = json.loads((shots.folder / "seams.json").read_text())
    means = {seam["pre_roll"]: seam["mean"] for seam in seams}
    assert means[0] > means[3] > 0 and means[20] == 0
    assert "sh010: 1 seams" in out and frames_on_disk(shots) == 0


def test_seats():
    assert [seat.threads for seat in seats(None, "cpu", 8)] == [2, 2, 2, 2]
    assert [seat.threads for seat in seats(2, "cpu", 2)] == [1, 1]
    assert [seat.threads for seat in seats(8, "cpu", 2)] == [1] * 8
    with pytest.raises(DeviceError):
        seats(1, "cuda:0,tpu", 2)


def test_one_worker_a_card(monkeypatch):
    from plugin_core.network import device

    monkeypatch.setattr(device, "available_devices", lambda: ["auto", "cpu", "cuda:0", "cuda:1"])
    assert [seat.device for seat in seats(None, "auto", 64)] == ["cuda:0", "cuda:1"]
    assert [seat.device for seat in seats(3, "auto", 64)] == ["cuda:0", "cuda:1", "cuda:0"]


def test_the_table_shows_what_matters_most():
    from rich.console import Console

    shots = [ShotProgress(f"sh{number:03d}", state=Progress.DONE, total=9) for number in range(40)]
    shots[17].state, shots[33].state = Progress.FAILED, Progress.RENDERING
    shots[33].begin()
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(batch_view.table(shots, 3))
    shown = console.export_text()
    assert "sh017" in shown and "sh033" in shown and shown.count("done") == 2
    assert "40 shots: 1 rendering, 38 done, 1 failed" in shown
    assert [batch_view.clock(seconds) for seconds in (None, 59.6, 3725)] == ["", "1:00", "1:02:05"]
