"""Hand a written job to the engine's own client, where that is installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from ..errors import InputError

_CLIENTS = {
    "openjd": ("openjd", "the Python package openjd-cli"),
    "deadline-cloud": ("deadline", "the Python package deadline"),
    "deadline": ("deadlinecommand", "the Deadline client"),
    "opencue": ("python3", "Python with opencue-pycue"),
    "tractor": ("tractor-spool", "the Tractor client"),
    "slurm": ("sbatch", "the Slurm client"),
}


def submit(engine: str, folder: Path) -> int:
    """Submit the job in a folder; returns the client's exit code. OpenJD's job is run here.

    Raises:
        InputError: the client is not installed; says which and what to do.
    """
    client, package = _CLIENTS[engine]
    if shutil.which(client) is None:
        raise InputError(
            f"The job is written to {folder}, but {client} is not on PATH to submit it; install {package} "
            "or submit the folder from a machine that has it."
        )
    commands = {
        "openjd": [client, "run", str(folder / "template.yaml")],
        "deadline-cloud": [client, "bundle", "submit", "--yes", str(folder)],
        "deadline": [sys.executable, str(folder / "submit.py")],
        "opencue": [client, str(folder / "submit.py")],
        "tractor": [client, str(folder / "job.alf")],
        "slurm": ["sh", str(folder / "submit.sh")],
    }
    return subprocess.run(commands[engine], check=False).returncode
