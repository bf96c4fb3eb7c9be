"""Whether a process that was named by its number, maybe on another machine, still runs here."""

from __future__ import annotations

import ctypes
import os
import socket
import sys
import uuid
from pathlib import Path

_STILL_ACTIVE = 259
_MAY_ASK_FOR_ITS_END = 0x1000


def place() -> str:
    """Name where process numbers mean the same: a machine, since it was started, and a container on it."""
    name = socket.gethostname()
    try:
        run = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{name} {run} {Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return f"{name} {uuid.getnode():x}"


def began(pid: int) -> str | None:
    """Return when a process of this place began, in the kernel's ticks; None for one that has ended.

    Where the system does not tell (it is not Linux), a process that runs gives an empty text: it may be
    another one that was given the same number.
    """
    if sys.platform != "linux":
        return "" if _exists(pid) else None
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def _exists(pid: int) -> bool:
    if sys.platform == "win32":
        kernel = ctypes.windll.kernel32
        handle = kernel.OpenProcess(_MAY_ASK_FOR_ITS_END, False, pid)
        if not handle:
            return False
        code = ctypes.c_ulong()
        kernel.GetExitCodeProcess(handle, ctypes.byref(code))
        kernel.CloseHandle(handle)
        return code.value == _STILL_ACTIVE
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
