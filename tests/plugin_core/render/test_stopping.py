"""A stop is heard in every phase; no frame is begun after it, and the state kept is the last frame's."""

from __future__ import annotations

import time

import pytest

from plugin_core.errors import Interrupted
from plugin_core.job.job import Job
from plugin_core.job.settings import Run
from plugin_core.probe.forecast import forecast_job
from plugin_core.probe.probe import probe
from plugin_core.progress.reporters import Reporters
from plugin_core.progress.stop import Stop
from plugin_core.progress.watch import Phase
from plugin_core.render import writer
from plugin_core.render.delivery import render

from ..shots import QUICK, ShotOnDisk, make_shot, run_toy, same_files
from ..toy_network import ToyNetwork

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync")]

SEARCHING = QUICK.model_copy(update={"propagate": 4})
LAST = 16


class Stopping(Reporters):
    """Asks for a stop when a phase is told of for the n-th time, and counts what is told after that.

    Attributes:
        frames: told of after it.
    """

    def __init__(self, stop: Stop, phase: Phase, time: int = 1) -> None:
        super().__init__([])
        self._stop, self._phase, self._calls = stop, phase, time
        self.after: list[Phase] = []
        self.frames: list[int] = []

    def phase(self, phase: Phase, done: int = 0, total: int = 0) -> None:
        if self._stop.requested() is not None:
            self.after.append(phase)
        self._calls -= phase is self._phase
        if self._calls == 0:
            self._stop.request(143)

    def frame(self, frame: int) -> float:
        if self._stop.requested() is not None:
            self.frames.append(frame)
        return super().frame(frame)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> ShotOnDisk:
    """A shot, and its uninterrupted render in "whole"."""
    made = make_shot(tmp_path_factory.mktemp("shot"), 1, LAST)
    run_toy(made.shot("whole"), SEARCHING)
    return made


@pytest.mark.parametrize(
    ("phase", "number"),
    [
        (Phase.FRAMES, 5),
        (Phase.MATTES, 3),
        (Phase.PLATES, 1),
        (Phase.SEARCHING, 2),
        (Phase.SEARCHING, 14),
        (Phase.FILLING, 1),
        (Phase.FILLING, 9),
    ],
)
def test_it_is_heard_in_every_phase(whole, phase, number):
    name, stop = f"{phase}{number}", Stop()
    reporters = Stopping(stop, phase, number)
    with pytest.raises(Interrupted) as stopped:
        run_toy(whole.shot(name), SEARCHING, reporters=reporters, stop=stop)
    assert stopped.value.exit_code == 143
    # The other threads are at something of their own, and hear of it there.
    assert len(reporters.after) <= 2 and len(reporters.frames) <= 1
    run_toy(whole.shot(name), SEARCHING, resume=True)
    same_files(whole, name, "whole")


def test_it_is_heard_while_a_resume_compares(whole):
    stop = Stop()
    with pytest.raises(Interrupted):
        reporters = Stopping(stop, Phase.COMPARING, 2)
        run_toy(whole.shot("whole"), SEARCHING, reporters=reporters, stop=stop, resume=True)
    assert run_toy(whole.shot("whole"), SEARCHING, resume=True) == [], "nothing was lost by it"


def test_no_frame_is_begun_and_the_state_is_that_of_the_last_one(tmp_path, monkeypatch):
    """The network runs ahead of a slow disk: what it has filled and nobody wrote is filled again, no more."""
    shot, stop, written = make_shot(tmp_path, 1, LAST), Stop(), []
    run_toy(shot.shot("whole"))
    write = writer.write_plate

    def slowly(plate, path, **more):
        end = time.monotonic() + 60
        while len(written) == 4 and network.steps < 6 and time.monotonic() < end:
            time.sleep(0.005)
        notes = write(plate, path, **more)
        written.append(path)
        if len(written) == 5:
            stop.request()
        return notes

    monkeypatch.setattr(writer, "write_plate", slowly)
    network = ToyNetwork()
    with pytest.raises(Interrupted, match="Stopped after frame 5; its state is saved"):
        run_toy(shot.shot(), stop=stop, network=network, checkpoint_every=100)
    assert len(written) == 5 < network.steps, "the network was ahead"
    again = ToyNetwork()
    assert [done.frame for done in run_toy(shot.shot(), resume=True, network=again)] == [*range(6, LAST + 1)]
    assert again.steps == LAST - 5
    same_files(shot, "out", "whole")


def test_a_cancel_file_is_heard_while_pixels_are_looked_for(whole, tmp_path):
    class Creating(Stopping):
        def phase(self, phase: Phase, done: int = 0, total: int = 0) -> None:
            if phase is Phase.SEARCHING:
                (tmp_path / "cancel").touch()

    stop = Stop(tmp_path / "cancel")
    with pytest.raises(Interrupted) as stopped:
        run_toy(whole.shot("cancelled"), SEARCHING, reporters=Creating(stop, Phase.CUTS), stop=stop)
    assert stopped.value.exit_code == 130 and not whole.written(1, "cancelled").exists()


def test_it_is_heard_while_the_movie_is_made(tmp_path):
    shot, stop = make_shot(tmp_path, 1, 4, extension=".png"), Stop()
    movie = shot.shot().model_copy(update={"output": str(tmp_path / "clean.mov")})
    reporters = Stopping(stop, Phase.DELIVERING, 2)
    with pytest.raises(Interrupted, match="while the movie was made"):
        list(render(movie, QUICK, Run(), ToyNetwork(), reporters, stop))
    assert not (tmp_path / "clean.mov").exists()
    list(render(movie, QUICK, Run(resume=True), ToyNetwork(), Reporters([]), Stop()))
    assert (tmp_path / "clean.mov").exists()


@pytest.mark.parametrize("phase", [Phase.MATTES, Phase.CUTS, Phase.PLATES, Phase.SEARCHING, Phase.TIMING])
def test_a_probe_and_a_dry_run_can_be_stopped(whole, bundle_512, phase):
    """They tell of each phase, and a watch that raises ends them."""
    job = Job(shot=whole.shot("nowhere"), settings=SEARCHING, run=Run(model=str(bundle_512), threads=1))
    stop = Stop()
    watch = Stopping(stop, phase, 2).watch(stop, "Stopped; nothing was changed.")
    with pytest.raises(Interrupted, match="nothing was changed"):
        probe(job, watch=watch)
    if phase is Phase.MATTES:
        stop = Stop()
        with pytest.raises(Interrupted):
            forecast_job(job, Stopping(stop, phase, 2).watch(stop, "Stopped."))
    assert not (whole.folder / "nowhere").exists()
