"""What tests cost in CPU seconds, with their child processes': `python -m pytest -p tests.costs PATHS`.

A wall clock tells as much of what else the machine does. A process that runs in many tests, as Blender does,
counts for each with what it did there. Not with `-n`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psutil
import pytest

SHOWN = 25
_spent: dict[str, float] = {}


def _cpu_seconds() -> float:
    """What this process and its children have used, those that have ended among them."""
    here = psutil.Process()
    total = sum(here.cpu_times()[:4])
    for child in here.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            total += sum(child.cpu_times()[:4])
    return total


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    before = _cpu_seconds()
    try:
        return (yield)
    finally:
        _spent[item.nodeid] = _cpu_seconds() - before


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.section(f"{sum(_spent.values()):.1f} CPU seconds in {len(_spent)} tests")
    for name, seconds in sorted(_spent.items(), key=lambda each: -each[1])[:SHOWN]:
        terminalreporter.write_line(f"{seconds:8.2f}  {name}")
