"""What installing into a host is made of: changes that can be made, made again without harm, and undone.

A host takes part with one line in `cli.install.HOSTS` and a module `plugin_core/install/<host>.py` that holds
``changes(folder) -> list[Change]`` (what to do; `folder` is the one of ``--folder``, or None) and ``NEXT`` (a
sentence: what the user does then).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Protocol

from ..errors import InputError
from .parts import part_folder


class Change(Protocol):
    """One thing that an installation changes on this machine."""

    def install(self, *, dry_run: bool) -> str:
        """Make the change unless it is made already; returns one sentence that says what was done.

        Nothing of the user's is ever lost, and with `dry_run` nothing is touched.

        Raises:
            InputError: what is there is not ours and would be damaged.
            WriteError: the disk or its permissions are against it.
        """
        ...

    def uninstall(self, *, dry_run: bool) -> str:
        """Undo the change; returns one sentence. Raises as `install` does."""
        ...


def adapter_folder(host: str) -> Path:
    """Return the folder of a host's adapter, in a wheel or a checkout.

    Raises:
        InputError: this installation holds none.
    """
    folder = part_folder(f"cleanplate_hosts.{host}", host)
    if folder is None:
        raise InputError(f"This installation has no {host} adapter; install Cleanplate again.")
    return folder


def own_command() -> Path:
    """Return the `cleanplate` beside the running Python; that Python itself where there is none.

    Hosts start the core by it: a Python is called with ``-m plugin_core.cli``.
    """
    name = "cleanplate.exe" if os.name == "nt" else "cleanplate"
    command = Path(sys.executable).with_name(name)
    return command if command.is_file() else Path(sys.executable)
