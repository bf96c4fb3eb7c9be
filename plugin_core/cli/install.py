"""The command `cleanplate install HOST`."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import Any

from ..progress.terminal import say

HOSTS = {
    "nuke": "Nuke 13.2 to 16: lines in ~/.nuke/init.py",
    "blender": "Blender 4.2 to 5: an extension, in the user folder of each version",
    "fusion": "DaVinci Resolve and Fusion Studio: a macro, a Fuse and scripts in their user folders",
}
"""Every host that can be installed into, and what is changed for it; see `install_change`."""

ALIASES = {"resolve": "fusion"}
"""Other names of hosts."""


def add(commands: Any) -> None:
    """Add the command's parser."""
    install = commands.add_parser(
        "install",
        help="add Cleanplate to a host application, or take it out again",
        description="Add Cleanplate to a host application for this user, or take it out again. Running it "
        "twice changes nothing; nothing of yours is lost.",
        epilog="hosts:\n" + "".join(f"  {name:<9}{what}\n" for name, what in HOSTS.items()),
    )
    install.add_argument("host", metavar="HOST", choices=(*HOSTS, *ALIASES), help=_named())
    install.add_argument("--uninstall", action="store_true", help="take it out again")
    install.add_argument("--dry-run", action="store_true", help="say what would be done, change nothing")
    install.add_argument(
        "--folder", metavar="DIR", help="the host's folder of this user, if not the usual one"
    )
    install.set_defaults(command=_install)


def _named() -> str:
    return ", ".join([*HOSTS, *(f"{alias} (the same as {host})" for alias, host in ALIASES.items())])


def _install(arguments: argparse.Namespace) -> int:
    name = ALIASES.get(arguments.host, arguments.host)
    host = importlib.import_module(f"plugin_core.install.{name}")
    folder = None if arguments.folder is None else Path(arguments.folder).absolute()
    for change in host.changes(folder):
        act = change.uninstall if arguments.uninstall else change.install
        say(act(dry_run=arguments.dry_run))
    if not (arguments.uninstall or arguments.dry_run):
        say(host.NEXT)
    return 0
