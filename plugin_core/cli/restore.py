"""The commands `cleanplate detect` and `cleanplate restore`: film damage found, or found and repaired."""

from __future__ import annotations

import argparse
from typing import Any

from .exit_codes import EXIT_CODES
from .options import add_some
from .parser import Parser
from .told_errors import told_errors

_DETECT_EXAMPLES = """\
examples:
  cleanplate detect all --plate scan.####.dpx --matte matte/damage.####.exr
  cleanplate detect dirt --plate scan.####.dpx --matte dirt.####.exr --sensitivity 0.7 --review look/
"""

_RESTORE_EXAMPLES = """\
examples:
  cleanplate restore --plate scan.####.dpx --output clean.####.dpx
  cleanplate restore --plate scan.mov --output clean.mov --kinds dirt --protect faces.####.exr
  cleanplate restore --plate scan.####.exr --output clean.####.exr --review look/   (what was found, and
  where?) cleanplate restore --plate scan.####.exr --output clean.####.exr --finds look/finds.json --overwrite
"""

_SHOT = ("plate", "frames", "colorspace", "ocio_config", "view", "cuts")
_KINDS = ("dirt", "scratches", "all")


def add(commands: Any) -> None:
    """Add the parsers of both commands."""
    detect = _parser(
        commands,
        "detect",
        "find film damage and write mattes of it",
        "Find dust, dirt and hairs that stand on one frame, and scratches that run through many, and write a "
        "matte of them, white, for every frame. Nothing is repaired.",
        "KIND --plate P --matte M [options]",
        _DETECT_EXAMPLES,
    )
    detect.add_argument("kinds", choices=_KINDS, metavar="KIND", help="dirt, scratches or all")
    add_some(detect, *_SHOT)
    detect.add_argument(
        "--matte", dest="output", metavar="M", required=True, help="the mattes: matte.####.exr"
    )
    _add_own(detect, _SEARCH, _RUN)
    detect.set_defaults(command=_run, what="detect", progress="auto")
    restore = _parser(
        commands,
        "restore",
        "find film damage and repair it",
        "Find dust, dirt, hairs and running scratches, and put what the frames around show in their place. "
        "All other pixels stay as they are, bit for bit.",
        "--plate P --output O [options]",
        _RESTORE_EXAMPLES,
    )
    add_some(restore, *_SHOT, "output", "compression", "bit_depth")
    restore.add_argument("--kinds", choices=_KINDS, help="what is repaired (all)")
    _add_own(restore, _SEARCH, (_FINDS, _GRAIN, *_RUN))
    restore.set_defaults(command=_run, what="restore", progress="auto")


def _parser(commands: Any, name: str, summary: str, description: str, usage: str, examples: str) -> Parser:
    parser: Parser = commands.add_parser(
        name,
        help=summary,
        description=description,
        usage=f"%(prog)s {usage}",
        brief_epilog=f"{examples.splitlines()[1].strip()}\ncleanplate {name} --help-all has every option.\n",
        epilog=f"{examples}\n{EXIT_CODES}",
        argument_default=argparse.SUPPRESS,
    )
    return parser


_Option = tuple[str, bool, dict[str, Any]]
"""An option, whether most need it, and what argparse is told."""

_SEARCH: tuple[_Option, ...] = (
    (
        "--sensitivity",
        True,
        {"type": float, "metavar": "V", "help": "0 to 1: how much is taken for damage (0.5)"},
    ),
    (
        "--protect",
        True,
        {"metavar": "M", "help": "matte of what is never damage, white: lamps, rain, faces (none)"},
    ),
    ("--polarity", False, {"choices": ("white", "black", "both"), "help": "which dirt and scratches (both)"}),
    (
        "--contrast",
        False,
        {"type": float, "metavar": "L", "help": "levels of 255 that damage differs by, at least (10)"},
    ),
    ("--smallest", False, {"type": int, "metavar": "PX", "help": "least pixels of a piece of dirt (2)"}),
    (
        "--largest",
        False,
        {"type": int, "metavar": "PX", "help": "most pixels of a piece of dirt (any number)"},
    ),
)
_FINDS: _Option = (
    "--finds",
    True,
    {"metavar": "JSON", "help": "repair what this edited list of finds holds, and nothing else (all finds)"},
)
_GRAIN: _Option = (
    "--grain",
    False,
    {"choices": ("auto", "off"), "help": "whether repairs get the plate's grain where they lack it (auto)"},
)
_RUN: tuple[_Option, ...] = (
    (
        "--review",
        True,
        {"metavar": "DIR", "help": "write every find there: sheets, and a list to edit (none)"},
    ),
    ("--resume", True, {"action": "store_true", "help": "go on where an earlier run stopped"}),
    ("--overwrite", True, {"action": "store_true", "help": "start again although frames exist"}),
    (
        "--progress",
        True,
        {
            "choices": ("auto", "bar", "lines", "json", "none"),
            "metavar": "HOW",
            "help": "bar, lines, json, none (auto)",
        },
    ),
)


def _add_own(parser: Parser, search: tuple[_Option, ...], run: tuple[_Option, ...]) -> None:
    for title, options in (("what is damage", search), ("the run", run)):
        group = parser.add_argument_group(title)
        for name, basic, told in options:
            action = group.add_argument(name, **told)
            if not basic:
                parser.advanced(action)


def _run(arguments: argparse.Namespace) -> int:
    from ..job.strict import validated
    from ..progress.reporters import reporting
    from ..progress.signals import on_signals
    from ..progress.stop import Stop
    from ..restore.options import Restoration
    from ..restore.run import detect, restore

    given = vars(arguments)
    fields = {name: given[name] for name in Restoration.model_fields if name in given}
    asked = validated(Restoration, fields, "Options")
    stop = Stop()
    with (
        on_signals(stop, ends=True),
        reporting(arguments.progress, None) as reporters,
        told_errors(reporters),
    ):
        for _ in (detect if given["what"] == "detect" else restore)(asked, reporters, stop):
            pass
    return 0
