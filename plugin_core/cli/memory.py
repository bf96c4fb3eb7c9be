"""Limits on a process's memory: told in a sentence, before a library crashes for them."""

from __future__ import annotations

import sys

from ..errors import NotEnoughMemoryError

LEAST_BYTES = 3 << 29
"""What libraries and a small render reserve (1.3 GB were measured); most of it is never touched."""


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
