"""Render the embedded sample shot, lay before and after side by side, and write its review page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..api import open_model
from ..images import read_matte, read_plate
from ..job.job import Job
from ..job.settings import Settings, Shot
from ..progress.reporters import reporting
from ..progress.signals import on_signals
from ..progress.stop import Stop
from ..progress.terminal import say, say_for_now
from ..qc.contact_sheet import before_after_sheet, hole_psnr
from ..render.recorded import recorded_job
from ..review.build import Review
from ..review.place import Folder
from ..sample import frame_path
from ..sample.embedded import EmbeddedShot, embedded_shot

DEMO_SETTINGS = Settings(grow=2, feather=3)


def run_demo(
    output: Path, name: str, frames: str | None, model: str, device: str, progress: str = "auto"
) -> int:
    """Render an embedded shot into `output`, with a before/after picture and a review page; print where."""
    given = embedded_shot(name, output / name)
    clean = str(output / f"clean.####{given.suffix}")
    frames = frames or f"{given.first}-{given.last}"
    shot = Shot(
        plate=given.plate,
        matte=given.matte,
        output=clean,
        frames=frames,
        layers=("source",) if given.linear else (),
    )
    stop = Stop()
    with (
        reporting(progress, None) as reporters,
        on_signals(stop, ends=True),
        open_model(model, device) as opened,
    ):
        rendered = list(opened.render(shot, DEMO_SETTINGS, overwrite=True, reporters=reporters, stop=stop))
        where = opened.device
    score = float(np.mean([_score(given, clean, done.frame) for done in rendered]))
    sheet = before_after_sheet(
        lambda frame: _linear(given, given.plate, frame),
        lambda frame: read_matte(frame_path(given.matte, frame)).values,
        lambda frame: _linear(given, clean, frame),
        lambda frame: _linear(given, given.clean, frame),
        _a_few([done.frame for done in rendered]),
        output / "before_after.png",
        title=f"Cleanplate: {given.title}",
        note=f"model {model} on {where}, {len(rendered)} frames, {score:.1f} dB inside the hole",
    )
    say(f"clean plate:      {clean}")
    say(f"before and after: {sheet.resolve()}")
    say(f"review page:      {_page(clean, output / 'review')}")
    say(f"inside the hole:  {score:.1f} dB PSNR against the true clean plate")
    return 0


def _a_few(frames: Sequence[int]) -> list[int]:
    """Frames to show: near the beginning, in the middle, near the end."""
    last = len(frames) - 1
    return sorted({frames[min(1, last)], frames[last // 2], frames[max(last - 1, 0)]})


def _page(clean: str, folder: Path) -> Path:
    """Write the review page, from the job that the render left; returns it."""
    left = recorded_job(clean)
    assert left is not None
    review = Review(Job.read(left), Folder(folder), "Sample shot")
    review.all(say_for_now)
    say_for_now("")
    return review.page


def _score(given: EmbeddedShot, clean: str, frame: int) -> float:
    result, truth = _linear(given, clean, frame), _linear(given, given.clean, frame)
    return hole_psnr(result, truth, read_matte(frame_path(given.matte, frame)).values)


def _linear(given: EmbeddedShot, pattern: str, frame: int) -> NDArray[np.float32]:
    """A frame's R, G, B as scene-linear light."""
    return given.light(read_plate(frame_path(pattern, frame)).rgb)
