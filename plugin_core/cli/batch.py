"""The command `cleanplate batch`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ..progress.terminal import say, say_for_now
from .json_file import add_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..batch.pages import Pages
    from ..batch.shots import BadShot, BatchShot
    from ..batch.state import ShotProgress
    from ..progress.stop import Stop

_LIST = """\
a list of shots (`cleanplate docs shots.schema.json`: every field):
  defaults:
    plate: "{name}/plate.####.exr"
    matte: "{name}/matte.####.exr"
    output: "{name}/clean.####.exr"
  shots:
    - name: sh010
      frames: 1001-1100
cleanplate batch --help-all has every option, examples and exit codes.
"""

_HOW = """\
a list of shots (`cleanplate docs shots.schema.json`: every field; JSON the same, CSV a column a field):
  defaults:
    plate: "{name}/plate.####.exr"
    matte: "{name}/matte.####.exr"
    output: "{name}/clean.####.exr"
    grow: 4
  shots:
    - name: sh010
      frames: 1001-1100
    - name: sh020
      grow: 8

A shot that says 'do: restore' ('detect', 'retarget') has that done, with that command's options as fields.
{name} is the shot's name; relative paths begin at the list's folder; a shot's field wins over the default,
--set over both. What an earlier run finished is kept: run the same line again after any end.

examples:
  cleanplate batch shots.yaml
  cleanplate batch shots.csv --only 'sh0*' --jobs 4 --json out.json --junit out.xml
  cleanplate batch shots.yaml --set chunk_frames=40 --set pre_roll=8 --check-seams

exit codes:
  0         every shot is done
  2         the list has mistakes and nothing was begun
  8         some shots failed; the summary says which and why
  130, 143  stopped, every state saved
"""

_WAIT_SECONDS = 60
"""For another render of a shot: maybe a worker that just notices that the batch before this was killed."""


def add(commands: Any) -> None:
    """Add the command's parser."""
    batch = commands.add_parser(
        "batch",
        help="fill many shots from a list",
        description="Fill every shot of a list, several at a time. One bad shot never stops the rest.",
        brief_epilog=_LIST,
        epilog=_HOW,
        old={"--summary": "--json"},
    )
    add_list(batch)
    batch.add_argument("--jobs", type=int, metavar="N", help="shots at a time (one a card, else cores / 4)")
    batch.add_argument("--device", default="auto", metavar="D", help="auto, cpu, or cuda:0,cuda:1 (auto)")
    batch.add_argument("--overwrite", action="store_true", help="start every shot again")
    batch.add_argument(
        "--keep-edited",
        action="store_true",
        help="go on around output frames that were changed since they were written",
    )
    batch.add_argument(
        "--keep-going", action="store_true", help="render the good shots of a list that has mistakes too"
    )
    batch.add_argument(
        "--check", action="store_true", help="only say whether the list is right and every frame is there"
    )
    batch.add_argument(
        "--strict", action="store_true", help="refuse shots whose matte can't be meant, in place of a warning"
    )
    add_json(batch, "what came of each shot")
    batch.add_argument("--review", metavar="DIR", help="write an index and a page to review each shot by")
    batch.add_argument("--junit", metavar="FILE", help="write it as JUnit XML")
    batch.add_argument(
        "--progress",
        type=lambda text: {"table": "bar"}.get(text, text),
        choices=("auto", "bar", "lines", "json", "none"),
        default="auto",
        metavar="HOW",
        help="bar (a live table), lines, json or none (auto)",
    )
    seams = batch.add_argument_group("how far chunks are from one go")
    batch.advanced(
        seams.add_argument(
            "--check-seams",
            action="store_true",
            help="write no output; measure how far chunks with a pre-roll are from the exact render",
        )
    )
    batch.advanced(
        seams.add_argument(
            "--pre-rolls", default="0,2,4,8,16", metavar="N,N", help="those --check-seams tries (0,2,4,8,16)"
        )
    )
    batch.set_defaults(command=_batch)


def add_list(parser: argparse.ArgumentParser) -> None:
    """Add what every command that takes a list of shots has in common."""
    parser.add_argument("shots", metavar="SHOTS", help="list of shots: .yaml, .json or .csv")
    parser.add_argument(
        "--only", action="append", metavar="GLOB", help="only shots of such a name; may be given again"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="a field for all shots, whatever the list says; may be given again",
    )


def read_list(arguments: argparse.Namespace) -> tuple[list[BatchShot], list[BadShot]]:
    """Read the list that was named, as `add_list`'s options say; returns good and bad entries.

    Raises:
        SettingsError: the list can't be read, or no shot is left.
    """
    from fnmatch import fnmatchcase
    from pathlib import Path

    from ..batch.list_file import read_shot_list
    from ..batch.shots import understand
    from ..errors import SettingsError

    overrides = dict(_assignment(text) for text in arguments.set)
    good, bad = understand(read_shot_list(Path(arguments.shots)), overrides)
    if arguments.only:
        globs = arguments.only
        good = [shot for shot in good if any(fnmatchcase(shot.name, glob) for glob in globs)]
        bad = [shot for shot in bad if any(fnmatchcase(shot.name, glob) for glob in globs)]
    if not good and not bad:
        which = f" called {' or '.join(arguments.only)}" if arguments.only else ""
        raise SettingsError(f"{arguments.shots} has no shot{which}.")
    return good, bad


