"""Hand a written job to the engine's own client, where that is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from ..errors import InputError
from .engines import Engine


def submit(engine: Engine, folder: Path) -> int:
    """Submit the job in a folder; returns the client's exit code. OpenJD's job is run here.

    Raises:
        InputError: the client is not installed; says which and what to do.
    """
    if shutil.which(engine.client) is None:
        raise InputError(
            f"The job is written to {folder}, but {engine.client} is not on PATH to submit it; install "
            f"{engine.package} or submit the folder from a machine that has it."
        )
    return subprocess.run(engine.submission(folder), check=False).returncode
