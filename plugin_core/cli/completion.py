"""The command `cleanplate completion`: what a shell must know to complete this command's words."""

from __future__ import annotations

import argparse
import sys
from typing import Any

_HOW = """\
bash, once for this user:
  cleanplate completion bash > ~/.local/share/bash-completion/completions/cleanplate
zsh, into a folder of $fpath:
  cleanplate completion zsh > ~/.zfunc/_cleanplate
"""

_FOLDERS = {"DIR", "BUNDLE"}
_FILES = {"FILE", "P", "M", "O", "R", "T", "PNG", "EXR", "SHOTS", "CHECKPOINT"}
"""What stands for a path in the help."""


def add(commands: Any) -> None:
    """Add the command's parser."""
    completion = commands.add_parser(
        "completion",
        help="print what makes a shell complete commands, options and files",
        description="Print a script for the shell: commands, options, choices and files are completed by it.",
        epilog=_HOW,
    )
    completion.add_argument("shell", metavar="SHELL", choices=("bash", "zsh"), help="bash or zsh")
    completion.set_defaults(command=_completion)


def _completion(arguments: argparse.Namespace) -> int:
    import shtab

    from . import _parser

    parser = _parser()
    _name_paths(parser, {"FILE": shtab.FILE, "DIR": shtab.DIRECTORY})
    # As it is: no line of it is anybody else's text.
    sys.stdout.write(shtab.complete(parser, arguments.shell) + "\n")
    sys.stdout.flush()
    return 0


def _name_paths(parser: argparse.ArgumentParser, complete: dict[str, Any]) -> None:
    """Tell shtab which values are files and folders."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                _name_paths(each, complete)
        elif action.metavar in _FILES | _FOLDERS:
            vars(action)["complete"] = complete["DIR" if action.metavar in _FOLDERS else "FILE"]
