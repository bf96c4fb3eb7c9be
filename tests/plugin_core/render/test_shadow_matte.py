"""A render with a shadow matte: filled with the matte, and nothing outside of both."""

from __future__ import annotations

import numpy as np
import pytest

from plugin_core.errors import CleanplateError
from plugin_core.state.journal import Journal

from ..shots import QUICK, ShotOnDisk, make_shot, picture, read, run_toy, same_files
from ..shots import write_matte as put_matte
from ..shots import write_plate as put_plate

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync")]
THING, SHADOW = np.s_[16:32, 30:50], np.s_[24:40, 44:70]


@pytest.fixture
def shot(tmp_path) -> ShotOnDisk:
    """A thing that stands in the picture, and its shadow beside it."""
    shot = make_shot(tmp_path, 1, 8)
    for frame in range(1, 9):
        plate = picture(0)
        plate[SHADOW][..., :3] *= 0.5
        plate[THING][..., :3] = 0.1
        put_plate(shot.plate(frame), plate)
        for kind, place in (("matte", THING), ("shadow", SHADOW)):
            matte = np.zeros((64, 96), np.uint8)
            matte[place] = 255
            put_matte(shot.folder / kind / f"{kind}.{frame:04d}.png", matte)
    return shot


def with_shadow(shot: ShotOnDisk, name: str = "out"):
    return shot.shot(name, shadow_matte=str(shot.folder / "shadow" / "shadow.####.png"))


def test_both_mattes_are_filled_and_nothing_else_changes(shot):
    run_toy(with_shadow(shot), QUICK)
    for frame in (1, 8):
        before, after = read(shot.plate(frame)), read(shot.written(frame))
        inside = np.zeros((64, 96), np.bool_)
        inside[THING] = inside[SHADOW] = True
        np.testing.assert_array_equal(before[~inside], after[~inside])
        assert (before != after).any(axis=2)[THING].mean() > 0.9
        assert (before != after).any(axis=2)[SHADOW].mean() > 0.5


def test_in_chunks_it_is_the_same_and_a_changed_shadow_matte_is_rendered_again(shot):
    run_toy(with_shadow(shot), QUICK)
    state = str(shot.folder / "a.state")
    run_toy(with_shadow(shot, "chunks"), QUICK, chunk="1-4", state_out=state)
    run_toy(with_shadow(shot, "chunks"), QUICK, chunk="5-8", state_in=state)
    same_files(shot, "chunks", "out")
    matte = np.zeros((64, 96), np.uint8)
    matte[24:44, 44:72] = 255
    put_matte(shot.folder / "shadow" / "shadow.0008.png", matte)
    assert run_toy(with_shadow(shot), QUICK, resume=True)[0].frame <= 2
    run_toy(with_shadow(shot, "fresh"), QUICK)
    same_files(shot, "out", "fresh")
    assert len(run_toy(shot.shot(), QUICK, resume=True)) == 8, "taken away, all is rendered again"
    journal = next(shot.written(1).parent.rglob("journal.jsonl"))
    entries = Journal(journal, Journal(journal, {}).found_key() or {}).read() or []
    assert all("shadow" not in marks for entry in entries for marks in entry.inputs.values())


def test_one_that_lacks_frames_or_has_another_size_is_refused(shot):
    (shot.folder / "shadow" / "shadow.0003.png").unlink()
    with pytest.raises(CleanplateError, match=r"Shadow matte .* lacks frames 3"):
        run_toy(with_shadow(shot), QUICK)
    put_matte(shot.folder / "shadow" / "shadow.0003.png", np.zeros((60, 96), np.uint8))
    with pytest.raises(CleanplateError, match="96x60"):
        run_toy(with_shadow(shot), QUICK)
