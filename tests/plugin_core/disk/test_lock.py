"""Claims of frames: who may write, who has died, and who only seems to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time

import pytest

from plugin_core.disk import lock
from plugin_core.disk.lock import holding
from plugin_core.errors import Interrupted, OutputBusyError, WriteError


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(lock, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(lock, "SILENT_SECONDS", 0.6)
    monkeypatch.setattr(lock, "_LOOK_SECONDS", 0.05)


@pytest.fixture
def nobody_waits(monkeypatch):
    def waited(*given: object) -> None:
        raise AssertionError("nothing had to be waited for")

    monkeypatch.setattr(lock, "_pause_until", waited)


def files(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def sign(folder, name: str = "lock.all", **fields) -> None:
    """Leave a lock file as another process would."""
    owner = {"frames": "all", "host": "node7", "place": "elsewhere", "pid": 1, "started": "1"}
    (folder / name).write_text(json.dumps(owner | {"since": "then", "token": "theirs"} | fields), "utf-8")


def test_a_claim_tells_its_owner_and_goes_with_it(tmp_path):
    with holding(tmp_path, "clean", (1, 9)):
        owner = json.loads((tmp_path / "lock.1_9").read_text("utf-8"))
        assert owner["pid"] == os.getpid() and owner["frames"] == "1-9" and owner["host"]
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("held", "asked", "free"),
    [
        ((1, 9), (10, 20), True),
        ((1, 9), (9, 20), False),
        ((1, 9), (1, 9), False),
        ((5, 6), (1, 9), False),
        ((-9, -5), (-4, 3), True),
        (None, (1, 9), False),
        ((1, 9), None, False),
        (None, None, False),
    ],
)
def test_only_frames_in_common_exclude(tmp_path, held, asked, free):
    with holding(tmp_path, "clean", held):
        before = files(tmp_path)
        if free:
            with holding(tmp_path, "clean", asked):
                pass
        else:
            with (
                pytest.raises(OutputBusyError, match=f"process {os.getpid()} on "),
                holding(tmp_path, "clean", asked),
            ):
                pass
        assert files(tmp_path) == before, "whoever was refused leaves nothing"


def test_a_process_that_died_here_blocks_nobody(tmp_path, nobody_waits):
    script = (
        "import os, sys; from pathlib import Path; from plugin_core.disk.lock import holding\n"
        "with holding(Path(sys.argv[1]), 'clean', None): os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", script, str(tmp_path)]).returncode == 9
    assert files(tmp_path) == ["lock.all"]
    with holding(tmp_path, "clean", (3, 4)):
        assert files(tmp_path) == ["lock.3_4"]


def test_a_number_given_to_another_process_is_not_the_owner(tmp_path):
    from plugin_core.disk.owner import place

    sign(tmp_path, place=place(), pid=os.getpid(), started="1")
    with holding(tmp_path, "clean", None) as claim:
        claim.check()


def test_a_silent_machine_is_dead_whatever_its_clock_says(tmp_path):
    sign(tmp_path)
    for age in (86400, -86400):
        os.utime(tmp_path / "lock.all", (time.time() - age, time.time() - age))
        began = time.monotonic()
        with holding(tmp_path, "clean", None):
            assert time.monotonic() - began > 0.5
        sign(tmp_path)


@pytest.mark.parametrize("hours", [-5, 0, 5])
def test_a_machine_that_shows_life_is_not_whatever_its_clock_says(tmp_path, hours, monkeypatch):
    monkeypatch.setattr(lock, "SILENT_SECONDS", 60)
    sign(tmp_path)
    over = threading.Event()

    def touch() -> None:
        tick = 0
        while not over.wait(0.1):
            tick += 1
            stamp = time.time() + 3600 * hours + tick
            os.utime(tmp_path / "lock.all", (stamp, stamp))

    alive = threading.Thread(target=touch)
    alive.start()
    try:
        with (
            pytest.raises(OutputBusyError, match="process 1 on node7, frames all, since then"),
            holding(tmp_path, "clean", (1, 5)),
        ):
            pass
    finally:
        over.set()
        alive.join()
    assert files(tmp_path) == ["lock.all"]


def test_a_file_cut_short_is_of_a_dead_owner(tmp_path):
    (tmp_path / "lock.1_5").write_text('{"frames": "1-', "utf-8")
    with holding(tmp_path, "clean", (1, 5)):
        pass
    assert files(tmp_path) == []


def test_an_owner_that_was_taken_over_stops_and_leaves_the_other_alone(tmp_path):
    with pytest.raises(OutputBusyError, match="Process 1 on node7 took this render over"):  # noqa: SIM117
        with holding(tmp_path, "clean", None) as claim:
            claim.check()
            sign(tmp_path)
            claim.check()
    assert json.loads((tmp_path / "lock.all").read_text("utf-8"))["token"] == "theirs"


def test_waiting_ends_when_the_other_is_done(tmp_path):
    with holding(tmp_path, "clean", (1, 9)):
        release = threading.Event()

        def second() -> None:
            with holding(tmp_path, "clean", (5, 9), wait_seconds=20):
                release.set()

        other = threading.Thread(target=second)
        other.start()
        assert not release.wait(0.3)
    assert release.wait(10)
    other.join()


def test_waiting_can_be_stopped(tmp_path):
    def stop() -> None:
        raise Interrupted("enough", 143)

    with (
        holding(tmp_path, "clean", None),
        pytest.raises(Interrupted),
        holding(tmp_path, "clean", None, wait_seconds=60, watch=stop),
    ):
        pass


def test_many_who_want_the_same_one_gets_it(tmp_path):
    """Threads of one process, all at once, over a lock that a dead machine left."""
    sign(tmp_path)
    inside, most, refused = [0], [0], []
    guard, gate, told = threading.Lock(), threading.Barrier(8), threading.Semaphore(0)

    def run() -> None:
        gate.wait()
        try:
            with holding(tmp_path, "clean", None):
                with guard:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                for _ in range(7):
                    told.acquire(timeout=20)
                with guard:
                    inside[0] -= 1
        except OutputBusyError:
            refused.append(1)
            told.release()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 1 and len(refused) == 7
    assert files(tmp_path) == []


def test_a_folder_that_takes_no_file(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="Can't write to"), holding(tmp_path / "file", "clean", None):
        pass


@pytest.mark.parametrize("asked", [None, (1003, 1004)])
@pytest.mark.parametrize("name", ["lock.1001_1006.bak", "lock.all~", "lock.1001", "lock.x_y", "lock.1_2_3"])
def test_a_file_with_nearly_the_name_of_a_lock_is_left_alone(tmp_path, nobody_waits, asked, name):
    sign(tmp_path, name)
    before = (tmp_path / name).read_bytes()
    with holding(tmp_path, "clean", asked):
        pass
    assert files(tmp_path) == [name] and (tmp_path / name).read_bytes() == before


@pytest.mark.parametrize("asked", [None, (1, 5)])
def test_what_is_no_lock_is_never_removed(tmp_path, nobody_waits, asked):
    other = tmp_path / "lock.1_5"
    other.write_text("my notes on shots 1 to 5", "utf-8")
    with pytest.raises(WriteError, match="is not a lock file of a render"), holding(tmp_path, "clean", asked):
        pass
    assert files(tmp_path) == ["lock.1_5"] and other.read_text("utf-8") == "my notes on shots 1 to 5"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes of POSIX")
def test_a_pipe_or_a_folder_where_a_lock_would_be_is_refused_at_once(tmp_path):
    for place in ("pipe", "folder"):
        at = tmp_path / place
        at.mkdir()
        if place == "pipe":
            os.mkfifo(at / "lock.all")
        else:
            (at / "lock.all").mkdir()
        for asked in (None, (1, 5)):
            with pytest.raises(WriteError, match="is not a lock file"), holding(at, "clean", asked):
                pass
        assert files(at) == ["lock.all"]


@pytest.mark.parametrize("rest", [b'1", "host": 5}', b'1", "host": ' + b"[" * 50_000, b"\xff\xfe", b""])
def test_a_lock_of_the_wrong_kind_is_of_a_dead_owner(tmp_path, rest):
    (tmp_path / "lock.all").write_bytes(b'{"frames": "' + rest)
    with holding(tmp_path, "clean", None):
        pass
    assert files(tmp_path) == []
