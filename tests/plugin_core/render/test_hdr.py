"""The sample shot in ACEScg, with a light of 40.0 beside the hole and one inside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from plugin_core import sample
from plugin_core.color.color_map import choose_color
from plugin_core.color.ocio import conversion_for
from plugin_core.images import read_header
from plugin_core.job.settings import Settings, Shot
from plugin_core.network.contract import StepOutput

from ..motion.test_flow import disc, texture
from ..pictures_on_disk import save, spec_of
from ..shots import run_toy
from ..toy_network import ToyNetwork

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync")]

FRAMES = range(sample.FIRST, sample.FIRST + 4)
LIGHT = 40.0
FEATHER = 3


class Mirror(ToyNetwork):
    """Gives back the picture it is shown, hole and all: what remains is the way there and back."""

    def step(self, frame, mask, sources, carry) -> StepOutput:
        return StepOutput(frame.copy(), super().step(frame, mask, sources, carry).carry)


def pixels_of(path: Path) -> np.ndarray:
    buffer = oiio.ImageBuf(str(path))
    assert not buffer.has_error, buffer.geterror()
    return np.asarray(buffer.get_pixels(oiio.HALF))


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    """The true clean plate in ACEScg, so that a network that sees through the matte fills in the truth."""
    folder = tmp_path_factory.mktemp("hdr")
    acescg = conversion_for("ACEScg")
    for frame in FRAMES:
        clean = pixels_of(sample.frame_path(sample.clean_pattern(), frame)).astype(np.float32)
        matte = pixels_of(sample.frame_path(sample.matte_pattern(), frame))[..., 0]
        plate = acescg.from_linear(clean)
        rows, columns = np.nonzero(matte > 0)
        y, left, right = int(np.median(rows)), columns.min(), columns.max()
        middle = (left + right) // 2
        beside = right + 6 if right + 10 < matte.shape[1] else left - 10
        plate[y : y + 4, middle : middle + 4] = LIGHT
        plate[y : y + 4, beside : beside + 4] = LIGHT
        plate[y + 8 : y + 12, middle : middle + 4] = (-0.3, 1.2, -0.05)  # outside ACEScg's own gamut
        plate[y + 8 : y + 12, beside : beside + 4] = (-0.3, 1.2, -0.05)
        height, width, _ = plate.shape
        spec = spec_of(width, height, "RGB", "half", compression="zip")
        spec.attribute("colorInteropID", "lin_ap1_scene")
        save(folder / f"plate.{frame}.exr", (spec, plate.astype(np.float16)))
    return Shot(
        plate=str(folder / "plate.####.exr"), matte=sample.matte_pattern(),
        output=str(folder / "clean.####.exr"),
        frames=f"{FRAMES[0]}-{FRAMES[-1]}", colorspace="ACEScg",
    )  # fmt: skip


@pytest.mark.parametrize("exposure", ["auto", "0", "-3"])
def test_lights_and_negative_values_survive_beside_and_inside_the_hole(shot, exposure):
    settings = Settings(working_size=512, feather=FEATHER, exposure=exposure, propagate=0, grow=0)
    run_toy(shot, settings, network=Mirror(), overwrite=True)
    for frame in FRAMES:
        paths = [sample.frame_path(pattern, frame) for pattern in (shot.plate, shot.output)]
        plate, clean = (pixels_of(path) for path in paths)
        matte = pixels_of(sample.frame_path(sample.matte_pattern(), frame))[..., 0] >= 0.05
        near = np.asarray(oiio.ImageBufAlgo.dilate(oiio.ImageBuf(matte[..., None].astype(np.float32)),
                                                   2 * FEATHER + 3).get_pixels())[..., 0] > 0  # fmt: skip
        assert plate[~near].tobytes() == clean[~near].tobytes()
        # Neither clipped nor bent: the fill is the truth to a few units in the last place of a half.
        np.testing.assert_allclose(clean.astype(np.float32), plate.astype(np.float32), rtol=3e-3, atol=3e-4)
        assert clean[matte].max() >= 39.9 and clean[~near].max() == LIGHT
        assert clean[matte].min() == pytest.approx(-0.3, abs=1e-3)


def test_openimageio_sees_no_difference_but_the_fill(shot):
    run_toy(shot, Settings(working_size=128, propagate=0, grow=0, feather=0), overwrite=True)
    for frame in FRAMES:
        one, other = (oiio.ImageBuf(str(sample.frame_path(p, frame))) for p in (shot.plate, shot.output))
        matte = pixels_of(sample.frame_path(sample.matte_pattern(), frame)) >= 0.05
        outside = oiio.ImageBuf(np.repeat(~matte, 3, axis=2).astype(np.float32))
        parts = [oiio.ImageBufAlgo.mul(picture, outside) for picture in (one, other)]
        result = oiio.CompareResults()
        oiio.ImageBufAlgo.compare(*parts, 0.0, 0.0, result)
        assert (result.nfail, result.maxerror) == (0, 0.0)
        oiio.ImageBufAlgo.compare(one, other, 0.0, 0.0, result)
        assert result.nfail > 0 and result.maxerror > 0.01


@pytest.mark.parametrize("pan", [0, 2])
def test_a_light_that_other_frames_show_comes_back_as_bright_as_it_is(tmp_path: Path, pan: int) -> None:
    """A lamp of 40.0 with a glow, in ACEScg; a disc goes over it while the camera stands, or pans."""
    away = np.hypot(*(x - at for x, at in zip(np.ogrid[:136, :220], (60, 80), strict=True)))
    world = texture(96, 180) ** 2.4 + 0.8 * np.exp(-((away / 6) ** 2))[..., None].astype(np.float32)
    world[away < 4] = LIGHT
    hidden = {}
    for frame in range(1001, 1013):
        plate = world[10:106, 10 + pan * (frame - 1000) : 138 + pan * (frame - 1000)].copy()
        hole = disc(96, 128, 50, 24 + 8 * (frame - 1000), 14)
        hidden[frame] = hole & (plate[..., 0] == LIGHT)
        plate[hole] = 0.5
        save(tmp_path / f"p.{frame}.exr", (spec_of(128, 96, "RGB", "half"), plate.astype(np.float16)))
        save(tmp_path / f"m.{frame}.exr", (spec_of(128, 96, "Y", "half"), hole[..., None].astype(np.float16)))
    names = {
        name: str(tmp_path / f"{key}.####.exr")
        for name, key in {"plate": "p", "matte": "m", "output": "c"}.items()
    }
    run_toy(Shot(colorspace="ACEScg", **names), Settings(working_size=64, propagate=12, grow=0, feather=0))
    lights = [pixels_of(tmp_path / f"c.{frame}.exr")[hole] for frame, hole in hidden.items() if hole.any()]
    assert len(lights) > 3
    np.testing.assert_allclose(np.concatenate(lights).astype(np.float32), LIGHT, rtol=0.03 if pan else 1e-3)


SPACES = [
    *("ACEScg", "ACES2065-1", "Linear Rec.2020", "acescct", "cineon"),
    *("ARRI LogC3 (EI800)", "ARRI LogC4", "S-Log3 S-Gamut3.Cine"),
]


@pytest.fixture(scope="module")
def linear_fill(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """The fill of the sample as it is, in scene-linear Rec.709."""
    return fill_in("linear", tmp_path_factory.mktemp("linear"))


def fill_in(space: str, folder: Path) -> np.ndarray:
    """Bring the sample into a space, fill it there, and bring the frames back to scene-linear Rec.709."""
    color = choose_color(space, read_header(sample.frame_path(sample.plate_pattern(), FRAMES[0]))).color
    from_linear = (lambda rgb: rgb) if color.conversion is None else color.conversion.from_linear
    for frame in FRAMES:
        pixels = from_linear(pixels_of(sample.frame_path(sample.plate_pattern(), frame)).astype(np.float32))
        height, width, _ = pixels.shape
        save(folder / f"plate.{frame}.exr", (spec_of(width, height, "RGB", "float"), pixels))
    shot = Shot(
        plate=str(folder / "plate.####.exr"), matte=sample.matte_pattern(), output=str(folder / "c.####.exr"),
        frames=f"{FRAMES[0]}-{FRAMES[-1]}", colorspace=space,
    )  # fmt: skip
    run_toy(shot, Settings(working_size=128, propagate=0, grow=0, feather=0))
    frames = [oiio.ImageBuf(str(folder / f"c.{frame}.exr")).get_pixels(oiio.FLOAT) for frame in FRAMES]
    return color.to_linear(np.stack(frames))


@pytest.mark.parametrize("space", SPACES)
def test_a_shot_gets_the_same_fill_in_any_color_space(
    tmp_path: Path, linear_fill: np.ndarray, space: str
) -> None:
    filled = fill_in(space, tmp_path)
    inside = np.stack([pixels_of(sample.frame_path(sample.matte_pattern(), f))[..., 0] for f in FRAMES]) > 0.5
    np.testing.assert_allclose(filled[inside], linear_fill[inside], rtol=5e-3, atol=2e-3)
