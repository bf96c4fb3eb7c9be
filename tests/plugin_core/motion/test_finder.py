"""Real pixels first: what is found, how far it can be trusted, and that it depends on the files alone."""

import io
import json
import threading
from concurrent.futures import CancelledError

import cv2
import numpy as np
import pytest

from plugin_core.box import Box
from plugin_core.errors import Interrupted
from plugin_core.images.plate import as_float
from plugin_core.job.settings import Settings
from plugin_core.motion.background import Background, Look
from plugin_core.motion.trace import trace
from plugin_core.motion.view import MotionView, motion_view
from plugin_core.motion.vote import propagated
from plugin_core.progress.reporters import JsonLines, Reporters
from plugin_core.progress.stop import Stop
from plugin_core.progress.watch import Phase
from plugin_core.regions.hole import Hole
from plugin_core.schedule import Schedule

from ..render.test_resume import change_plate
from ..shots import QUICK, differing, make_shot, run_toy, same_files
from .test_flow import disc, texture

pytestmark = pytest.mark.slow

SIZE = (96, 128)
FAR = QUICK.model_copy(update={"propagate": 4})


def shots(pan=(0, 0), step=6, frames=12):
    """A textured wall under a panning camera, and a disc that walks over it: pictures, holes, walls."""
    world = texture(96 + 40, 128 + 80)
    walls, holes = [], []
    for frame in range(frames):
        y, x = 10 + pan[1] * frame, 10 + pan[0] * frame
        walls.append(np.ascontiguousarray(world[y : y + 96, x : x + 128]))
        holes.append(disc(*SIZE, 48, 30 + step * frame, 12))
    pictures = [np.where(hole[..., None], 0.5, wall) for wall, hole in zip(walls, holes, strict=True)]
    return [p.astype(np.float32) for p in pictures], holes, walls


def find(pictures, holes, frame, reach=12, gain=lambda frame: 1.0, threads=None, sharp=False):
    view = MotionView(Box(0, 0, 128, 96), 128, 96)
    shown = [picture * np.float32(gain(n)) for n, picture in enumerate(pictures)]
    background = Background(lambda n: Look(shown[n], holes[n]), 96, 128, threads)
    rows, columns = np.nonzero(holes[frame])
    box = Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    hole = Hole(box, holes[frame][box.slices].astype(np.float32))
    frames = range(max(frame - reach, 0), min(frame + reach, len(shown) - 1) + 1)
    traces = trace(background, frame, holes[frame], frames)
    read = lambda n, part: np.ascontiguousarray(shown[n][part.slices] * 2 - 1)  # noqa: E731
    if traces is None:
        return None, hole
    workers = background.workers
    return propagated(traces, hole, view, read, background.hidden, workers=workers, sharp=sharp), hole


def same(one, other):
    parts = ("picture", "confidence", "grain")
    return all(np.array_equal(getattr(one, part), getattr(other, part)) for part in parts)


def error(found, hole, wall):
    inside = hole.alpha > 0
    return np.abs((found.picture + 1) / 2 - wall[hole.box.slices])[inside]


def test_a_still_camera_shows_the_very_pixels():
    pictures, holes, walls = shots()
    found, hole = find(pictures, holes, 6)
    assert found.confidence[hole.alpha > 0].min() > 0.9
    assert np.median(error(found, hole, walls[6])) < 2e-3
    assert error(found, hole, walls[6]).mean() < 3e-3


def test_the_number_of_threads_changes_nothing():
    pictures, holes, _ = shots(pan=(2, 1), step=3, frames=30)
    one, two, eight = (find(pictures, holes, 14, threads=threads)[0] for threads in (1, 2, 8))
    assert same(one, two) and same(one, eight)


def test_what_is_done_aside_ends_when_nobody_waits_for_it_any_more():
    background = Background(
        lambda n: Look(np.zeros((96, 128, 3), np.float32), np.zeros((96, 128), bool)), 96, 128
    )
    begun = threading.Event()

    def endless(watch):
        while True:
            begun.set()
            watch()

    work = background.aside(endless)
    assert begun.wait(10)
    background.close()
    with pytest.raises(CancelledError):
        work.result(10)


