"""Write a list of shots and a farm's job for it, and submit it where asked.

    python submit_to_farm.py slurm /shows/alpha/sh010 /shows/alpha/sh020 --out /shared/jobs/night1 [--submit]

Every shot is a folder that holds `plate/` and `matte/`. Long shots are cut into chains of 50 frames: the
pixels are those of one go, and a task that the farm kills costs little.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Write the job; returns the exit code of `cleanplate farm`."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("engine", help="openjd, deadline-cloud, deadline, opencue, tractor or slurm")
    parser.add_argument("shots", nargs="+", type=Path, metavar="SHOT", help="folder with plate/ and matte/")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="where the job goes")
    parser.add_argument("--submit", action="store_true", help="hand it to the farm")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    shots = given.out / "shots.json"
    shots.write_text(json.dumps(listed(given.shots), indent=2), "utf-8")
    command = [sys.executable, "-m", "cleanplate", "farm", given.engine, str(shots)]
    command += ["--output", str(given.out / "job"), *(["--submit"] if given.submit else [])]
    return subprocess.run(command, check=False).returncode


def listed(folders: list[Path]) -> dict[str, object]:
    """Return the list of shots, as docs/shots.schema.json has it."""
    defaults = {
        "plate": "{name}/plate",
        "matte": "{name}/matte",
        "output": "{name}/clean.####.exr",
        "grow": 4,
        "feather": 4,
        "chunk_frames": 50,
    }
    paths = {kind: str(defaults[kind]) for kind in ("plate", "matte", "output")}
    shots = []
    for folder in folders:
        places = {kind: str(folder.absolute().parent / path) for kind, path in paths.items()}
        shots.append({"name": folder.name, **places})
    return {"defaults": defaults, "shots": shots}


if __name__ == "__main__":
    sys.exit(main())
