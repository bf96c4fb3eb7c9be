"""The source layers: what each pixel is, and an ST-map with which anyone can fetch it again."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from plugin_core.box import Box
from plugin_core.compose import paste
from plugin_core.compose.source_layers import source_planes
from plugin_core.images import read_plate
from plugin_core.patch import Patch, Places, laid_over
from plugin_core.regions.hole import Hole

from ..motion.test_flow import disc, texture
from ..shots import QUICK, ShotOnDisk, make_shot, run_toy, write_matte, write_plate
from .test_patch_files import channels, patch_file, patched, rgb

FRAMES = range(1, 11)
SIZE = (96, 128)


def panned(folder: Path, move: float) -> ShotOnDisk:
    """A textured wall under a camera that pans (1.5, 0.5) pixels a frame; a disc that moves over it."""
    shot = make_shot(folder, 1, FRAMES[-1], size=SIZE[::-1])
    world = texture(96 + 40, 128 + 80)
    for frame in FRAMES:
        shift = np.float32([[1, 0, -10 - 1.5 * frame], [0, 1, -10 - 0.5 * frame]])
        wall = cv2.warpAffine(world, shift, SIZE[::-1], flags=cv2.INTER_CUBIC)
        away = disc(*SIZE, 48, 40 + move * frame, 14)
        seen = np.where(away[..., None], 0.5, wall)
        write_plate(shot.plate(frame), np.dstack([seen, np.zeros(SIZE)]).astype(np.float32))
        write_matte(shot.matte(frame), (255 * away).astype(np.uint8))
    return shot


def fetched(shot: ShotOnDisk, found: dict[str, np.ndarray], where: np.ndarray, folder: Path | None = None):
    """Sample source frames as an ST-map says, bilinearly, as Nuke's STMap does."""
    picture = np.zeros((*SIZE, 3), np.float32)
    for frame in np.unique(found["source.frame"][where]).astype(int):
        path = shot.plate(frame) if folder is None else folder / f"paint.{frame:04d}.exr"
        source = rgb(channels(path)[0])
        x = found["source_st.u"] * SIZE[1] - 0.5
        y = (1 - found["source_st.v"]) * SIZE[0] - 0.5
        here = where & (found["source.frame"] == frame)
        sampled = cv2.remap(source, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        picture[here] = sampled[here]
    return picture


@pytest.mark.slow
@pytest.mark.usefixtures("no_sync")
def test_an_st_map_leads_to_the_pixels_that_were_found(tmp_path):
    shot = panned(tmp_path, 5)
    settings = QUICK.model_copy(update={"propagate": 9})
    asked = shot.shot("layers", frames="5-6", layers=["source"])
    run_toy(asked, settings)
    run_toy(patched(shot, frames="5-6", layers=["source"]), settings, debug=str(tmp_path / "debug"))
    for frame in (5, 6):
        found, spec = channels(shot.written(frame, "layers"))
        hole = channels(shot.matte(frame))[0]["Y"] > 0
        np.testing.assert_array_equal(found["source.class"] > 0, hole)
        real = (found["source.class"] == 1) & (found["source.share"] > 0.8) & (found["source.alone"] > 0.1)
        assert real.sum() > 0.8 * hole.sum()
        assert frame not in found["source.frame"][real] and set(found["source.frame"][real]) <= {*FRAMES}
        apart = np.abs(fetched(shot, found, real) - rgb(found))[real]
        # Bilinear against bicubic, one source against several that agree, and the color matched to the frame.
        assert apart.mean() < 0.01 and np.quantile(apart, 0.99) < 0.05
        nowhere = np.abs(fetched(shot, {**found, "source_st.v": 1 - found["source_st.v"]}, real) - rgb(found))
        assert nowhere[real].mean() > 5 * apart.mean()
        kinds = dict(zip(spec.channelnames, map(str, spec.channelformats), strict=True))
        assert {kinds[name] for name in found if name.startswith("source")} == {"float"}
        assert kinds["R"] == "half"
        alone, debug = (
            channels(patch_file(shot, frame))[0],
            channels(tmp_path / f"debug/debug.{frame:04d}.exr"),
        )
        for name in [name for name in found if name.startswith("source")]:
            np.testing.assert_array_equal(alone[name], found[name])
            np.testing.assert_array_equal(debug[0][name], found[name])


@pytest.mark.slow
@pytest.mark.usefixtures("no_sync")
def test_paint_says_its_key_frame_and_the_place_there(tmp_path, monkeypatch):
    # A place says nothing of the colors that a network gives to paint.
    monkeypatch.setattr(paste, "led", lambda paint, network, rows: paint)
    shot = panned(tmp_path, -1.5)
    settings = QUICK.model_copy(update={"propagate": 6, "paint": "auto"})
    run_toy(shot.shot(layers="source"), settings)
    run_toy(shot.shot("plain"), settings)
    painted = next(iter((tmp_path / "out").glob(".cleanplate/*/paint")))
    keys = {int(path.stem[-4:]) for path in painted.glob("*.exr")}
    for frame in (2, 5, 9):
        found = channels(shot.written(frame))[0]
        here = (found["source.class"] == 3) & (found["source.share"] > 0.9) & (found["source.alone"] > 0.9)
        assert here.sum() > 100 and set(found["source.frame"][here].astype(int)) <= keys
        apart = np.abs(fetched(shot, found, here, painted) - rgb(found))[here]
        assert apart.mean() < 0.02
        np.testing.assert_array_equal(rgb(found), rgb(channels(shot.written(frame, "plain"))[0]))


def test_the_strongest_class_and_its_place_are_told(tmp_path):
    shot = make_shot(tmp_path, 1, 1)
    header = read_plate(shot.plate(1)).header
    box, row = Box(10, 20, 14, 21), np.ones((1, 4), np.float32)

    def told(confidence: list[float], frame: int, x: float, share: float = 1.0) -> Patch:
        place = Places(np.full((1, 4), frame, np.int32), x * row, 5 * row, share * row)
        grain = np.float32([confidence])
        return Patch(box, np.zeros((1, 4, 3), np.float32), grain, grain, place=place)

    real, paint = told([1, 0.6, 0.2, 0], 1003, 0.5, 0.75), told([1, 1, 0.5, 0.2], 1012, 3)
    patch = laid_over(real.of("found"), paint.of("painted"))
    alpha = np.float32([[1, 1, 1, 0.5]])
    planes = source_planes(Hole(box, alpha), patch, "guessed", header, box.grown(1))
    inside = {name: values[1, 1:-1] for name, values in planes.items()}
    np.testing.assert_array_equal(inside["source.class"], [1, 1, 3, 4])
    np.testing.assert_array_equal(inside["source.frame"], [1003, 1003, 1012, 0])
    np.testing.assert_allclose(inside["source.share"], [1, 0.6, 0.4, 0.8])
    np.testing.assert_allclose(inside["source.alone"], [0.75, 0.75, 1, 0])
    np.testing.assert_allclose(inside["source_st.u"], [1 / 96, 1 / 96, 3.5 / 96, 0])
    np.testing.assert_allclose(inside["source_st.v"], [1 - 5.5 / 64] * 3 + [0])
    assert not any(values[0].any() for values in planes.values())
    whole = source_planes(None, None, "left", header, box)
    assert set(whole) == set(planes) and not any(values.any() for values in whole.values())
    left = source_planes(Hole(box, alpha), None, "left", header, box)
    np.testing.assert_array_equal(left["source.class"], [[5, 5, 5, 5]])
