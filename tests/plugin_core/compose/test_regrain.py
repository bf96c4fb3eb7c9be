"""The plate's grain on a fill: where it is measured, where it goes, and that nothing else moves."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from plugin_core.color.color_map import ColorMap
from plugin_core.compose.regrain import regrain
from plugin_core.images import Plate, read_plate
from plugin_core.job.settings import Settings
from plugin_core.regions.hole import Hole, hole_of

from ..batch.test_chunks import chunk
from ..motion.test_flow import disc, texture
from ..pictures_on_disk import save, spec_of
from ..render.test_resume import Killed, KilledNetwork
from ..shots import (
    QUICK,
    ShotOnDisk,
    bits,
    hole,
    make_shot,
    read,
    run_toy,
    same_files,
    write_matte,
    write_plate,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync")]
PAINTED = QUICK.model_copy(update={"propagate": 0})
GRAIN = PAINTED.model_copy(update={"grain": "auto"})
WIDTH, HEIGHT = 400, 300


def plate_with(tmp_path, values: np.ndarray, kind: str = "half") -> Plate:
    names = ("R", "G", "B")
    path = tmp_path / ("p.exr" if kind != "uint8" else "p.png")
    return read_plate(save(path, (spec_of(values.shape[1], values.shape[0], names, kind), values)))


def gray_with_grain(level: float, amount: float) -> np.ndarray:
    random = np.random.default_rng(0)
    return (level + amount * random.standard_normal((HEIGHT, WIDTH, 3))).astype(np.float32)


def middle(**settings: object) -> Hole:
    matte = np.zeros((HEIGHT, WIDTH), np.float32)
    matte[100:200, 150:250] = 1
    found = hole_of(matte, Settings(**{"grow": 0, "feather": 0, **settings}))
    assert found is not None
    return found


@pytest.mark.parametrize(("level", "kind"), [(0.4, "half"), (0.4, "uint8"), (40.0, "float")])
def test_the_fill_gets_the_noise_of_the_plate_in_shadow_and_light(tmp_path, level, kind):
    """At 40.0 too, where the plate's values are far above the network's 1."""
    values = gray_with_grain(level, 0.03 * level)
    stored = np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8) if kind == "uint8" else values
    plate = plate_with(tmp_path, stored, kind)
    color = ColorMap("linear" if plate.header.is_float else "display")
    flat = color.to_network(np.full((100, 100, 3), level, np.float32))
    made = color.from_network(regrain(flat, plate, middle(), color, seed=1))
    assert abs(made.std() / (0.03 * level) - 1) < 0.15
    assert abs(made.mean() / level - 1) < 0.01


def test_what_lies_in_the_hole_and_beside_it_does_not_count(tmp_path):
    values = gray_with_grain(0.4, 0.01)
    color = ColorMap("linear")
    flat = np.zeros((100, 100, 3), np.float32)
    before = regrain(flat, plate_with(tmp_path, values), middle(), color, seed=1)
    values[95:205, 145:255] = np.random.default_rng(1).random((110, 110, 3))
    values[0, 0] = np.nan
    after = regrain(flat, plate_with(tmp_path, values), middle(), color, seed=1)
    assert abs(after.std() / before.std() - 1) < 0.02


def two_holes(folder, name: str, noise: float) -> ShotOnDisk:
    """A noisy shot with two holes, each a crop of its own, 80 pixels apart; the second hides that noise."""
    shot = ShotOnDisk(folder / name, 1, 2)
    random = np.random.default_rng(3)
    for frame in (1, 2):
        values = np.zeros((HEIGHT, WIDTH, 4), np.float32)
        values[..., :3] = 0.4 + 0.02 * random.standard_normal((HEIGHT, WIDTH, 3))
        matte = np.zeros((HEIGHT, WIDTH), np.uint8)
        matte[16:96, 32:112] = matte[176:256, 192:272] = 255
        values[176:256, 192:272, :3] = 0.4 + noise * random.standard_normal((80, 80, 3))
        write_plate(shot.plate(frame), values)
        write_matte(shot.matte(frame), matte)
    return shot


def test_a_second_hole_is_no_plate_to_measure_on(tmp_path):
    """Neither what it hides nor what was filled into it shows the plate's grain."""
    settings = GRAIN.model_copy(update={"working_size": 256})
    filled = []
    for name, noise in (("flat", 0.0), ("rough", 0.2)):
        shot = two_holes(tmp_path, name, noise)
        run_toy(shot.shot(), settings)
        run_toy(shot.shot("smooth"), settings.model_copy(update={"grain": "off"}))
        grainy, smooth = (read(shot.written(1, out)).astype(np.float32) for out in ("out", "smooth"))
        filled.append((grainy - smooth)[..., :3])
    np.testing.assert_array_equal(filled[0][16:96, 32:112], filled[1][16:96, 32:112])
    for grain in (filled[0][16:96, 32:112], filled[0][176:256, 192:272]):
        assert abs(grain.std() / 0.02 - 1) < 0.25


