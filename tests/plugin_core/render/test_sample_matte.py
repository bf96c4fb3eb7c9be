"""A sample matte: what it shows in white is never borrowed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from plugin_core.errors import ImageError, InputError, MissingFramesError, StateError
from plugin_core.job.job import Job
from plugin_core.job.path_map import mapped_job, read_rules

from ..shots import QUICK, ShotOnDisk, make_shot, read, run_toy, same_files, write_matte, write_plate
from .test_painted import HOLE, Told, keys_of, painted

__all__ = ["painted"]
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync")]
PAINT = QUICK.model_copy(update={"propagate": 4, "paint": "auto"})
FRAMES = range(1, 5)


@pytest.fixture
def shot(tmp_path) -> ShotOnDisk:
    """A locked-off camera before a wall, dark to the left and bright to the right; the hole stands."""
    shot = make_shot(tmp_path, 1, 4)
    wall = 0.2 * np.random.default_rng(1).random((64, 96, 4), np.float32)
    wall[:, 45:, :3] += 0.7
    matte = np.zeros((64, 96), np.uint8)
    matte[HOLE] = 255
    for frame in FRAMES:
        write_plate(shot.plate(frame), wall)
        write_matte(shot.matte(frame), matte)
        exclude(shot, frame, np.s_[:, 44:])
    return shot


def sample(shot: ShotOnDisk, frame: int | None = None) -> Path:
    return shot.folder / "sample" / ("s.####.png" if frame is None else f"s.{frame:04d}.png")


def exclude(shot: ShotOnDisk, frame: int, where: tuple[slice, slice], size=(64, 96)) -> None:
    values = np.zeros(size, np.uint8)
    values[where] = 255
    write_matte(sample(shot, frame), values)


def brightest(path: Path) -> float:
    return float(read(path)[HOLE][..., :3].astype(np.float32).max())


def test_what_a_sample_matte_shows_is_not_borrowed(shot, painted):
    given = {"sample_matte": str(sample(shot))}
    run_toy(shot.shot("free"), PAINT)
    run_toy(shot.shot(**given), PAINT)
    assert all(brightest(path) > 0.6 for path in keys_of(shot, "free"))
    # Seams are smoothed out towards the bright wall: what is copied is dark.
    inner = np.s_[26:34, 32:44]
    for path in keys_of(shot):
        assert read(path)[inner][..., :3].max() < 0.5 and np.median(read(path)[HOLE][..., :3]) < 0.5
    with pytest.raises(StateError, match="sample matte"):
        run_toy(shot.shot("free", **given), PAINT, resume=True)

    once = len(painted)
    assert run_toy(shot.shot(**given), PAINT, resume=True) == [] and len(painted) == once
    for frame in FRAMES:
        exclude(shot, frame, np.s_[:, :46])
    assert run_toy(shot.shot(**given), PAINT, resume=True) and len(painted) > once
    run_toy(shot.shot("fresh", **given), PAINT)
    same_files(shot, "out", "fresh")
    assert all(np.median(read(path)[HOLE][..., :3]) > 0.6 for path in keys_of(shot))

    told = Told()
    told.note = lambda message, code="": told.notes.append(message)
    run_toy(shot.shot("plain", **given), QUICK, reporters=told)
    assert any("makes no difference" in note for note in told.notes)


def test_one_that_can_not_be_used_is_refused_before_the_first_frame(shot, tmp_path):
    given = {"sample_matte": str(sample(shot))}
    over = shot.shot(**given).model_copy(update={"output": given["sample_matte"]})
    with pytest.raises(InputError, match="overwrite the sample matte"):
        run_toy(over, PAINT)
    exclude(shot, 1, np.s_[:2, :2], size=(32, 32))
    with pytest.raises(ImageError, match="32x32"):
        run_toy(shot.shot(**given), PAINT)
    sample(shot, 3).unlink()
    with pytest.raises(MissingFramesError, match=r"Sample matte .* lacks frames 3"):
        run_toy(shot.shot(**given), PAINT)
    run_toy(shot.shot("still", sample_matte=str(sample(shot, 4))), PAINT)
    assert not list((tmp_path / "out").glob("*.exr"))


def test_farms_call_it_by_their_own_paths():
    shot = {"plate": "/a/p.####.exr", "matte": "/a/m.####.png", "output": "/a/o.####.exr"}
    job = Job(shot={**shot, "sample_matte": "/a/s.####.png", "patch": "/a/patch.####.exr"})
    there = mapped_job(job, read_rules(["/a=/b"])).shot
    assert (there.sample_matte, there.patch) == ("/b/s.####.png", "/b/patch.####.exr")
