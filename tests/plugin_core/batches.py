"""A batch of small shots on disk, and the real command over it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from plugin_core.batch.list_file import read_shot_list
from plugin_core.batch.shots import understand
from plugin_core.cli import main
from tests.held import Held

from .commands import TIMEOUT
from .shots import ShotOnDisk, leftovers, make_shot, same_files


class Shots:
    """Small shots in a folder and a list of them; `true` is what each should look like.

    Args:
        folder: made.
        bundle: the model.
        lengths: frames of each shot.
    """

    def __init__(self, folder: Path, bundle: Path, lengths: list[int], **fields: object) -> None:
        self.folder = folder
        self.shots: list[ShotOnDisk] = []
        rows = []
        for number, length in enumerate(lengths, start=1):
            name = f"sh{number:02d}0"
            shot = make_shot(folder / name, 1, length)
            self.shots.append(shot)
            rows.append({"name": name, "frames": f"1-{length}"})
        self.list = folder / "shots.json"
        self.defaults = {
            "plate": "{name}/plate/plate.####.exr",
            "matte": "{name}/matte/matte.####.png",
            "output": "{name}/out/clean.####.exr",
            "working_size": 64,
            "context": 16,
            "paint": "network",
            "model": str(bundle),
            "device": "cpu",
            "threads": 1,
            **fields,
        }
        self.rows = rows
        self.write_list()

    def write_list(self) -> None:
        self.list.write_text(json.dumps({"defaults": self.defaults, "shots": self.rows}, indent=1), "utf-8")

    def start(self, *options: str, held: Held | None = None) -> subprocess.Popen[str]:
        """Start the command, and wait until it is held."""
        command = [sys.executable, "-m", "plugin_core.cli", "batch", str(self.list), *options]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        environ = held.environ() if held else None
        running = subprocess.Popen(command, text=True, env=environ, **pipes)
        if held:
            held.wait(running)
        return running

    def run(self, *options: str) -> tuple[int, str, str]:
        running = self.start(*options)
        out, err = running.communicate(timeout=TIMEOUT)
        assert "Traceback" not in err, err
        return running.returncode, out, err

    def render_true(self) -> None:
        """Render every shot in one go, without interruption, into "true"; in this process."""
        shots, bad = understand(read_shot_list(self.list), {"output": "{name}/true/clean.####.exr"})
        assert not bad
        job = self.folder / "true.json"
        for shot in shots:
            job.write_text(shot.job.model_dump_json(), "utf-8")
            assert main(["render", "--job", str(job)]) == 0
        job.unlink()

    def check(self) -> None:
        """Every frame is there and as it should be, and nothing else."""
        for shot in self.shots:
            same_files(shot, "out", "true")
            assert len(list((shot.folder / "out").glob("clean.*.exr"))) == shot.last
        assert leftovers(self.folder) == []
        assert not list(self.folder.rglob("lock.*"))

    def clear(self) -> None:
        """Remove what was rendered, but for "true"."""
        for shot in self.shots:
            shutil.rmtree(shot.folder / "out", ignore_errors=True)
