"""What the commands that look at a shot and render nothing have in common."""

from __future__ import annotations

import argparse
from typing import Any

from .parser import Parser


def add_look(
    commands: Any, name: str, *, summary: str, description: str, usage: str, brief: str, epilog: str
) -> Parser:
    """Add a command that is given what a render is given.

    Args:
        commands: of the parser.
        name: of the command.
        summary: one line for the list of commands.
        description: what it does.
        usage: what is typed after the command's name.
        brief: an example, for the short help.
        epilog: examples and exit codes.
    """
    parser: Parser = commands.add_parser(
        name,
        help=summary,
        usage=f"%(prog)s {usage}",
        description=description,
        brief_epilog=f"{brief}\ncleanplate {name} --help-all has every option and exit code.\n",
        epilog=epilog,
        argument_default=argparse.SUPPRESS,
    )
    return parser
