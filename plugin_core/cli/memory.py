"""A process's memory: limits, told before a library crashes for them; what is freed serves again."""

from __future__ import annotations

import contextlib
import sys

from ..errors import NotEnoughMemoryError

LEAST_BYTES = 3 << 29
"""What libraries and a small render reserve (1.3 GB were measured); most of it is never touched."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""Names of glibc's `mallopt`."""

_KEPT_BYTES, _LARGE_BYTES = 128 << 20, 32 << 20
"""So much that was freed is kept, of blocks smaller than these."""

_ARENAS = 2
"""Pools of memory for all threads: with one for each, what one has freed serves no other."""


def keep_freed() -> None:
    """Have the C library keep what is freed for what is asked for next; where it is glibc.

    By itself it gives every picture back to the system at once, which clears the same pages again for the
    next one: 4 to 16 % of a render's processor time, measured on one shot.
    """
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            library = ctypes.CDLL(None)
            library.mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
            library.mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
            library.mallopt(_ARENA_MAX, _ARENAS)


def check_limit() -> None:
    """Refuse to start under a limit that the libraries alone break: some of them crash where they reach it.

    Raises NotEnoughMemoryError.
    """
    limit = _limit()
    if limit is not None and limit < LEAST_BYTES:
        raise NotEnoughMemoryError(
            f"This process may use {limit >> 20} MiB of address space (ulimit -v), and starting takes "
            f"{LEAST_BYTES >> 20} MiB before the first frame; raise the limit or lift it."
        )


def _limit() -> int | None:
    """Bytes of address space that this process may use; None for any."""
    if sys.platform == "win32":
        return None
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if soft == resource.RLIM_INFINITY else soft
