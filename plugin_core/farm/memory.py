"""How much memory a job's tasks need, measured by `cleanplate probe`, which runs a few frames of each."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

from ..errors import InputError
from .files import write_jobs
from .job import FarmJob, FarmShot

_SPARE = 1.25
_STEP_MIB = 512


def with_measured_memory(job: FarmJob) -> FarmJob:
    """Return the job with the memory that its most demanding shot took, a quarter more, in steps of 512 MiB.

    Raises:
        InputError: a shot can't be probed; says why.
    """
    write_jobs(job)
    most = max(_memory_mib(job, shot) for shot in job.shots)
    steps = -(-most * _SPARE // _STEP_MIB)
    return replace(job, needs=replace(job.needs, memory_mib=int(steps * _STEP_MIB)))


def _memory_mib(job: FarmJob, shot: FarmShot) -> float:
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
