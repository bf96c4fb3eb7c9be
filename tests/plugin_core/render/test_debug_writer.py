"""Debug layers beside a render: they are there, and they change nothing of it."""

from __future__ import annotations

import numpy as np
import OpenImageIO as oiio
import pytest

from plugin_core.errors import InputError, SettingsError

from ..shots import QUICK, ShotOnDisk, make_shot, read, run_toy, same_files
from ..toy_network import ToyNetwork
from .test_render import listening

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync")]


class Moving(ToyNetwork):
    """Shows flows when asked."""

    def flows(self, mask):
        return super().flows(mask) + np.float32(0.5)


@pytest.fixture
def shot(tmp_path) -> ShotOnDisk:
    return make_shot(tmp_path, 1, 8)


def layers(path) -> dict[str, np.ndarray]:
    file = oiio.ImageInput.open(str(path))
    pixels = file.read_image("float")
    names = file.spec().channelnames
    file.close()
    return {name: pixels[..., index] for index, name in enumerate(names)}


def test_every_frame_has_its_layers_and_the_render_stays_as_it_is(shot):
    run_toy(shot.shot("plain"))
    folder = shot.folder / "debug"
    run_toy(shot.shot(), debug=str(folder))
    same_files(shot, "out", "plain")
    assert sorted(path.name for path in folder.iterdir()) == [f"debug.000{n}.exr" for n in range(1, 9)]
    found = layers(folder / "debug.0005.exr")
    plate, clean = read(shot.plate(5)).astype(np.float32), read(shot.written(5)).astype(np.float32)
    change = (clean - plate)[..., 1]
    assert np.abs(change).max() > 0.01
    np.testing.assert_allclose(found["difference.G"].max(), change.max(), atol=2e-3)
    assert {"mask.seen", "mask.weight", "crop.number", "fill.R", "raw.R", "flow_previous.x"} <= set(found)


def test_a_model_that_moves_nothing_is_told(shot):
    for network, told in ((ToyNetwork(), True), (Moving(), False)):
        reporters, heard = listening()
        run_toy(
            shot.shot(), overwrite=True, network=network, reporters=reporters, debug=str(shot.folder / "d")
        )
        assert ("every flow is exactly 0" in heard.notes()) is told


def test_a_resume_adds_the_layers_of_the_frames_it_renders(shot):
    run_toy(shot.shot(frames="1-4"))
    pattern = str(shot.folder / "d" / "look.####.exr")
    run_toy(shot.shot(), resume=True, debug=pattern)
    run_toy(shot.shot("whole"))
    same_files(shot, "out", "whole")
    assert sorted(path.name for path in (shot.folder / "d").iterdir())[-1] == "look.0008.exr"


@pytest.mark.parametrize(
    ("pattern", "error", "told"),
    [
        ("plate/plate.####.exr", InputError, "overwrite the plate"),
        ("out/clean.####.exr", InputError, "overwrite the output"),
        ("d/look.####.png", SettingsError, "EXR sequence"),
        ("d/look.exr", SettingsError, "EXR sequence"),
    ],
)
def test_what_would_do_harm_is_refused_before_anything_is_written(shot, pattern, error, told):
    with pytest.raises(error, match=told):
        run_toy(shot.shot(), QUICK, debug=str(shot.folder / pattern))
    assert not list((shot.folder / "out").glob("*.exr"))
