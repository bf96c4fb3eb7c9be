"""What the commands that look at a shot and render nothing have in common."""

from __future__ import annotations

import argparse
import sys
from typing import Any


def add_look(
    commands: Any, name: str, *, summary: str, description: str, epilog: str
) -> argparse.ArgumentParser:
    """Add a command that is given what a render is given.

    Args:
        commands: of the parser.
        name: of the command.
        summary: one line for the list of commands.
        description: what it does.
        epilog: examples and exit codes.
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
    )
    return parser


def tell(doing: str) -> None:
    """Say on a terminal what is being waited for; an empty text takes it away again."""
    if sys.stderr.isatty():
        print(f"\r\033[K{doing}", end="...\r" if doing else "", file=sys.stderr, flush=True)
