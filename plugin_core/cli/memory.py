"""Limits on a process's memory: told in a sentence, before a library crashes for them."""

from __future__ import annotations

import re
import sys

from ..errors import NotEnoughMemoryError

LEAST_BYTES = 3 << 29
"""What libraries and a small render reserve (1.3 GB were measured); most of it is never touched."""

_OF_MEMORY = re.compile(
    r"failed to map segment|cannot allocate memory|resource temporarily unavailable|bad_?alloc", re.IGNORECASE
)


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


def is_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory, or room for another thread, ran out."""
    return isinstance(error, MemoryError) or (
        isinstance(error, ImportError | RuntimeError | OSError) and _OF_MEMORY.search(str(error)) is not None
    )


def ran_out() -> str:
    """Return the sentence for memory that ran out."""
    limit = _limit()
    why = "" if limit is None else f" (this process may use {limit >> 20} MiB, ulimit -v)"
    return (
        f"Memory ran out{why}; give it more, or render with a smaller --working-size or fewer shots at once."
    )


def _limit() -> int | None:
    """Bytes of address space that this process may use; None for any."""
    if sys.platform == "win32":
        return None
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if soft == resource.RLIM_INFINITY else soft
