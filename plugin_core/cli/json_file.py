"""The option `--json [FILE]`: what a command has to say, as one JSON object for machines."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..progress.terminal import say

_PRINTED = "-"


def add_json(group: argparse._ActionsContainer, what: str = "all that was found") -> None:
    """Add the option.

    Args:
        group: to add to.
        what: the object holds.
    """
    group.add_argument(
        "--json",
        nargs="?",
        const=_PRINTED,
        default=None,
        metavar="FILE",
        help=f"{what} as JSON, in FILE or printed instead",
    )


def hand_over(fields: Any, given: str | None, lines: Iterable[object]) -> None:
    """Print the lines, and write the JSON where it was asked for.

    Args:
        fields: what JSON can hold, every number finite.
        given: the option's value.
        lines: the same for people; not printed where the JSON is.

    Raises:
        OSError: the file can't be written, or nobody listens any more.
    """
    told = json.dumps(fields, ensure_ascii=False, allow_nan=False)
    if given == _PRINTED:
        say(told)
        return
    say(*lines)
    if given is not None:
        from ..disk.atomic import replacing

        with replacing(Path(given)) as temporary:
            temporary.write_text(f"{told}\n", "utf-8")
