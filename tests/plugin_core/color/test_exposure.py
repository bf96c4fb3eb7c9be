"""One exposure for the whole shot, and a fill that comes back at the plate's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from plugin_core.color.color_map import ColorMap
from plugin_core.color.exposure import exposure_note, measure_stops, sample_frames
from plugin_core.images import read_plate
from plugin_core.job.settings import Settings
from plugin_core.progress.reporters import Reporters

from ..pictures_on_disk import save, spec_of
from ..shots import ShotOnDisk, make_shot, picture, read, run_toy, same_files, write_plate

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync")]

EXPOSED = Settings(working_size=64, context=16, exposure="auto", grow=0, feather=0, paint="network")
LINEAR = ColorMap("linear")


class Notes:
    """A reporter that keeps what is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def report(self, event: dict) -> None:
        if event["event"] == "note":
            self.notes.append(event["message"])

    def close(self) -> None:
        pass


def shot_at(folder: Path, stops: int, last: int = 8) -> ShotOnDisk:
    """The usual shot, 2**stops as bright."""
    shot = make_shot(folder, 1, last)
    for frame in range(1, last + 1):
        pixels = picture(frame)
        # As halves first, so that the scaled shot holds the very same digits; none becomes a subnormal.
        rgb = pixels[:, :, :3].astype(np.float16).astype(np.float32)
        rgb[np.abs(rgb) < 0.01] = 0.25
        pixels[:, :, :3] = rgb * 2.0**stops
        write_plate(shot.plate(frame), pixels)
    return shot


@pytest.mark.parametrize("stops", [-4, 4])
def test_a_dark_or_bright_plate_gets_the_fill_of_the_normal_one(tmp_path, stops):
    normal, scaled = shot_at(tmp_path / "normal", 0), shot_at(tmp_path / "scaled", stops)
    for shot in (normal, scaled):
        run_toy(shot.shot(), EXPOSED)
    for frame in range(1, 9):
        one, other = (read(shot.written(frame))[:, :, :3].astype(np.float32) for shot in (normal, scaled))
        np.testing.assert_allclose(other, one * 2.0**stops, rtol=1e-3, atol=1e-6)
        assert (read(normal.written(frame)) != read(normal.plate(frame))).any()


def test_a_chunk_and_a_resume_have_the_exposure_of_the_whole(tmp_path):
    shot = shot_at(tmp_path, -3, last=12)
    for frame in range(7, 13):  # the second half is brighter: its own measure would be another
        write_plate(shot.plate(frame), picture(frame) * 4)
    run_toy(shot.shot("whole"), EXPOSED)
    state = str(tmp_path / "a.state")
    run_toy(shot.shot("parts", "1-5"), EXPOSED, state_out=state)
    run_toy(shot.shot("parts", "6-12"), EXPOSED, state_in=state)
    same_files(shot, "whole", "parts")


def test_what_is_done_is_told_once(tmp_path):
    shot, notes = shot_at(tmp_path, -4), Notes()
    run_toy(shot.shot(), EXPOSED, reporters=Reporters([notes]))
    assert sum("brighter, on every frame alike" in note for note in notes.notes) == 1


@pytest.mark.parametrize(("asked", "stops"), [("0", 0), ("+2", 2), ("-3", -3)])
def test_exposure_can_be_set(tmp_path, asked, stops):
    shot, notes = shot_at(tmp_path, -4, last=2), Notes()
    run_toy(
        shot.shot(),
        Settings(working_size=64, context=16, exposure=asked, grow=0, feather=0),
        reporters=Reporters([notes]),
    )
    assert not any("stops" in note for note in notes.notes)
    key = (tmp_path / "out" / ".cleanplate" / "clean.#.exr" / "journal.jsonl").read_text().splitlines()[0]
    assert (f"{stops:+d} stops" in key) == (stops != 0)


@pytest.mark.parametrize("stops", range(-12, 13, 3))
def test_the_measure_follows_the_plate(tmp_path, stops):
    rgb = np.random.default_rng(0).uniform(0.05, 1.2, (40, 60, 3)).astype(np.float32)
    rgb[0, :3] = [np.nan, np.inf, -1]
    plates = [
        read_plate(save(tmp_path / f"{power}.exr", (spec_of(60, 40, "RGB", "float"), rgb * 2.0**power)))
        for power in (0, stops)
    ]
    normal, scaled = (measure_stops(LINEAR, [plate]) for plate in plates)
    assert scaled == normal - stops
    assert measure_stops(ColorMap("display"), plates) == 0


def test_a_normal_plate_is_left_as_it_is(tmp_path):
    """Middle gray in the middle and white at the top, as a good exposure has it."""
    ramp = np.geomspace(0.03, 1.1, 60 * 40).reshape(40, 60, 1).repeat(3, axis=2).astype(np.float32)
    plate = read_plate(save(tmp_path / "p.exr", (spec_of(60, 40, "RGB", "half"), ramp)))
    assert measure_stops(LINEAR, [plate]) == 0
    assert exposure_note(0) == ()


def test_a_black_plate_has_no_exposure(tmp_path):
    black = np.zeros((40, 60, 3), np.float32)
    plate = read_plate(save(tmp_path / "p.exr", (spec_of(60, 40, "RGB", "half"), black)))
    assert measure_stops(LINEAR, [plate]) == 0 == measure_stops(LINEAR, [])


@pytest.mark.parametrize(
    ("lower", "upper", "frames"),
    [(5, 5, [5]), (1, 3, [1, 2, 3]), (1001, 1100, [1001, 1015, 1029, 1043, 1058, 1072, 1086, 1100])],
)
def test_sampled_frames_reach_from_end_to_end(lower, upper, frames):
    assert sample_frames(lower, upper) == frames
