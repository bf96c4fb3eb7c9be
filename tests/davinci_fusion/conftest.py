"""Comps of the stand-in host, closed at a test's end."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from .host import SCRIPTS, Host
from .pictures import sequence


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose name has a space, a quote and letters beyond ASCII."""
    path = tmp_path / "Zoë's комп %d"
    path.mkdir()
    (path / "home").mkdir()
    return path


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """The scripts as `cleanplate install` leaves them: with a note of which command installed them."""
    copy = tmp_path / "Fusion" / "Scripts"
    shutil.copytree(SCRIPTS, copy)
    (copy / "Cleanplate" / "installed.json").write_text(json.dumps({"command": sys.executable}))
    return copy


@pytest.fixture
def new_host(folder: Path, scripts: Path) -> Iterator[Callable[..., Host]]:
    """A function that makes a comp in `folder` whose scripts start the real core."""
    hosts: list[Host] = []

    def make(first: int = 1001, last: int = 1003, **given: object) -> Host:
        hosts.append(Host(folder, first, last, **{"scripts": scripts, **given}))
        return hosts[-1]

    yield make
    for host in hosts:
        host.close()


@pytest.fixture
def command(tmp_path: Path) -> Path:
    """A command that runs the fake core; a folder with a space in its name."""
    path = tmp_path / "bin dir" / "cleanplate"
    path.parent.mkdir()
    core = Path(__file__).with_name("fake_core.py")
    path.write_text(f"#!/bin/sh\nexec '{sys.executable}' '{core}' \"$@\"\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def small(folder: Path) -> dict[str, str]:
    """Patterns of a plate and a matte of four tiny frames."""
    picture = np.full((8, 12, 4), 0.5, np.float32)
    return {
        name: str(sequence(folder / "in", name, range(10, 14), lambda frame: picture * frame / 10))
        for name in ("plate", "matte")
    }


@pytest.fixture
def host(new_host, small, command) -> Host:
    """A comp of four tiny frames over the stand-in core."""
    host = new_host(10, 13, **small)
    host.set("Cleanplate", str(command))
    return host
