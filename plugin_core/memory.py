"""How much memory there is."""

from __future__ import annotations

from pathlib import Path

_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def installed_memory() -> int:
    """Return the bytes of memory that this machine, or the container around this process, has."""
    import psutil

    return min([int(psutil.virtual_memory().total), *_container_limits()])


def _container_limits() -> list[int]:
    limits = []
    for path in map(Path, _LIMITS):
        try:
            limits.append(int(path.read_text()))
        except (OSError, ValueError):
            continue  # not Linux, no such version of cgroups, or "max": no limit
    return [limit for limit in limits if limit > 0]