def _assignment(text: str) -> tuple[str, str]:
    from ..errors import SettingsError

    name, equals, value = text.partition("=")
    if not equals:
        raise SettingsError(f"--set takes FIELD=VALUE, got {text!r}.")
    return name.strip(), value.strip()


def _batch(arguments: argparse.Namespace) -> int:
    from ..progress.signals import on_signals
    from ..progress.stop import Stop

    stop = Stop()
    with on_signals(stop, ends=True):
        # Loading takes a second: a signal that comes meanwhile is kept until it can be acted on.
        from ..batch.shots import refuse_bad

        good, bad = read_list(arguments)
        if arguments.check:
            return _check(good, bad, arguments)
        if not arguments.keep_going:
            refuse_bad(bad)
        if arguments.check_seams:
            return _check_seams([shot for shot in good if shot.job.do == "render"], arguments, stop)
        return _render(good, bad, arguments, stop)


def _check(listed: list[BatchShot], bad: list[BadShot], arguments: argparse.Namespace) -> int:
    """Look for the frames of every shot, and say what is wrong with which."""
    import sys
    from pathlib import Path

    from ..batch.chunks import check_frames_there
    from ..batch.shots import refuse_bad, tried
    from ..errors import BatchError

    good, lacking = tried(Path(arguments.shots), listed, lambda shot: check_frames_there(shot.job))
    if not arguments.keep_going:
        refuse_bad([*bad, *lacking])
    say(*(shot.message for shot in (*bad, *lacking)), stream=sys.stderr)
    wrong = len(bad) + len(lacking)
    mistakes = f"{wrong} with mistakes" if wrong else "no mistakes"
    say(f"{arguments.shots}: {len(good) + wrong} shots, {mistakes}")
    return BatchError.exit_code if wrong else 0


def _render(good: list[BatchShot], bad: list[BadShot], arguments: argparse.Namespace, stop: Stop) -> int:
    import json
    import os
    import sys
    import time
    from pathlib import Path

    from ..batch.pages import IndexedView
    from ..batch.pool import seats
    from ..batch.run import Batch, exit_code_of
    from ..batch.shots import with_run
    from ..batch.state import plan_tasks
    from ..batch.summary import summary, write_json, write_junit
    from ..batch.view import caption, choose_view

    began = time.monotonic()
    how = {"overwrite" if arguments.overwrite else "resume": True, "wait_seconds": _WAIT_SECONDS}
    how |= {"strict": True} if arguments.strict else {}
    how |= {"keep_edited": True} if arguments.keep_edited else {}
    shots, tasks = plan_tasks([with_run(shot, **how) for shot in good], bad)
    places = seats(arguments.jobs, arguments.device, os.cpu_count() or 1)
    pages = None if arguments.review is None else _pages(arguments, shots)
    with choose_view(arguments.progress) as view:
        watched = view if pages is None else IndexedView(view, pages)
        Batch(shots, tasks, places, watched, stop).run()
    seconds = time.monotonic() - began
    printed = arguments.json == "-"
    for path, write in ((None if printed else arguments.json, write_json), (arguments.junit, write_junit)):
        if path is not None:
            write(Path(path), shots, seconds)
    if printed:
        say(json.dumps(summary(shots, seconds), ensure_ascii=False))
    elif arguments.progress not in ("json", "none"):
        say(f"{caption(shots)} in {seconds:.0f} s")
    if pages is not None:
        quiet = printed or arguments.progress in ("json", "none")
        index = pages.write(good, (lambda doing: None) if quiet else say_for_now)
        say(f"pages: {index.resolve()}", stream=sys.stderr if quiet else None)
    return exit_code_of(shots)


def _pages(arguments: argparse.Namespace, shots: Sequence[ShotProgress]) -> Pages:
    from pathlib import Path

    from ..batch.pages import Pages

    return Pages(Path(arguments.review), Path(arguments.shots).stem, shots)


def _check_seams(shots: list[BatchShot], arguments: argparse.Namespace, stop: Stop) -> int:
    from ..batch.seams import report_seams
    from ..errors import SettingsError

    try:
        pre_rolls = [int(part) for part in arguments.pre_rolls.split(",")]
    except ValueError:
        raise SettingsError(f"--pre-rolls takes numbers of frames, got {arguments.pre_rolls!r}.") from None
    return report_seams(shots, pre_rolls, arguments.json, stop)
