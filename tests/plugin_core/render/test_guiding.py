"""Flows that are given: the background's motion, on crops that follow, the same however a render is cut."""

from __future__ import annotations

import shutil

import cv2
import numpy as np
import pytest

from plugin_core.box import Box
from plugin_core.clips import clip
from plugin_core.patch import Patch
from plugin_core.regions.region import Region
from plugin_core.render.guiding import share_beside, share_moving

from ..guided_network import GuidedNetwork
from ..motion.test_flow import texture
from ..shots import QUICK, ShotOnDisk, read, run_toy, same_files, write_matte, write_plate
from .test_resume import Killed

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync")]

WIDTH, HEIGHT, LAST, PAN = 160, 96, 16, 2
SEEN = QUICK.model_copy(update={"working_size": 4096, "context": 24, "color": "linear"})


def make(folder, pan: int = PAN) -> tuple[ShotOnDisk, list[np.ndarray]]:
    """A wall under a panning camera, and a block that runs over it."""
    shot, walls = ShotOnDisk(folder, 1, LAST), []
    world = cv2.GaussianBlur(texture(HEIGHT, WIDTH + pan * LAST), (0, 0), 1.5).astype(np.float32)
    for frame in range(1, LAST + 1):
        walls.append(world[:HEIGHT, pan * frame : pan * frame + WIDTH])
        drawn = np.zeros((HEIGHT, WIDTH), np.uint8)
        left = 12 + 6 * frame
        drawn[36:60, left : left + 24] = 255
        plate = walls[-1].copy()
        plate[drawn > 0] = 0.5
        write_plate(shot.plate(frame), np.dstack([plate, np.ones((HEIGHT, WIDTH))]))
        write_matte(shot.matte(frame), drawn)
    return shot, walls


class Killing(GuidedNetwork):
    """Dies at a step."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self._left = after

    def step(self, *given, **more):
        if self._left == 0:
            raise Killed
        self._left -= 1
        return super().step(*given, **more)


@pytest.fixture(scope="module", params=[0, 4], ids=["alone", "behind real pixels"])
def settings(request):
    return SEEN.model_copy(update={"propagate": request.param})


@pytest.fixture(scope="module")
def whole(tmp_path_factory, settings):
    shot, walls = make(tmp_path_factory.mktemp("whole"))
    network, reads = GuidedNetwork(), []
    with pytest.MonkeyPatch.context() as patched:
        of_file = clip.read_plate
        patched.setattr(clip, "read_plate", lambda path, view: reads.append(path) or of_file(path, view))
        run_toy(shot.shot("whole"), settings, network=network)
    # Not one of those that exposure is measured on. Real pixels are looked for far ahead of the network.
    assert reads.count(shot.plate(11)) == (2 if settings.propagate else 1)
    return shot, walls, network


def test_a_pan_is_given_as_it_is_and_sources_share_what_they_show(whole):
    _, _, network = whole
    middle = network.guides[7]  # frame 8: its sources are 2, 5, 11 and 14
    for given, scale in zip(middle, network.guide_scales, strict=True):
        flow = np.median(given[:, :2], axis=(2, 3)) * scale
        np.testing.assert_allclose(flow[:, 0], [-12, -6, 6, 12][::-1], atol=0.3)
        np.testing.assert_allclose(flow[:, 1], 0, atol=0.2)
        assert given[:, 2].min() >= 0
    inner = middle[0][:, 2, 8:-8, 20:-20].sum(axis=0)
    assert 0.85 < np.median(inner) < 1.1


def test_what_other_frames_show_comes_back_in_its_place(whole):
    shot, walls, _ = whole
    wrong = []
    for frame in (6, 8, 10):
        hole = read(shot.matte(frame))[..., 0] > 0
        filled = read(shot.written(frame, "whole"))[..., :3].astype(float)
        wrong.append(np.abs(filled - walls[frame - 1])[hole].mean())
    flat = np.abs(walls[7] - walls[7].mean(axis=(0, 1))).mean()
    assert np.mean(wrong) < 0.5 * flat


def test_chunks_and_a_kill_give_the_pixels_of_one_go(whole, settings):
    shot, _, _ = whole
    first = 1
    for last in (5, 6, LAST):
        states = {"state_in": None if first == 1 else str(shot.folder / f"{first - 1}.state")}
        run_toy(
            shot.shot(f"part{last}", f"{first}-{last}"),
            settings,
            network=GuidedNetwork(),
            state_out=str(shot.folder / f"{last}.state"),
            overwrite=True,
            **states,
        )
        same_files(shot, f"part{last}", "whole", range(first, last + 1))
        first = last + 1
    for after in (0, 7, 12):
        shutil.rmtree(shot.folder / "out", ignore_errors=True)
        with pytest.raises(Killed):
            run_toy(shot.shot(), settings, network=Killing(after), checkpoint_every=5)
        run_toy(shot.shot(), settings, network=GuidedNetwork(), resume=True)
        same_files(shot, "out", "whole")


def test_sources_count_less_where_what_was_found_is_not_sure():
    region = Region(Box(0, 0, 64, 64), Box(0, 0, 64, 64), 1, 1)
    box = Box(8, 8, 56, 56)
    confidence = np.zeros((48, 48), np.float32)
    confidence[:, 16:32], confidence[:, 32:] = 0.5, 1.0
    picture, nothing = np.zeros((48, 48, 3), np.float32), np.zeros((48, 48), np.float32)
    counted = share_beside(Patch(box, picture, confidence, nothing), region, 4)
    assert counted.shape == (16, 16)
    row = counted[8]  # columns of four pixels; the patch begins at the third
    assert (row[:4] == 1).all() and (row[11:] == 1).all()  # beside it, where it has nothing, where it is sure
    np.testing.assert_allclose(row[7:9], 0.25)
    soft = np.full_like(confidence, 0.1)
    softened = share_beside(Patch(box, picture, confidence, nothing, soft=soft), region, 4)[8]
    np.testing.assert_allclose(softened[11:13], 0.25)


def test_a_background_that_stands_makes_no_doubt() -> None:
    flows = np.zeros((3, 2, 1, 3), np.float32)
    flows[0, 0, 0] = 0, 3, 12  # pixels over six frames: half a pixel a frame stands, two move
    flows[1, 1, 0] = 0, -3.6, 12  # over three
    np.testing.assert_allclose(
        share_moving(flows, [6, 3, 0])[:, 0], [[0, 0, 1], [0, 0.5, 1], [0, 0, 0]], atol=1e-6
    )
