"""The command `cleanplate docs`: where the pages lie on this machine."""

from __future__ import annotations

import argparse
from typing import Any

from ..progress.terminal import say


def add(commands: Any) -> None:
    """Add the command's parser."""
    docs = commands.add_parser(
        "docs",
        help="list the pages of the documentation, or say where one lies",
        description="List the pages of the documentation; with a name, print the path of that page's file.",
        epilog="examples:\n  cleanplate docs\n  less $(cleanplate docs farm)\n",
    )
    docs.add_argument(
        "page", metavar="PAGE", nargs="?", help="a page's name, as farm (all of them are listed)"
    )
    docs.set_defaults(command=_docs)


def _docs(arguments: argparse.Namespace) -> int:
    from ..install.pages import page, pages, pages_folder

    if arguments.page is not None:
        say(str(page(arguments.page)))
        return 0
    found = pages()
    width = max(map(len, found))
    for name, title in found.items():
        say(f"{name:{width}}  {title}")
    say(f"in {pages_folder()}")
    return 0
