"""The option `--progress`: how a command tells what it is at."""

from __future__ import annotations

import argparse

from ..progress.dialects import DIALECTS


def add_progress(group: argparse._ActionsContainer) -> argparse.Action:
    """Add the option and return it."""
    return group.add_argument(
        "--progress",
        choices=("auto", "bar", "lines", "json", "none", *DIALECTS),
        default="auto",
        metavar="HOW",
        help="a bar, lines (one a frame), json (lines of it), none, or what a farm engine reads: "
        f"{', '.join(DIALECTS)} (auto: a bar on a terminal, else lines)",
    )
