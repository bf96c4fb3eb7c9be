"""How far approximate chunks are from the exact render: the number by which a pre-roll is chosen.

The shot is rendered exactly once, and the beginning of every chunk once for each pre-roll, into a temporary
folder. What is told is the difference inside the hole, in steps of 8 bits as on a display.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..api import Model, open_model
from ..clips.clip import Clip
from ..errors import SettingsError
from ..images import Plate, read_plate
from ..job.job import Job
from ..job.settings import Run
from ..progress.reporters import Reporters
from ..progress.stop import Stop
from ..progress.terminal import say
from ..render.render import render
from ..render.sources import plate_of
from .chunks import grid, shot_frames
from .shots import BatchShot

PRE_ROLLS = (0, 2, 4, 8, 16)
FRAMES = 8
"""Frames of each chunk that are compared: a seam that lasts longer is told as such."""


@dataclass(frozen=True)
class Seam:
    """The beginning of one chunk.

    Attributes:
        shot: its shot.
        frame: its first frame.
        pre_roll: frames rendered before it and thrown away.
        mean: difference inside the hole at `frame`, in steps of 8 bits.
        worst: the largest difference of a pixel there.
        lasts: frames until the mean is below one step; `FRAMES` where it is not by then.
    """

    shot: str
    frame: int
    pre_roll: int
    mean: float
    worst: float
    lasts: int


def report_seams(
    shots: Iterable[BatchShot], pre_rolls: Sequence[int], summary: str | None, stop: Stop
) -> int:
    """Measure every shot, print a table, and write the figures as JSON if a file is named; ``-`` prints
    them in place of the table. Returns 0.

    Raises:
        SettingsError: a shot has no `chunk_frames`.
    """
    seams: list[Seam] = []
    for shot in shots:
        if shot.chunk_frames is None:
            raise SettingsError(f"Shot {shot.name} has no chunk_frames: --set chunk_frames=40, say.")
        own = shot.job.settings.pre_roll
        wanted = sorted({*pre_rolls, *(() if own is None else (own,))})
        found = measure(shot, shot.chunk_frames, wanted, stop)
        seams += found
        if summary != "-":
            say(*_lines(shot.name, found))
    told = json.dumps([asdict(seam) for seam in seams], indent=None if summary == "-" else 2)
    if summary == "-":
        say(told)
    elif summary is not None:
        Path(summary).write_text(f"{told}\n", "utf-8")
    return 0


def measure(shot: BatchShot, chunk_frames: int, pre_rolls: Sequence[int], stop: Stop) -> list[Seam]:
    """Measure one shot. Raises CleanplateError as a render does.

    Args:
        shot: which; nothing is written to its output.
        chunk_frames: the grid.
        pre_rolls: those to try.
        stop: asked inside every long loop.
    """
    first, last = shot_frames(shot.job.shot)
    chunks = grid(first, last, chunk_frames)[1:]
    run = shot.job.run
    with (
        tempfile.TemporaryDirectory(prefix="cleanplate-seams-") as folder,
        open_model(run.model, run.device, run.threads) as model,
    ):
        plate = plate_of(shot.job.shot)
        exact = _render(shot.job, Path(folder) / "exact", None, None, model, stop)
        seams = []
        for pre_roll in pre_rolls:
            for begin, end in chunks:
                part = (begin, min(end, begin + FRAMES - 1))
                ours = _render(shot.job, Path(folder) / f"{pre_roll}", part, pre_roll, model, stop)
                seams.append(_compare(shot.name, begin, pre_roll, ours, exact, plate))
    return seams


def _render(
    job: Job, folder: Path, part: tuple[int, int] | None, pre_roll: int | None, model: Model, stop: Stop
) -> dict[int, Path]:
    shot = job.shot.model_copy(update={"output": str(folder / Path(job.shot.output).name)})
    settings = job.settings.model_copy(update={"pre_roll": pre_roll})
    run = Run(overwrite=True, chunk=None if part is None else f"{part[0]}-{part[1]}", checkpoint_every=1000)
    frames = render(shot, settings, run, model.network, Reporters([]), stop)
    return {done.frame: done.path for done in frames}


def _compare(
    name: str, begin: int, pre_roll: int, ours: dict[int, Path], exact: dict[int, Path], plate: Clip
) -> Seam:
    errors = [_differences(ours[frame], exact[frame], plate.plate(frame)) for frame in sorted(ours)]
    means = [float(error.mean()) if error.size else 0.0 for error in errors]
    lasts = next((count for count, mean in enumerate(means) if mean < 1), len(means))
    worst = float(errors[0].max()) if errors[0].size else 0.0
    return Seam(name, begin, pre_roll, round(means[0], 3), round(worst, 2), lasts)


def _differences(ours: Path, exact: Path, plate: Plate) -> NDArray[np.float64]:
    """Return the differences of the pixels that the exact render filled, in steps of 8 bits."""
    true = read_plate(exact)
    filled = (true.rgb != plate.rgb).any(axis=2)
    difference: NDArray[np.float64] = np.abs(_shown(read_plate(ours)) - _shown(true)).max(axis=2)[filled]
    return difference


def _shown(plate: Plate) -> NDArray[np.float64]:
    """Return a picture about as a display shows it, 0..255."""
    rgb = np.nan_to_num(plate.rgb.astype(np.float64))
    if not plate.header.is_float:
        return rgb * 255
    return np.asarray(255 * np.clip(rgb, 0, 1) ** (1 / 2.2))


def _lines(name: str, seams: Sequence[Seam]) -> list[str]:
    count = len({seam.frame for seam in seams})
    lines = [f"{name}: {count} seams; difference from the exact render in 8-bit steps"]
    lines.append("  pre-roll  mean  worst seam  worst pixel  lasts")
    for pre_roll in sorted({seam.pre_roll for seam in seams}):
        own = [seam for seam in seams if seam.pre_roll == pre_roll]
        mean = sum(seam.mean for seam in own) / len(own)
        worst = max(own, key=lambda seam: seam.mean)
        pixel, lasts = max(seam.worst for seam in own), max(seam.lasts for seam in own)
        told = f"{lasts} frames" if lasts < FRAMES else f"{FRAMES} frames or more"
        lines.append(
            f"  {pre_roll:8}  {mean:4.2f}  {worst.mean:10.2f}  {pixel:11.1f}  {told}, worst at {worst.frame}"
        )
    return lines
