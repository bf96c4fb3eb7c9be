"""The command `cleanplate farm`."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..farm.engines import ENGINES
from ..progress.terminal import say
from .batch import add_list, read_list

if TYPE_CHECKING:
    from ..farm.job import FarmJob

_QC = "qc --job {job}"

_EXAMPLE = """\
example: cleanplate farm slurm shots.yaml --output /shared/jobs/night1 --gpu --submit
cleanplate farm --help-all has every option, how shots are cut, and more examples.
"""

_HOW = """\
how a shot is cut, by its fields in the list (or --set):
  neither                        one task a shot, exact
  chunk_frames: 40               a chain: each chunk takes the state of the one before, exact
  chunk_frames: 40, pre_roll: 8  a fixed grid, all at once, approximate (see cleanplate batch --check-seams)

examples:
  cleanplate farm slurm shots.yaml --output /shared/jobs/night1 --gpu --submit
  cleanplate farm deadline-cloud shots.yaml --output bundle --set chunk_frames=40
  cleanplate farm openjd shots.yaml --output job && openjd run job/template.yaml

The folder must be where the farm's machines see it under the same path. A task that is killed or fails is run
again as it is: it goes on where it was. `cleanplate docs farm` has each engine.
"""


def add(commands: Any) -> None:
    """Add the command's parser."""
    farm = commands.add_parser(
        "farm",
        help="write a list of shots as a render farm's job",
        description="Write a list of shots as a job for a render farm; the farm needs no host licence.",
        brief_epilog=_EXAMPLE,
        epilog=_HOW,
        old={"--out": "--output"},
    )
    farm.add_argument("engine", metavar="ENGINE", choices=tuple(ENGINES), help=", ".join(ENGINES))
    add_list(farm)
    farm.add_argument("--output", required=True, metavar="DIR", help="folder to write, for this job alone")
    farm.add_argument("--name", metavar="NAME", help="of the job (cleanplate and the list's name)")
    farm.add_argument("--command", dest="cleanplate", default="cleanplate", help="cleanplate on the farm")
    needs = farm.add_argument_group("what a task needs")
    needs.add_argument("--gpu", action="store_true", help="ask for a card")
    needs.add_argument("--gpu-memory", type=int, default=8192, metavar="MIB", help="the card's memory (8192)")
    needs.add_argument(
        "--memory", default="8192", metavar="MIB", help="main memory; 'probe' measures it on each shot (8192)"
    )
    needs.add_argument("--cores", type=int, default=2, metavar="N", help="processor cores (2)")
    manners = farm.add_argument_group("how tasks behave")
    manners.add_argument(
        "--notice", type=int, default=60, metavar="SECONDS", help="between asking to end and killing (60)"
    )
    manners.add_argument("--tries", type=int, default=3, metavar="N", help="how often a task is begun (3)")
    manners.add_argument(
        "--path-map", action="append", default=[], metavar="FROM=TO", help="what a folder is called there"
    )
    manners.add_argument(
        "--qc",
        default=_QC,
        metavar="ARGUMENTS",
        help="cleanplate's arguments after a shot's last frame, {job} for its job.json; '' for no such step "
        "(qc --job {job})",
    )
    manners.add_argument(
        "--review",
        metavar="DIR",
        help="write an index there, and after each shot's last frame its page, in place of --qc's step",
    )
    farm.add_argument(
        "--keep-going",
        action="store_true",
        help="write the good shots of a list that has mistakes too (exit 8)",
    )
    farm.add_argument("--submit", action="store_true", help="hand it to the engine's client (openjd: run it)")
    farm.set_defaults(command=_farm)


def _farm(arguments: argparse.Namespace) -> int:
    from ..batch.shots import refuse_bad, tried
    from ..errors import BatchError
    from ..farm.job import Manners, Needs, check_plannable, plan_farm
    from ..farm.submit import submit

    listed, mistaken = read_list(arguments)
    shots, unplanned = tried(Path(arguments.shots), listed, check_plannable)
    bad = [*mistaken, *unplanned]
    if not (arguments.keep_going and shots):
        refuse_bad(bad)
    measured = arguments.memory == "probe"
    memory = Needs.memory_mib if measured else _megabytes(arguments.memory)
    needs = Needs(memory, arguments.cores, arguments.gpu, arguments.gpu_memory)
    manners = Manners(
        command=arguments.cleanplate,
        notice_seconds=arguments.notice,
        tries=arguments.tries,
        qc=_last_step(arguments, shlex.split(arguments.qc)),
        path_maps=tuple(arguments.path_map),
    )
    name = arguments.name or f"cleanplate {Path(arguments.shots).stem}"
    job = plan_farm(name, Path(arguments.output), shots, needs, manners)
    if measured:
        from ..farm.memory import with_measured_memory

        job = with_measured_memory(job)
    if arguments.review is not None:
        _begin_index(Path(arguments.review), job)
    engine = ENGINES[arguments.engine]
    todo = engine.write(job)
    tasks = sum(len(shot.parts) for shot in job.shots)
    say(*(f"left out: {shot.message}" for shot in bad), stream=sys.stderr)
    without = f"; {len(bad)} left out" if bad else ""
    say(f"{job.folder}: {len(job.shots)} shots, {tasks} tasks{without}")
    code = submit(engine, job.folder) if arguments.submit else 0
    if not arguments.submit:
        say(*(f"  {line}" for line in todo))
    return code or (BatchError.exit_code if bad else 0)


def _last_step(arguments: argparse.Namespace, qc: list[str]) -> tuple[str, ...]:
    """Return the arguments of a shot's last step. Raises SettingsError where two are asked for."""
    from ..errors import SettingsError

    if arguments.review is None:
        return tuple(qc)
    if qc != shlex.split(_QC):
        raise SettingsError("--review has a last step of its own; leave --qc out.")
    return "review", "--job", "{job}", "--index", str(Path(arguments.review).absolute()), "--fail"


def _begin_index(folder: Path, job: FarmJob) -> None:
    from ..review.index import Listed, begin_index

    shots = [
        Listed(name=shot.name, output=shot.source.job.shot.output, frames=shot.last - shot.first + 1)
        for shot in job.shots
        if shot.is_checked
    ]
    begin_index(folder, job.name, shots)


def _megabytes(text: str) -> int:
    from ..errors import SettingsError

    if not text.isdecimal() or int(text) < 1:
        raise SettingsError(f"--memory takes a number of MiB, or probe; got {text!r}.")
    return int(text)
