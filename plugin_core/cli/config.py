"""The command `cleanplate config`."""

from __future__ import annotations

import argparse
import os
from typing import Any

from ..errors import SettingsError
from .json_file import add_json, hand_over
from .look import add_look
from .options import add_job, beside, places_of

_HOW = """\
A cleanplate.toml in the shot's folder, or in one above it, has settings for every shot below. The user's own
lies in ~/.config/cleanplate (Linux), ~/Library/Application Support/cleanplate (macOS) or
%APPDATA%\\cleanplate (Windows). Names are those of job.json:
  colorspace = "ACEScg"
  grow = 6

what counts, from the first on:
  options                  --grow 6
  the environment          CLEANPLATE_GROW=6
  files around the shot    from the output's folder up; where none is, from the plate's, or from here
  the user's own file      CLEANPLATE_CONFIG=FILE names another, CLEANPLATE_CONFIG=off reads no file at all
  defaults

This is so for render, probe and qc without --job. A job.json is complete by itself; a list of shots takes the
files around its shots, and neither the environment nor the user's file. So batches, farms and hosts give the
same, whoever runs them.
"""


def add(commands: Any) -> None:
    """Add the command's parser."""
    config = add_look(
        commands,
        "config",
        summary="say which settings files and variables count",
        description="Say which settings files and variables count for a shot, and what each sets.",
        usage="[--output O] [--plate P] [options]",
        brief="example: cleanplate config --output sh010/clean.####.exr",
        epilog=_HOW,
    )
    add_json(add_job(config, "model"), "the same")
    config.set_defaults(command=_config)


def _config(arguments: argparse.Namespace) -> int:
    from ..job.config import files_around, users_file

    if "job" in arguments:
        raise SettingsError("A job.json is complete by itself: with --job no file and no variable counts.")
    own = users_file(os.environ)
    around = [str(path) for path in files_around(places_of(arguments), os.environ)]
    files = [*around, *([] if own is None else [str(own)])]
    found = beside(arguments)
    settings = {name: {"value": one.value, "from": one.source} for name, one in found.items()}
    lines = [f"file: {path}" for path in files] or [
        "no cleanplate.toml here or above, and none of the user's"
    ]
    lines += [f"{name:<18}{one.value!s:<18}{one.source}" for name, one in found.items()]
    hand_over({"files": files, "settings": settings}, arguments.json, lines)
    return 0
