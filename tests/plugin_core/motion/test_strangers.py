"""Who stands before the background without being matted is told from it, and is no mark of the camera's."""

from __future__ import annotations

import numpy as np
import pytest

from plugin_core.motion.background import Background, Look
from plugin_core.motion.strangers import border_of, movers

from .test_flow import disc, texture

SIZE = (96, 128)
FRAMES = range(0, 25)


def seen(hole) -> Background:
    """A wall under a panning camera, and a dark disc that walks over it."""
    world = texture()[:96]

    def look(frame: int) -> Look:
        wall = world[:, frame : frame + 128]
        return Look(np.where(walker(frame)[..., None], coat(frame), wall).astype(np.float32), hole(frame))

    return Background(look, *SIZE, threads=1)


@pytest.fixture(scope="module")
def background():
    """The disc passes behind a hole that stands."""
    hole = np.zeros(SIZE, np.bool_)
    hole[30:66, 50:80] = True
    background = seen(lambda frame: hole)
    yield background, hole
    background.close()


def coat(frame: int) -> np.ndarray:
    return np.roll(0.2 * texture(seed=1)[:96, :128], -4 * frame, axis=1)


def walker(frame: int) -> np.ndarray:
    return disc(*SIZE, 48, 150 - 4 * frame, 14)


def test_paint_ends_where_something_enters_the_hole_and_nowhere_else(background):
    known, hole = background
    away = border_of(known, 12, hole, FRAMES)
    assert away is not None and not away.strange.any() and away.background.min() > 0.95
    enters = border_of(known, 16, hole, FRAMES)
    assert enters is not None and enters.strange.any()
    near = disc(*SIZE, 48, 86, 17)[enters.box.slices]
    assert not (enters.strange & ~near).any()
    share = np.ones(SIZE, np.float32)
    share[enters.box.slices] = enters.background
    assert share[44:52, 74:80].max() < 0.2 and share[30:66, 50:58].min() > 0.9


def test_who_walks_along_before_what_is_removed_does_not_enter_the_hole():
    def hole(frame: int) -> np.ndarray:
        """Of somebody whom the disc half hides, all the way."""
        whole = np.zeros(SIZE, np.bool_)
        whole[36:60, max(150 - 4 * frame - 44, 0) : max(150 - 4 * frame - 4, 0)] = True
        return whole & ~walker(frame)

    background = seen(hole)
    border = border_of(background, 16, hole(16), FRAMES)
    background.close()
    assert border is not None and border.strange.any()
    assert (border.background[hole(16)[border.box.slices]] > 0.8).mean() > 0.9


def test_no_frame_to_compare_with_tells_nothing(background):
    known, hole = background
    assert border_of(known, 8, hole, range(8, 9)) is None
    assert border_of(known, 8, np.zeros(SIZE, np.bool_), FRAMES) is None
    assert not movers(known, 8, range(8, 9)).any()


def test_what_moves_against_the_camera_is_a_mover(background):
    known, hole = background
    found = movers(known, 12, FRAMES)
    assert (found & ~hole)[walker(12)].mean() > 0.9
    far = np.ones(SIZE, np.bool_)
    far[26:70, 70:] = False
    assert found[far].mean() < 0.02
