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
from typing import Any

from .. import __version__
from ..errors import translated
from ..progress.notes import NOTES
from ..progress.terminal import OneLine, say
from ..sample.embedded import NAMES
from . import batch as cli_batch
from . import completion
from . import config as cli_config
from . import docs as cli_docs
from . import farm as cli_farm
from . import install as cli_install
from . import models as cli_models
from . import paint as cli_paint
from . import probe as cli_probe
from . import qc as cli_qc
from . import render as cli_render
from . import restore as cli_restore
from . import retarget as cli_retarget
from . import review as cli_review
from . import stream as cli_stream
from . import worker as cli_worker
from .exit_codes import EXIT_CODES
from .json_file import add_json
from .memory import check_limit, keep_freed
from .options import add_fields, joined
from .parser import Parser

log = logging.getLogger("cleanplate.cli")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (see `EXIT_CODES`)."""
    parsed = _parser().parse_args(joined(sys.argv[1:] if arguments is None else arguments))
    _tell(getattr(parsed, "told", 0))
    if getattr(parsed, "told", 0) < 0 and getattr(parsed, "progress", "") == "auto":
        parsed.progress = "none"
    command: Callable[[argparse.Namespace], int] = parsed.command
    try:
        check_limit()
        keep_freed()
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
        log.debug("where it arose:", exc_info=error)
        return _end(ours.exit_code, *ours.lines)


def _tell(much: int) -> None:
    """Print the log: warnings, and of our own everything (1) or only errors (-1)."""
    printed = logging.StreamHandler()
    printed.setFormatter(OneLine("cleanplate: %(message)s"))
    # A render's notes are told by its progress, as bar, line or JSON.
    printed.addFilter(lambda record: record.name != NOTES)
    logging.basicConfig(level=logging.WARNING, handlers=[printed])
    level = {1: logging.DEBUG, 0: logging.WARNING, -1: logging.ERROR}[much]
    logging.getLogger("cleanplate").setLevel(level)


def _end(exit_code: int, *lines: str) -> int:
    """Say why it ends, if anyone listens, and return the exit code."""
    with contextlib.suppress(OSError):
        say(f"cleanplate: {lines[0]}", *lines[1:], stream=sys.stderr)
    return exit_code


def _parser() -> Parser:
    parser = Parser(
        prog="cleanplate",
        usage="%(prog)s COMMAND [options]",
        description="Video inpainting for VFX: a plate and a matte go in, a clean plate comes out.",
        epilog=EXIT_CODES,
        brief_epilog="cleanplate docs exit_codes: what the exit codes mean\n",
    )
    parser.common.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", prog="cleanplate")
    for module in (
        cli_render,
        cli_batch,
        cli_paint,
        cli_restore,
        cli_retarget,
        cli_probe,
        cli_qc,
        cli_review,
        cli_stream,
        cli_farm,
        cli_worker,
        cli_config,
        cli_models,
        cli_install,
        cli_docs,
    ):
        module.add(commands)
    demo = commands.add_parser(
        "demo", help="render the embedded sample shot and show before and after", old={"--out": "--output"}
    )
    demo.add_argument(
        "--output", default="demo_out", metavar="DIR", help="folder for the frames and the sheet (demo_out)"
    )
    demo.add_argument(
        "--shot",
        default="balloon",
        choices=NAMES,
        help="balloon: scene-linear EXR, computed; lake: 8-bit PNG, a photograph with grain (balloon)",
    )
    demo.add_argument("--frames", metavar="A-B", help="fewer of them, for a quick look (1001-1024)")
    add_fields(demo, "model", "device")
    demo.set_defaults(command=_demo, progress="auto")
    doctor = commands.add_parser("doctor", help="say what is installed and whether a render would run here")
    add_json(doctor, "the same")
    doctor.set_defaults(command=_doctor)
    completion.add(commands)
    return parser


class _Version(argparse.Action):
    """Says the version and no more."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        say(f"cleanplate {__version__}")
        parser.exit()


def _demo(arguments: argparse.Namespace) -> int:
    from .demo import run_demo

    asked = arguments
    where = Path(asked.output)
    return run_demo(where, asked.shot, asked.frames, asked.model, asked.device, asked.progress)


def _doctor(arguments: argparse.Namespace) -> int:
    from .doctor import examine

    return examine(arguments.json)
