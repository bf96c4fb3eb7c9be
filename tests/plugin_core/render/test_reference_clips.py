"""Reference frames on real clips: a mark follows the background, whose own pixels tell where it has to be.

A hole is laid over background that the plates do show, so each plate itself says where the marked place
is: what the reference's own plate shows there is found in it, to a tenth of a pixel, by the enhanced
correlation coefficient (Evangelidis and Psarakis 2008).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from plugin_core.job.settings import Settings, Shot
from plugin_core.progress.watch import unwatched
from plugin_core.render.plan import Plan, make_plan
from plugin_core.render.references import open_references
from plugin_core.render.sources import mattes_of, open_sources

from ..pictures_on_disk import save, spec_of
from ..shots import write_matte
from ..toy_network import ToyNetwork

SHARED = os.environ.get("CLEANPLATE_SHARED")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(SHARED is None, reason="CLEANPLATE_SHARED does not name the folder of real clips"),
]
HALF = 6
"""Half the mark's side, in pixels."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Place:
    """A place of the background that many frames show: of a clip, on one of its frames."""

    clip: str
    frames: range
    frame: int
    x: int
    y: int


@pytest.mark.parametrize(
    "place",
    [
        Place("davis_camel", range(20, 44), 32, 545, 66),
        Place("davis_tennis", range(11, 35), 22, 560, 62),
    ],
    ids=lambda place: place.clip,
)
def test_a_mark_stays_on_its_place_over_24_frames_and_shows_nowhere_else(place, tmp_path):
    assert SHARED is not None
    folder = Path(SHARED) / "clips" / place.clip
    truth = tracked(folder, place)
    for frame, (x, y) in truth.items():
        hole = cv2.imread(str(folder / "matte" / f"{frame:05d}.png"), cv2.IMREAD_GRAYSCALE)
        # It sways, as an object does that is not of the background.
        left, top = round(x + 14 * np.sin(frame)), round(y + 9 * np.cos(frame))
        hole[max(0, top - 34) : top + 34, max(0, left - 44) : left + 44] = 255
        write_matte(tmp_path / "matte" / f"{frame:05d}.png", hole)
    plans = {name: plan_of(folder, place, tmp_path, marked=name == "marked") for name in ("marked", "bare")}
    stages = {name: open_references(plan) for name, plan in plans.items()}
    errors, beside = [], []
    for frame, (x, y) in truth.items():
        plan = plans["bare"]
        hole = mattes_of(plan.sources, plan.settings, plan.cuts).hole(frame)
        assert hole is not None
        patches = [stage.find(frame, hole, None, unwatched) for stage in stages.values() if stage is not None]
        found = [patch for patch in patches if patch is not None]
        with_mark, bare = (patch.picture * patch.confidence[..., None] for patch in found)
        change = np.abs(with_mark - bare).sum(axis=2)
        rows, columns = np.nonzero(change > 0.3 * change.max())
        weights = change[rows, columns]
        at = (
            float((columns * weights).sum() / weights.sum()) + hole.box.x0,
            float((rows * weights).sum() / weights.sum()) + hole.box.y0,
        )
        errors.append(float(np.hypot(at[0] - x, at[1] - y)))
        away = np.ones(change.shape, np.bool_)
        row, column = round(y) - hole.box.y0, round(x) - hole.box.x0
        away[max(0, row - HALF - 3) : row + HALF + 4, max(0, column - HALF - 3) : column + HALF + 4] = False
        beside.append(float(change[away].max()))
    for stage in stages.values():
        assert stage is not None
        stage.close()
    print(f"{place.clip}: mean {np.mean(errors):.2f} px, most {max(errors):.2f}; beside {max(beside):.4f}")
    assert np.mean(errors) < 0.5 and max(errors) < 0.9
    assert max(beside) < 0.02


def plan_of(folder: Path, place: Place, tmp_path: Path, *, marked: bool) -> Plan:
    """The shot with a reference: the plate's own pixels as a patch, with or without a mark."""
    picture = read(folder, place.frame)
    alpha = np.zeros(picture.shape[:2], np.uint8)
    alpha[max(0, place.y - 50) : place.y + 50, max(0, place.x - 64) : place.x + 64] = 255
    if marked:
        mark = np.s_[place.y - HALF : place.y + HALF + 1, place.x - HALF : place.x + HALF + 1]
        picture[mark] = (255, 0, 255)
    name = "marked" if marked else "bare"
    path = tmp_path / name / f"ref.{place.frame:05d}.png"
    path.parent.mkdir()
    height, width = alpha.shape
    spec = spec_of(width, height, ("R", "G", "B", "A"), "uint8", oiio__UnassociatedAlpha=1)
    save(path, (spec, np.dstack([picture, alpha])))
    shot = Shot(
        plate=str(folder / "plate" / "#####.jpg"),
        matte=str(tmp_path / "matte" / "#####.png"),
        output=str(tmp_path / "out" / "#####.png"),
        frames=f"{place.frames[0]}-{place.frames[-1]}",
        reference=str(path),
    )
    settings = Settings(working_size=64, grow=0, feather=0)
    return make_plan(open_sources(shot), shot, settings, ToyNetwork())


def read(folder: Path, frame: int) -> NDArray[np.uint8]:
    """A plate, R, G, B."""
    return np.ascontiguousarray(cv2.imread(str(folder / "plate" / f"{frame:05d}.jpg"))[..., ::-1])


def tracked(folder: Path, place: Place) -> dict[int, Point]:
    """Where the place is on each frame, by what the plates show there."""
    size, search = 26, 30
    first = cv2.cvtColor(read(folder, place.frame), cv2.COLOR_RGB2GRAY)
    template = first[place.y - size : place.y + size + 1, place.x - size : place.x + size + 1]
    found: dict[int, Point] = {place.frame: (float(place.x), float(place.y))}
    for way in (
        range(place.frame + 1, place.frames[-1] + 1),
        range(place.frame - 1, place.frames[0] - 1, -1),
    ):
        here, speed = found[place.frame], np.zeros(2)
        for frame in way:
            gray = cv2.cvtColor(read(folder, frame), cv2.COLOR_RGB2GRAY)
            guess = np.add(here, speed)
            left, top = (int(max(0, round(each) - size - search)) for each in guess)
            part = gray[top : top + 2 * size + 2 * search + 1, left : left + 2 * size + 2 * search + 1]
            score = cv2.matchTemplate(part, template, cv2.TM_CCOEFF_NORMED)
            column, row = cv2.minMaxLoc(score)[3]
            warp = np.array([[1, 0, left + column], [0, 1, top + row]], np.float32)
            stop = cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 100, 1e-5
            alike, warp = cv2.findTransformECC(template, gray, warp, cv2.MOTION_AFFINE, stop, None, 5)
            assert alike > 0.95, f"{place.clip} {frame}: the place is not to be recognized ({alike:.2f})"
            there = tuple(float(each) for each in warp @ np.array([size, size, 1], np.float32))
            speed, here = np.subtract(there, here), there
            found[frame] = here
    return dict(sorted(found.items()))
