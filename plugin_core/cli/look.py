"""What the commands that look at a shot and render nothing have in common."""

from __future__ import annotations

import argparse
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
