"""Whether a process still runs, and whether it is the same one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from plugin_core.disk.owner import place, start_of

linux = pytest.mark.skipif(sys.platform != "linux", reason="start times are told on Linux alone")


@pytest.fixture
def ended() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@linux
def test_a_start_is_the_kernels_own_count_of_ticks() -> None:
    stat = Path(f"/proc/{os.getpid()}/stat").read_text().rpartition(")")[2].split()
    assert start_of(os.getpid()) == stat[19], "as versions before wrote it"


@linux
def test_a_clock_that_is_set_moves_no_start(monkeypatch: pytest.MonkeyPatch) -> None:
    before, real = start_of(os.getpid()), psutil._psplatform.boot_time
    monkeypatch.setattr(psutil._psplatform, "boot_time", lambda: real() + 3600)
    assert psutil.boot_time() == real() + 3600
    assert start_of(os.getpid()) == before


def test_a_process_that_ended_has_no_start(ended: int) -> None:
    assert start_of(ended) is None
    assert start_of(-1) is None


@linux
def test_a_process_that_nobody_has_waited_for_has_ended() -> None:
    zombie = subprocess.Popen([sys.executable, "-c", ""])
    while psutil.Process(zombie.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.02)
    assert start_of(zombie.pid) is None
    zombie.wait()


def test_elsewhere_than_on_linux_a_process_only_runs_or_has_ended(
    ended: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert start_of(os.getpid()) == ""
    assert start_of(ended) is None


def test_a_process_that_may_not_be_looked_at_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int) -> None:
        raise psutil.AccessDenied(pid)

    monkeypatch.setattr(psutil, "Process", refuse)
    assert start_of(1) == ""


def test_a_place_is_the_same_for_every_process_of_it() -> None:
    script = "from plugin_core.disk.owner import place; print(place())"
    root = Path(__file__).parents[3]
    other = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True)
    assert other.stdout.strip() == place()
