"""The command `cleanplate probe`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .look import AddOptions, add_look, tell

if TYPE_CHECKING:
    from ..job.job import Job

_EXAMPLES = """\
examples:
  cleanplate probe --plate sh010/plate.####.exr --matte sh010/matte.####.exr --grow 6
  cleanplate probe --job job.json --json
  cleanplate probe --job job.json --quick        (reads no plates: no cuts, no timing)

exit codes are those that a render would have before its first frame; warnings leave them at 0
"""

_NOWHERE = "clean"


def add(
    commands: Any,
    options: Sequence[AddOptions],
    job_of: Callable[[argparse.Namespace], Job],
) -> None:
    """Add the command's parser.

    Args:
        commands: of the parser.
        options: add a render's options.
        job_of: builds the job that was asked for with them.
    """
    probe = add_look(
        commands,
        "probe",
        options,
        summary="say what a render would do, what it would take, and what to look at first",
        description="Look at a shot without rendering it: frames and gaps, sizes, color, the matte over "
        "time, suspected cuts, crops, time and memory, and what an artist would want to know before.",
        epilog=_EXAMPLES,
    )
    run = probe.add_argument_group("run")
    run.add_argument("--job", metavar="FILE", help="job.json with all of this; options override its fields")
    run.add_argument("--model", metavar="NAME", help="name or path of a model bundle (vinet)")
    run.add_argument("--device", metavar="D", help="auto, cpu, cuda or cuda:N (auto)")
    run.add_argument("--threads", type=int, metavar="N", help="processor threads (all cores)")
    run.add_argument("--quick", action="store_true", help="read no plates: look for no cuts, time nothing")
    run.add_argument("--json", action="store_true", help="one JSON object, for machines")
    probe.set_defaults(command=lambda arguments: _probe(arguments, job_of))


def _probe(arguments: argparse.Namespace, job_of: Callable[[argparse.Namespace], Job]) -> int:
    import json

    from ..probe.probe import probe
    from ..probe.text import lines_of

    if "output" not in arguments and "job" not in arguments:
        arguments.output = _NOWHERE
    report = probe(job_of(arguments), quick="quick" in arguments, tell=tell)
    tell("")
    if "json" in arguments:
        print(json.dumps(report.as_dict(), ensure_ascii=False))
    else:
        for line in lines_of(report, plain=not _can_draw()):
            print(line)
    return 0 if report.problem is None else report.problem.exit_code


def _can_draw() -> bool:
    try:
        "▁█".encode(sys.stdout.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True
