"""Render the embedded sample shot, lay before and after side by side, and write its review page."""

from __future__ import annotations

from pathlib import Path

import numpy as np

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
from ..sample import FIRST, FRAMES, LAST, clean_pattern, frame_path, matte_pattern, plate_pattern

DEMO_SETTINGS = Settings(grow=2, feather=3)


def run_demo(output: Path, model: str, device: str, progress: str = "auto") -> int:
    """Render the sample into `output`, with `before_after.png` and a review page; print where. Returns 0."""
    clean = str(output / "clean.####.exr")
    shot = Shot(plate=plate_pattern(), matte=matte_pattern(), output=clean, frames=FRAMES, layers=("source",))
    stop = Stop()
    with (
        reporting(progress, None) as reporters,
        on_signals(stop, ends=True),
        open_model(model, device) as opened,
    ):
        rendered = list(opened.render(shot, DEMO_SETTINGS, overwrite=True, reporters=reporters, stop=stop))
        where = opened.device
    score = float(np.mean([_score(clean, done.frame) for done in rendered]))
    sheet = before_after_sheet(
        lambda frame: read_plate(frame_path(plate_pattern(), frame)).rgb,
        lambda frame: read_matte(frame_path(matte_pattern(), frame)).values,
        lambda frame: read_plate(frame_path(clean, frame)).rgb,
        lambda frame: read_plate(frame_path(clean_pattern(), frame)).rgb,
        [FIRST + 1, (FIRST + LAST) // 2, LAST - 1],
        output / "before_after.png",
        title="Cleanplate: the embedded sample shot",
        note=f"model {model} on {where}, {len(rendered)} frames, {score:.1f} dB inside the hole",
    )
    say(f"clean plate:      {clean}")
    say(f"before and after: {sheet.resolve()}")
    say(f"review page:      {_page(clean, output / 'review')}")
    say(f"inside the hole:  {score:.1f} dB PSNR against the true clean plate")
    return 0


def _page(clean: str, folder: Path) -> Path:
    """Write the review page, from the job that the render left; returns it."""
    left = recorded_job(clean)
    assert left is not None
    review = Review(Job.read(left), Folder(folder), "Sample shot")
    review.all(say_for_now)
    say_for_now("")
    return review.page


def _score(output: str, frame: int) -> float:
    result = read_plate(frame_path(output, frame)).rgb
    truth = read_plate(frame_path(clean_pattern(), frame)).rgb
    return hole_psnr(result, truth, read_matte(frame_path(matte_pattern(), frame)).values)
