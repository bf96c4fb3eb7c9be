"""How much memory a job's tasks need, measured by `cleanplate probe`, which runs a few frames of each.

What runs no network is not run: it takes so much for each of a frame's pixels, however long the shot is.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

from ..errors import InputError
from ..render.sources import plate_of
from .files import write_jobs
from .job import FarmJob, FarmShot

_SPARE = 1.25
_STEP_MIB = 512

_BASE_MIB, _BYTES_A_PIXEL = 400.0, 120
"""Of what restores and retargets; measured at 2048x1080 and 4096x2160: 650 and 1,300 MiB to restore, 1,110 at
4096x2160 to retarget."""


def with_measured_memory(job: FarmJob) -> FarmJob:
    """Return the job with the memory that its most demanding shot took, a quarter more, in steps of 512 MiB.

    Raises:
        InputError: a shot can't be probed; says why.
        ImageError: its first frame can't be read.
    """
    write_jobs(job)
    most = max(_memory_mib(job, shot) for shot in job.shots)
    steps = -(-most * _SPARE // _STEP_MIB)
    return replace(job, needs=replace(job.needs, memory_mib=int(steps * _STEP_MIB)))


def _memory_mib(job: FarmJob, shot: FarmShot) -> float:
    if not shot.takes_card:
        header = plate_of(shot.source.job.shot).header(shot.first)
        return _BASE_MIB + _BYTES_A_PIXEL * header.width * header.height / (1 << 20)
    # A process of its own for each: what is measured is the peak of the process.
    command = [sys.executable, "-m", "plugin_core.cli", "probe", "--job", job.path_of(shot), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return float(json.loads(done.stdout)["cost"]["memory_bytes"]) / (1 << 20)
    except (ValueError, KeyError, TypeError):
        said = done.stderr.strip().splitlines()[-1:] or ["no estimate"]
        raise InputError(
            f"Shot {shot.source.name} can't be probed for its memory ({said[0]}); give --memory MIB."
        ) from None