def test_frames_beyond_the_reach_change_nothing():
    pictures, holes, _ = shots(pan=(2, 1), step=3, frames=30)
    among, _ = find(pictures, holes, 14, reach=10)
    shifted, _ = find(
        [pictures[0]] * 4 + pictures[4:25] + [pictures[0]] * 5,
        [holes[0]] * 4 + holes[4:25] + [holes[0]] * 5,
        14,
        reach=10,
    )
    assert same(shifted, among)


def test_what_is_not_sure_is_shown_softened_or_alone():
    pictures, holes, _ = shots()
    random = np.random.default_rng(0)
    restless = [
        np.where(h[..., None], 0.5, p + random.normal(0, 0.08, p.shape))
        for p, h in zip(pictures, holes, strict=True)
    ]
    found, hole = find([p.astype(np.float32) for p in restless], holes, 6)
    steady, _ = find(pictures, holes, 6)
    core = cv2.erode((hole.alpha > 0).astype(np.uint8), np.ones((5, 5))) > 0

    def detail(picture):
        return np.abs(picture - cv2.blur(picture, (3, 3)))[core].mean()

    unsure = found.confidence[core]
    assert 0.05 < unsure.mean() < 0.75
    assert detail(found.picture) < 0.3 * detail(steady.picture)
    assert found.grain[core].mean() < 0.1 < 0.3 < steady.grain[core].mean(), "grain is to be added there"
    # A key frame shows what one source has, all of it.
    sharp, _ = find([p.astype(np.float32) for p in restless], holes, 6, sharp=True)
    np.testing.assert_array_equal(sharp.confidence, found.confidence)
    assert sharp.soft.max() == 0 and sharp.grain[core].mean() > 0.8
    assert detail(sharp.picture) > detail(steady.picture)


def test_a_pan_is_followed():
    pictures, holes, walls = shots(pan=(3, 0))
    found, hole = find(pictures, holes, 6)
    assert found.confidence[hole.alpha > 0].mean() > 0.8
    assert error(found, hole, walls[6]).mean() < 0.02


def test_what_is_never_shown_is_left_to_the_network():
    pictures, holes, _ = shots(step=0)
    found, _ = find(pictures, holes, 6)
    assert found is None or found.confidence.max() < 0.1


def test_the_reach_bounds_what_is_searched():
    pictures, holes, _ = shots(step=2, frames=30)
    near, hole = find(pictures, holes, 15, reach=1)
    far, _ = find(pictures, holes, 15, reach=15)
    inside = hole.alpha > 0
    assert near.confidence[inside].mean() < 0.5 < far.confidence[inside].mean()


def test_a_drift_of_exposure_is_met():
    pictures, holes, walls = shots()
    found, hole = find(pictures, holes, 6, gain=lambda frame: 1 - 0.01 * frame)
    assert np.abs(error(found, hole, walls[6] * np.float32(0.94))).mean() < 0.012


def test_someone_in_one_source_leaves_no_trace():
    pictures, holes, walls = shots()
    for frame in range(9, 12):  # someone comes in after the disc has passed
        pictures[frame][30:66, 50:80] = texture(seed=9)[30:66, 50:80]
    found, hole = find(pictures, holes, 6)
    assert error(found, hole, walls[6]).mean() < 0.02


def test_what_moves_into_the_hole_is_followed_by_the_motion_at_its_border():
    wall, thing = texture(96, 128)[:96, :128], texture(160, 260, seed=5)
    pictures, holes, truths = [], [], []
    for frame in range(12):
        truth = wall.copy()
        truth[16:80, 24:104] = thing[16:80, 30 + 4 * frame : 110 + 4 * frame]  # passes behind a window
        truths.append(truth)
        holes.append(disc(*SIZE, 48, 48, 9))
        pictures.append(np.where(holes[-1][..., None], 0.5, truth).astype(np.float32))
    found, hole = find(pictures, holes, 6)
    assert found.confidence[hole.alpha > 0].mean() > 0.7
    assert np.median(error(found, hole, truths[6])) < 0.02


