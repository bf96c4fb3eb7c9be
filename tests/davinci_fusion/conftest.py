"""Comps of the stand-in host, closed at a test's end."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .host import SCRIPTS, Host


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