def test_a_plate_that_is_clipped_or_too_small_leaves_the_fill_alone(tmp_path):
    flat = np.zeros((100, 100, 3), np.float32)
    white = plate_with(tmp_path, np.full((HEIGHT, WIDTH, 3), 255, np.uint8), "uint8")
    color = ColorMap("display")
    assert regrain(flat, white, middle(), color, seed=1) is flat
    everything = middle(grow=140)
    picture = np.zeros((*everything.alpha.shape, 3), np.float32)
    noisy = plate_with(tmp_path, gray_with_grain(0.4, 0.01))
    assert regrain(picture, noisy, everything, ColorMap("linear"), seed=1) is picture


def test_real_pixels_keep_their_own_grain(tmp_path):
    plate = plate_with(tmp_path, gray_with_grain(0.4, 0.02))
    flat = np.zeros((100, 100, 3), np.float32)
    own = np.ones((100, 100), np.float32)
    own[:, 50:] = 0
    made = regrain(flat, plate, middle(), ColorMap("linear"), seed=-3, own=own)
    assert not made[:, :50].any() and made[:, 50:].std() > 0.01


@pytest.fixture
def noisy(tmp_path):
    """A shot large enough to measure on."""
    return make_shot(tmp_path, 1, 10, size=(256, 192))


def test_outside_the_hole_every_bit_is_the_plates_and_inside_it_differs_by_frame(noisy):
    run_toy(noisy.shot("off"), PAINTED)
    run_toy(noisy.shot("auto"), GRAIN)
    patterns = []
    for frame in range(1, 11):
        plate, off, auto = (
            read(p) for p in (noisy.plate(frame), *(noisy.written(frame, n) for n in ("off", "auto")))
        )
        inside = hole(frame, (256, 192)) > 0
        np.testing.assert_array_equal(bits(auto[~inside]), bits(plate[~inside]))
        np.testing.assert_array_equal(bits(auto[..., 3]), bits(plate[..., 3]))
        patterns.append((auto.astype(np.float32) - off.astype(np.float32))[inside][:, :3])
        assert patterns[-1].std() > 1e-4
    assert abs(np.corrcoef(patterns[0].ravel(), patterns[1].ravel())[0, 1]) < 0.2


def test_resumed_and_in_chunks_the_grain_is_that_of_one_go(noisy):
    run_toy(noisy.shot("whole"), GRAIN)
    with pytest.raises(Killed):
        run_toy(noisy.shot(), GRAIN, network=KilledNetwork(5))
    run_toy(noisy.shot(), GRAIN, resume=True)
    same_files(noisy, "out", "whole")
    chunk(noisy, 1, 4, "parts", settings=GRAIN)
    chunk(noisy, 5, 10, "parts", settings=GRAIN)
    same_files(noisy, "parts", "whole")


def test_real_pixels_get_the_grain_that_a_mean_of_several_frames_lacks(tmp_path):
    """Neither none nor twice: a wall under a still camera, whose hole is seen on many frames."""
    random = np.random.default_rng(0)
    shot = ShotOnDisk(tmp_path, 1, 11)
    wall = 0.2 + 0.4 * cv2.GaussianBlur(texture(192, 256), (0, 0), 6)[:192, :256]
    holes = {frame: disc(192, 256, 96, 20 + 18 * frame, 24) for frame in range(1, 12)}
    for frame, hidden in holes.items():
        pixels = wall + random.normal(0, 0.015, wall.shape)
        pixels[hidden] = 0.9
        write_plate(shot.plate(frame), np.dstack([pixels, hidden]).astype(np.float32))
        write_matte(shot.matte(frame), hidden.astype(np.uint8) * 255)

    def noise(name: str, within: np.ndarray) -> float:
        return float((read(shot.written(6, name))[..., :3].astype(np.float32) - wall)[within].std())

    for grain in ("off", "auto"):
        run_toy(shot.shot(grain, "6-6"), QUICK.model_copy(update={"propagate": 10, "grain": grain}))
    beside = disc(192, 256, 96, 128, 60) & ~disc(192, 256, 96, 128, 30)
    assert noise("off", holes[6]) < 0.5 * noise("off", beside)
    assert 0.8 < noise("auto", holes[6]) / noise("auto", beside) < 1.1