def test_a_reduced_view_still_gives_pixels_of_the_plate():
    pictures, holes, walls = shots()
    large = [cv2.resize(p, (256, 192), interpolation=cv2.INTER_CUBIC) for p in pictures]
    wall = cv2.resize(walls[6], (256, 192), interpolation=cv2.INTER_CUBIC)
    view = MotionView(Box(0, 0, 256, 192), 128, 96)
    wide = [cv2.resize(h.astype(np.uint8), (256, 192), interpolation=cv2.INTER_NEAREST) > 0 for h in holes]
    background = Background(lambda n: Look(view.picture(large[n]), view.mask(wide[n])), 96, 128)
    rows, columns = np.nonzero(wide[6])
    box = Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    hole = Hole(box, wide[6][box.slices].astype(np.float32))
    traces = trace(background, 6, view.mask(wide[6]), range(12))
    assert traces is not None
    read = lambda n, part: np.ascontiguousarray(large[n][part.slices] * 2 - 1)  # noqa: E731
    found = propagated(traces, hole, view, read, background.hidden)
    assert found is not None
    assert np.median(error(found, hole, wall)) < 4e-3


def test_values_beyond_white_come_through():
    _, holes, walls = shots()
    bright = [np.where(holes[n][..., None], 0.5, walls[n] * 3).astype(np.float32) for n in range(12)]
    found, hole = find(bright, holes, 6)
    assert (found.picture + 1).max() / 2 > 2.3
    assert np.median(error(found, hole, walls[6] * 3)) < 1e-2


def test_the_motion_view_reaches_beyond_the_holes_and_is_bounded():
    assert motion_view([], width=100, height=100) is None
    view = motion_view([Box(4000, 2000, 4300, 2300)], width=8192, height=4320)
    assert view is not None and view.crop == Box(3840, 1840, 4460, 2460)
    whole = motion_view([Box(0, 0, 8000, 4000)], width=8192, height=4320)
    assert whole is not None and whole.width * whole.height <= 561**2


@pytest.mark.parametrize(
    ("asked", "frames"), [("on", 48), ("off", 0), (True, 48), (False, 0), ("12", 12), (7, 7)]
)
def test_the_setting_takes_words_and_numbers(asked, frames):
    assert Settings(propagate=asked).propagate == frames


class TestOneResult:
    """A render finds the same pixels however it is cut up."""

    def test_resumed_and_in_chunks(self, tmp_path):
        shot = make_shot(tmp_path, 1, 20)
        run_toy(shot.shot("whole"), FAR)
        run_toy(shot.shot("plain"), QUICK)
        assert differing(shot, "plain", "whole"), "there is something to find"
        state = str(tmp_path / "a.state")
        run_toy(shot.shot(frames="1-9"), FAR, state_out=state)
        run_toy(shot.shot(frames="10-20"), FAR, state_in=state)
        same_files(shot, "out", "whole")
        for frame in range(13, 21):
            shot.written(frame).unlink()
        run_toy(shot.shot(frames="10-20"), FAR, state_in=state, resume=True)
        same_files(shot, "out", "whole")

    def test_a_changed_plate_touches_what_looked_at_it(self, tmp_path):
        shot = make_shot(tmp_path, 1, 30)
        run_toy(shot.shot(), FAR, checkpoint_every=1)
        change_plate(shot, 25)
        again = [done.frame for done in run_toy(shot.shot(), FAR, resume=True)]
        assert again[0] <= 25 - 6 - 4 and again[-1] == 30
        run_toy(shot.shot("clean"), FAR)
        same_files(shot, "out", "clean")
        assert Schedule(first=1, last=30, search=4).first_touched(25) == 25 - 6 - 4

    def test_a_cut_is_not_looked_across(self, tmp_path):
        both, first = make_shot(tmp_path / "both", 1, 20), make_shot(tmp_path / "first", 1, 10)
        run_toy(first.shot(), FAR)
        run_toy(both.shot(cuts=(11,)), FAR)
        for frame in range(1, 11):
            assert both.written(frame).read_bytes() == first.written(frame).read_bytes(), f"frame {frame}"


