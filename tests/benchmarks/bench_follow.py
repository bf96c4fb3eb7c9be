"""What a crop that follows the matte changes in the picture.

    python -m tests.benchmarks.bench_follow [--bundle B] [--plate P --matte M] [--frames 40] [--propagate off]
        [--context 128] [--keep DIR]

One shot is filled through the whole plate, through two other fixed crops, and through one that follows, all
at full resolution. Fixed crops differ by what each sees of its surroundings: that is the noise floor. A
following crop should not differ more from the whole plate than they do, and the difference should not change
more from frame to frame where it moves than where it stands. Differences are those of hole pixels, in 8-bit
levels of the display.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from plugin_core.box import Box
from plugin_core.job.settings import Run, Settings, Shot
from plugin_core.network.session import Session
from plugin_core.progress.reporters import Reporters
from plugin_core.progress.stop import Stop
from plugin_core.render.plan import Plan, make_plan
from plugin_core.render.render import render
from plugin_core.render.sources import mattes_of, open_sources
from tests.benchmarks.bench_render import open_session
from tests.benchmarks.travelling import travelling_shot

CONTEXT = 128


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What a crop that follows the matte changes.")
    parser.add_argument("--bundle", help="a bundle; one with generated weights is made where none is given")
    parser.add_argument("--plate", help="a plate of your own (EXR), with --matte")
    parser.add_argument("--matte")
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--size", type=int, nargs=2, default=(1280, 720), help="of the plate that is made")
    parser.add_argument("--context", type=int, default=CONTEXT)
    parser.add_argument("--propagate", default="on", help="frames that are searched for real pixels")
    parser.add_argument("--keep", type=Path, help="leave the frames in this folder, to be looked at")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        shot = _shot(given, folder)
        with open_session(given.bundle, Path(temporary)) as session:
            plans = {
                name: _rendered(_named(shot, folder, name), settings, session)
                for name, settings in _framings(shot, given.context, given.propagate).items()
            }
        _report(shot, folder, plans)


def _shot(given: argparse.Namespace, folder: Path) -> Shot:
    if not given.plate:
        return travelling_shot(folder / "shot", tuple(given.size), given.frames)
    shot = Shot(plate=given.plate, matte=given.matte, output=str(folder / "out" / "clean.####.exr"))
    sources = open_sources(shot)
    last = min(sources.last, sources.first + given.frames - 1)
    return shot.model_copy(update={"frames": f"{sources.first}-{last}"})


def _framings(shot: Shot, context: int, propagate: str) -> dict[str, Settings]:
    """The whole plate, two other fixed crops that hold every hole, and one that follows."""
    sources = open_sources(shot)
    width, height = sources.header.width, sources.header.height
    base = Settings(context=context, working_size=4096, propagate=propagate)
    holes = _around_holes(shot, base)
    around = holes.grown(context).within(width, height)
    less = Box(16, 16, width - 16, height - 16).union(holes)
    return {
        "whole": base.model_copy(update={"region": "full"}),
        "plate less 16 pixels": base.model_copy(update={"region": _as_region(less)}),
        "around all holes": base.model_copy(update={"region": _as_region(around)}),
        "follows": base,
    }


def _around_holes(shot: Shot, settings: Settings) -> Box:
    sources = open_sources(shot)
    mattes = mattes_of(sources, settings, ())
    holes = [mattes.hole(frame) for frame in range(sources.lower, sources.upper + 1)]
    first, *others = [hole.box for hole in holes if hole is not None]
    return first.union(*others)


def _as_region(box: Box) -> str:
    return f"{box.x0},{box.y0},{box.width},{box.height}"


def _named(shot: Shot, folder: Path, name: str) -> Shot:
    return shot.model_copy(update={"output": str(folder / name.replace(" ", "_") / "clean.####.exr")})


def _rendered(shot: Shot, settings: Settings, session: Session) -> Plan:
    for _ in render(shot, settings, Run(overwrite=True), session, Reporters([]), Stop()):
        pass
    return make_plan(open_sources(shot), shot, settings, session)


@dataclass(frozen=True)
class Difference:
    """How a render differs from the whole plate's, in 8-bit levels.

    Attributes:
        levels: of every hole pixel.
        changes: by how much the difference changes onto each frame, in the mean.
    """

    levels: NDArray[np.float32]
    changes: dict[int, float]


def _report(shot: Shot, folder: Path, plans: dict[str, Plan]) -> None:
    lanes = plans["follows"].lanes
    moves = sorted({frame for lane in lanes for frame, _ in lane.path.moves})
    for lane in lanes:
        print(f"crop {lane.path.region} moves on frames {[frame for frame, _ in lane.path.moves]}")
    print("in 8-bit levels of hole pixels: difference from the whole plate; its change, frame to frame")
    print(f"{'':22}{'mean':>9}{'99.9 %':>9}{'largest':>9}{'stands':>12}{'moves':>9}")
    for name in plans:
        if name != "whole":
            found = _difference(shot, folder, name, plans[name])
            rest = [change for frame, change in found.changes.items() if frame not in moves]
            there = [found.changes[frame] for frame in moves if frame in found.changes]
            figures = [found.levels.mean(), np.quantile(found.levels, 0.999), found.levels.max()]
            print(f"{name:22}" + "".join(f"{figure:9.5f}" for figure in figures), end=" ")
            print(f"{_mean(rest):11.5f}{_mean(there):9.5f}")


def _mean(values: list[float]) -> float:
    return statistics.fmean(values) if values else float("nan")


def _difference(shot: Shot, folder: Path, name: str, plan: Plan) -> Difference:
    sources = plan.sources
    mattes = mattes_of(sources, plan.settings, ())
    levels: list[NDArray[np.float32]] = []
    changes: dict[int, float] = {}
    before: NDArray[np.float32] | None = None
    for frame in range(sources.first, sources.last + 1):
        hole = mattes.hole(frame)
        if hole is None:
            continue
        mask = hole.mask_on(Box(0, 0, sources.header.width, sources.header.height))
        signed = _levels(shot, folder, name, frame) - _levels(shot, folder, "whole", frame)
        signed[~mask] = np.nan
        levels.append(np.abs(signed[mask]).ravel())
        if before is not None and np.isfinite(signed - before).any():
            changes[frame] = float(np.nanmean(np.abs(signed - before)))
        before = signed
    return Difference(np.concatenate(levels), changes)


def _levels(shot: Shot, folder: Path, name: str, frame: int) -> NDArray[np.float32]:
    """A rendered frame in 8-bit levels: as it is where it holds integers, else by the sRGB curve."""
    path = _named(shot, folder, name).output.replace("####", f"{frame:04d}")
    pixels = np.asarray(oiio.ImageBuf(path).get_pixels(oiio.FLOAT)[:, :, :3], np.float32)
    if not open_sources(shot).header.is_float:
        return 255 * pixels
    linear = np.clip(pixels, 0, 1)
    curved = np.where(
        linear > 0.0031308, 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055, 12.92 * linear
    )
    return np.asarray(255 * curved, np.float32)


if __name__ == "__main__":
    main()
