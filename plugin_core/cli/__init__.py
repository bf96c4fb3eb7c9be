"""The command `cleanplate`.

Only argparse is imported here: everything heavy is loaded by the command that needs it, so that `--help`
comes at once.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from .. import __version__
from ..errors import translated
from ..progress.terminal import OneLine, say, shown
from . import batch as cli_batch
from . import farm as cli_farm
from . import install as cli_install
from . import models as cli_models
from . import probe as cli_probe
from . import qc as cli_qc
from . import render as cli_render
from . import worker as cli_worker
from .exit_codes import EXIT_CODES
from .memory import check_limit
from .options import add_fields


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (see `EXIT_CODES`)."""
    parsed = _parser().parse_args(arguments)
    log = logging.StreamHandler()
    log.setFormatter(OneLine("cleanplate: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[log])
    command: Callable[[argparse.Namespace], int] = parsed.command
    try:
        check_limit()
        return command(parsed)
    except BrokenPipeError:
        # Whoever read our output has gone; say nothing more, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return _end(130, "interrupted")
    except Exception as error:
        ours = translated(error)
        if ours is None:
            raise
        return _end(ours.exit_code, *ours.lines)


def _end(exit_code: int, *lines: str) -> int:
    """Say why it ends, if anyone listens, and return the exit code."""
    with contextlib.suppress(OSError):
        say(f"cleanplate: {lines[0]}", *lines[1:], stream=sys.stderr)
    return exit_code


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the list of all options before it."""

    def error(self, message: str) -> NoReturn:
        """Print the one line and exit."""
        self.exit(2, shown(f"{self.prog}: {message}; see {self.prog} --help") + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="cleanplate",
        description="Video inpainting for VFX: a plate and a matte go in, a clean plate comes out.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    cli_render.add(commands)
    cli_models.add(commands)
    demo = commands.add_parser("demo", help="render the embedded sample shot and show before and after")
    demo.add_argument("--out", default="demo_out", help="folder for the frames and the sheet (demo_out)")
    add_fields(demo, "model", "device")
    demo.set_defaults(command=_demo)
    doctor = commands.add_parser("doctor", help="say what is installed and whether a render would run here")
    doctor.set_defaults(command=_doctor)
    cli_install.add(commands)
    cli_probe.add(commands)
    cli_qc.add(commands)
    cli_worker.add(commands)
    cli_batch.add(commands)
    cli_farm.add(commands)
    return parser


class _Version(argparse.Action):
    """Says the version and no more."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        say(f"cleanplate {__version__}")
        parser.exit()


def _demo(arguments: argparse.Namespace) -> int:
    from .demo import run_demo

    return run_demo(Path(arguments.out), arguments.model, arguments.device)


def _doctor(arguments: argparse.Namespace) -> int:
    from .doctor import examine

    return examine(sys.stdout)