class TestLooking:
    """The search tells how it gets on, and can be left."""

    def test_it_is_told_before_the_first_frame(self, tmp_path):
        shot, stream = make_shot(tmp_path, 1, 12), io.StringIO()
        run_toy(shot.shot(), FAR, reporters=Reporters([JsonLines(stream)]))
        events = [json.loads(line) for line in stream.getvalue().splitlines()]
        told = [event for event in events if event["event"] == "phase"]
        phases = [event["phase"] for event in told]
        assert phases[:2] == ["frames", "mattes"] and {"plates", "searching", "filling"} <= set(phases)
        plates = told[phases.index("plates")]
        assert plates["what"] == "looking at plates" and plates["done"] < plates["total"] <= 9
        assert told[phases.index("searching")]["total"] == 12
        first = [event["event"] for event in events].index("frame")
        assert not any(event["event"] == "phase" for event in events[first:])

    def test_a_stop_is_heard_between_two_plates(self, tmp_path):
        shot, stop = make_shot(tmp_path, 1, 12), Stop()

        class Impatient(Reporters):
            def phase(self, phase: Phase, done: int = 0, total: int = 0) -> None:
                if phase is Phase.PLATES:
                    stop.request()

        with pytest.raises(Interrupted, match=r"Stopped before another frame .* --resume"):
            run_toy(shot.shot(), FAR, reporters=Impatient([]), stop=stop)
        run_toy(shot.shot(), FAR, resume=True)
        run_toy(shot.shot("clean"), FAR)
        same_files(shot, "out", "clean")


def test_a_locked_off_camera_gathers_no_drift():
    """Far sources stay exact although every single step of a trace is a little off."""
    pictures, holes, walls = shots(step=1, frames=40)
    rng = np.random.default_rng(1)
    noisy = [np.clip(p + rng.normal(0, 0.01, p.shape), 0, 1).astype(np.float32) for p in pictures]
    found, hole = find(noisy, holes, 20, reach=19)
    inside = hole.alpha > 0
    trusted = inside & (found.confidence > 0.5)
    assert trusted.sum() > 0.5 * inside.sum()
    difference = np.abs((found.picture + 1) / 2 - walls[20][hole.box.slices])[trusted]
    assert difference.mean() < 0.015


def test_the_camera_is_followed_where_a_trace_is_only_guessed():
    pictures, holes, walls = shots(pan=(2, 1), step=4, frames=24)
    found, hole = find(pictures, holes, 12, reach=11)
    assert found.confidence[hole.alpha > 0].mean() > 0.8
    assert error(found, hole, walls[12]).mean() < 0.02


def test_what_stands_in_a_source_s_hole_never_comes_through():
    pictures, holes, _ = shots(pan=(1, 0), step=3)
    for value in (-3.0, 5.0):
        filled = [
            np.where(h[..., None], value, p).astype(np.float32) for p, h in zip(pictures, holes, strict=True)
        ]
        found, hole = find(filled, holes, 6)
        inside = (hole.alpha > 0) & (found.confidence > 0.1)
        picture = (found.picture[inside] + 1) / 2
        assert picture.min() > -0.2 and picture.max() < 1.2, "nothing rings at the edge of a hole"


@pytest.mark.parametrize("kind", [np.float16, np.uint8])
def test_a_large_crop_is_thinned_before_its_colors_are_converted(kind):
    view = motion_view([Box(100, 100, 3700, 2000)], width=3840, height=2160)
    assert view is not None and view.pixels_per[0] > 4
    native = cv2.resize(texture() * (255 if kind is np.uint8 else 1), (3840, 2160)).astype(kind)
    cut = native[view.crop.slices]
    thin = view.thinned(cut)
    assert thin.shape == (view.height, view.width, 3)
    np.testing.assert_allclose(view.picture(as_float(thin)), view.picture(as_float(cut)), atol=2e-3)
    small = native[: view.height, : view.width]
    assert view.thinned(small) is small
    if kind is np.float16:
        cut = cut.copy()
        cut[500, 700] = np.nan
        assert 1 <= np.isnan(view.thinned(cut)).any(axis=2).sum() <= 4
        assert view.thinned(cut).dtype == np.float16, "colors of halves are looked up"
