"""Render the embedded sample shot and lay before and after side by side."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..api import open_model
from ..images import read_matte, read_plate
from ..job.settings import Settings, Shot
from ..progress.reporters import reporting
from ..progress.signals import on_signals
from ..progress.stop import Stop
from ..progress.terminal import say
from ..qc.contact_sheet import before_after_sheet, hole_psnr
from ..sample import FIRST, FRAMES, LAST, clean_pattern, frame_path, matte_pattern, plate_pattern

DEMO_SETTINGS = Settings(grow=2, feather=3)


def run_demo(output: Path, model: str, device: str, progress: str = "auto") -> int:
    """Render the sample into `output`, write `output/before_after.png` and print where it is. Returns 0."""
    clean = str(output / "clean.####.exr")
    shot = Shot(plate=plate_pattern(), matte=matte_pattern(), output=clean, frames=FRAMES)
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
    say(f"inside the hole:  {score:.1f} dB PSNR against the true clean plate")
    return 0


def _score(output: str, frame: int) -> float:
    result = read_plate(frame_path(output, frame)).rgb
    truth = read_plate(frame_path(clean_pattern(), frame)).rgb
    return hole_psnr(result, truth, read_matte(frame_path(matte_pattern(), frame)).values)
