"""A movie as output: whole or not there, and resumed like any render."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import plugin_core.render.delivery
from plugin_core.clips.movie_read import MovieReader
from plugin_core.errors import InputError, Interrupted, WriteError
from plugin_core.images import read_plate
from plugin_core.images import write_plate as save
from plugin_core.job.settings import Run, Shot
from plugin_core.progress.reporters import Reporters
from plugin_core.progress.stop import Stop
from plugin_core.render.delivery import render

from ..shots import QUICK, ShotOnDisk, hole, leftovers, make_shot, picture, write_matte, write_plate
from ..toy_network import ToyNetwork

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_sync")]

LAST = 9


class Listener:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.events: list[dict] = []

    def report(self, event: dict) -> None:
        self.events.append(event)

    def close(self) -> None:
        pass

    def kinds(self) -> list[str]:
        return [event["event"] for event in self.events if event["event"] not in ("note", "phase")]


@pytest.fixture
def shot(tmp_path: Path) -> ShotOnDisk:
    return make_shot(tmp_path, 1, LAST, extension=".png")


def movie_of(shot: ShotOnDisk, name: str = "clean.mov", **fields: object) -> Shot:
    return Shot(plate=shot.plate_pattern, matte=shot.matte_pattern, output=str(shot.folder / name), **fields)


def run(asked: Shot, *, network=None, listener=None, stop=None, settings=QUICK, **more: object) -> list:
    reporters = Reporters([listener or Listener()])
    return list(render(asked, settings, Run(**more), network or ToyNetwork(), reporters, stop or Stop()))


def frames_of(path: Path) -> np.ndarray:
    with MovieReader(path) as movie:
        return np.stack([movie.read(number).rgb for number in movie.frames])


def test_the_movie_has_the_frames_a_sequence_would_have(shot):
    heard = Listener()
    done = run(movie_of(shot), listener=heard)
    assert [frame.frame for frame in done] == list(range(1, LAST + 1))
    assert heard.kinds() == ["start", *["frame"] * LAST, "origins", "done"]
    assert heard.events[-1]["event"] == "done"  # and not before the movie is there
    start = next(event for event in heard.events if event["event"] == "start")
    assert start["output"] == str(shot.folder / "clean.mov")
    run(movie_of(shot, "clean.####.png"))
    made = frames_of(shot.folder / "clean.mov")
    for index in range(LAST):
        expected = read_plate(shot.folder / f"clean.{index + 1:04d}.png").rgb
        assert np.abs(made[index] - expected).mean() < 4e-3
        assert np.abs(made[index] - expected).max() < 0.1
    assert not (shot.folder / ".cleanplate" / "clean.mov" / "frames").exists()
    assert not leftovers(shot.folder)


def test_an_interrupted_render_goes_on_and_gives_the_same_movie(shot):
    run(movie_of(shot, "whole.mov"))
    stop, network = Stop(), ToyNetwork()
    frames = render(movie_of(shot), QUICK, Run(), network, Reporters([Listener()]), stop)
    for done in frames:
        if done.frame == 4:
            stop.request()
            break
    with pytest.raises(Interrupted):
        list(frames)
    assert not (shot.folder / "clean.mov").exists()
    kept = len(list((shot.folder / ".cleanplate" / "clean.mov" / "frames").glob("*.tif")))
    assert kept >= 4
    network = ToyNetwork()
    resumed = run(movie_of(shot), network=network, resume=True)
    assert len(resumed) == LAST - kept
    assert (shot.folder / "clean.mov").read_bytes() == (shot.folder / "whole.mov").read_bytes()


def test_a_movie_that_could_not_be_written_is_made_on_resume_without_rendering(shot, monkeypatch):
    def fail(*_: object) -> None:
        raise WriteError("the disk is full")

    monkeypatch.setattr(plugin_core.render.assemble, "write_movie", fail)
    heard = Listener()
    with pytest.raises(WriteError):
        run(movie_of(shot), listener=heard)
    assert "done" not in heard.kinds()
    monkeypatch.undo()
    network = ToyNetwork()
    assert run(movie_of(shot), network=network, resume=True) == []
    assert network.steps == 0 and len(frames_of(shot.folder / "clean.mov")) == LAST


def test_a_finished_movie_is_made_again_only_when_something_changed(shot):
    run(movie_of(shot))
    before = (shot.folder / "clean.mov").stat().st_mtime_ns
    heard, network = Listener(), ToyNetwork()
    assert run(movie_of(shot), listener=heard, network=network, resume=True) == []
    assert heard.kinds() == ["start", "done"] and network.steps == 0
    assert (shot.folder / "clean.mov").stat().st_mtime_ns == before
    note = shot.folder / ".cleanplate" / "clean.mov" / "movie.json"
    known = json.loads(note.read_text())
    assert "grain" not in known["settings"] and "cuts" not in known["shot"]
    spelled_out = {"shot": movie_of(shot).model_dump(mode="json"), "settings": QUICK.effective()}
    note.write_text(json.dumps({**known, **spelled_out}))
    assert run(movie_of(shot), resume=True) == [], "as the first release noted it"
    write_matte(shot.matte(5), hole(2))
    assert len(run(movie_of(shot), resume=True)) == LAST
    write_plate(shot.plate(3), picture(7))
    assert len(run(movie_of(shot), resume=True)) == LAST
    (shot.folder / "clean.mov").write_bytes(b"broken")
    assert len(run(movie_of(shot), resume=True)) == LAST


def test_a_finished_movie_is_made_again_where_a_key_frame_was_mended(shot):
    settings = QUICK.model_copy(update={"propagate": 3, "paint": "auto"})
    run(movie_of(shot), settings=settings)
    assert run(movie_of(shot), settings=settings, resume=True) == []
    key = next((shot.folder / ".cleanplate").glob("clean.mov/**/paint.*.exr"))
    mark = np.ones((4, 4, 3), np.float32)
    save(read_plate(key).with_patch(mark, np.ones((4, 4), np.bool_), 0, 0), key)
    assert len(run(movie_of(shot), settings=settings, resume=True)) == LAST
    assert run(movie_of(shot), settings=settings, resume=True) == []


def test_a_movie_becomes_a_movie_with_its_rate_and_timecode(shot):
    run(movie_of(shot, "first.mov"))
    asked = Shot(
        plate=str(shot.folder / "first.mov"), matte=shot.matte_pattern,
        output=str(shot.folder / "second.mov"), frames="3-7",
    )  # fmt: skip
    run(asked)
    first, second = frames_of(shot.folder / "first.mov"), frames_of(shot.folder / "second.mov")
    assert len(second) == 5
    outside = hole(3) == 0
    assert np.abs(second[0] - first[2])[outside].mean() < 3e-3


def test_what_can_not_be_is_refused_before_any_work(shot, tmp_path):
    run(movie_of(shot))
    with pytest.raises(InputError, match=r"clean\.mov is there already; use --resume .* or --overwrite"):
        run(movie_of(shot))
    with pytest.raises(InputError, match="render chunks to a sequence"):
        run(movie_of(shot, "b.mov"), state_out=str(tmp_path / "a.state"))
    with pytest.raises(InputError, match="leave --compression"):
        run(movie_of(shot, "b.mov", compression="zip"))
    with pytest.raises(InputError, match=r"not as \.mp4"):
        run(movie_of(shot, "b.mp4"))
    with pytest.raises(InputError, match="would overwrite an input"):
        run(Shot(plate=str(shot.folder / "clean.mov"), matte=shot.matte_pattern,
                 output=str(shot.folder / "clean.mov")), overwrite=True)  # fmt: skip
    linear = make_shot(tmp_path / "linear", 1, 2)
    with pytest.raises(InputError, match=r"floating-point.*b\.####\.exr"):
        run(movie_of(linear, "b.mov"))
