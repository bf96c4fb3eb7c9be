"""Whether a process that was named by its number, maybe on another machine, still runs here."""

from __future__ import annotations

import os
import socket
import sys
import uuid
from pathlib import Path

import psutil


def place() -> str:
    """Name where process numbers mean the same: a machine, since it was started, and a container on it."""
    name = socket.gethostname()
    try:
        run = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{name} {run} {Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return f"{name} {uuid.getnode():x}"


def start_of(pid: int) -> str | None:
    """Return when a process of this place began, in the kernel's ticks; None for one that has ended.

    Where that can't be told for certain (it is not Linux), a process that runs gives an empty text: it may be
    another one that was given the same number.
    """
    try:
        if psutil.Process(pid).status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            return None
        return str(_ticks_at_start(pid)) if sys.platform == "linux" else ""
    except psutil.AccessDenied:
        return ""
    except (psutil.NoSuchProcess, ValueError):
        return None


def _ticks_at_start(pid: int) -> int:
    """Ticks from the machine's start to the process's."""
    while True:
        # Both are times of day, which move as the clock is set; what lies between them stays.
        booted = psutil.boot_time()
        created = psutil.Process(pid).create_time()
        if psutil.boot_time() == booted:
            return round(float(created - booted) * os.sysconf("SC_CLK_TCK"))
